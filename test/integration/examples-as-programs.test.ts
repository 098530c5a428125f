// The examples on one page, run as examples/README.md says: by their main.ts, on a kubeconfig.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ConfigMaps } from 'pinnace/client';
import { startCluster, type TestCluster } from 'pinnace/testing';
import 'pinnace/testing/vitest';
import { Bookings } from '../../examples/03-kind-from-typescript/main.ts';
import { startOperatorProcess } from '../support/operator-process.ts';

let cluster: TestCluster;
let environment: { readonly KUBECONFIG: string };
beforeEach(async () => {
  cluster = await startCluster({ nodes: 0, scheduler: false, controllers: 'none' });
  environment = { KUBECONFIG: (await cluster.listen()).kubeconfig };
});
afterEach(() => cluster.close());

const patience = { timeoutMs: 50_000 };

it('examples/01-own-controller mirrors, and ends in order', async () => {
  const program = startOperatorProcess('examples/01-own-controller/main.ts', environment);
  try {
    const labels = { 'mirror-to': 'kube-public' };
    await cluster.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'greeting', namespace: 'default', labels },
      data: { text: 'hello' },
    });
    const copy = { namespace: 'kube-public', name: 'greeting' };
    const wanted = { data: { text: 'hello' } };
    await expect(cluster.client).toEventually(ConfigMaps, copy, wanted, patience);
    expect(await program.stop(), program.log()).toBe(0);
  } finally {
    await program.kill();
  }
});

it('examples/03-kind-from-typescript books, shows what is refused, and may be run again', async () => {
  for (const run of [1, 2]) {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', 'examples/03-kind-from-typescript/main.ts'],
      { env: { ...process.env, ...environment } },
    );
    expect(stdout, `run ${run}`).toContain('booked attic with 4 seats');
    expect(stdout).toContain('ends before it begins');
  }
  expect((await cluster.client.resource(Bookings).list()).items).toHaveLength(1);
});
