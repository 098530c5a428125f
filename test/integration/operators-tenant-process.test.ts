// The operator of examples/08-tenant as a process of its own over HTTPS, killed in the middle and started again.
import { afterEach, expect, it } from 'vitest';
import { RoleBindings } from 'pinnace/client';
import { startCluster, type TestCluster } from 'pinnace/testing';
import 'pinnace/testing/vitest';
import { Tenants } from '../../examples/08-tenant/kind.ts';
import { type OperatorProcess, startOperatorProcess } from '../support/operator-process.ts';
import { until } from '../support/until.ts';

let cluster: TestCluster;
let program: OperatorProcess;
afterEach(async () => {
  await program.kill();
  await cluster.close();
});

const aTenant = (name: string, namespace = name) => {
  const members = [{ name: `${name}-owner`, role: 'owner' as const }];
  return Tenants.object({ metadata: { name }, spec: { namespace, members } });
};
/** A lead that nobody let go is taken over after 15 s. */
const patience = { timeoutMs: 50_000 };
const ready = { status: { conditions: [{ type: 'Ready', status: 'True' as const }] } };

it('takes up its work where it was killed, and ends in order', async () => {
  cluster = await startCluster({ nodes: 0, scheduler: false });
  const { kubeconfig } = await cluster.listen();
  const start = () =>
    startOperatorProcess('examples/08-tenant/main.ts', { KUBECONFIG: kubeconfig, PORT: '0' });
  program = start();
  const all = cluster.client.resource(Tenants);
  // Its kind, and then the webhook, are there once it runs.
  await until(() => all.create(aTenant('blue')).then(Boolean, () => false));
  await expect(cluster.client).toEventually(Tenants, { name: 'blue' }, ready, patience);
  await until(() =>
    all.create(aTenant('other', 'blue')).then(
      () => false,
      (error: Error) => error.message.includes('blue is that of the tenant blue'),
    ),
  );
  await all.create(aTenant('green'));
  // In the middle of its furniture, or before it, or behind it.
  await program.kill();
  const binding = { namespace: 'blue', name: 'tenant-owner' };
  await cluster.client.resource(RoleBindings).delete(binding);
  program = start();
  await expect(cluster.client).toEventually(Tenants, { name: 'green' }, ready, patience);
  await expect(cluster.client).toEventually(RoleBindings, binding, {}, patience);
  expect(await program.stop(), program.log()).toBe(0);
});
