// Controllers that run commands in pods, in a test cluster: through every transport that stands between, on virtual time too.
import { it } from 'vitest';
import { Pods } from '../../api/kinds.ts';
import { execInPod } from '../../client/pods/remote-command.ts';
import { controllerFor } from '../../controllers/framework/builder.ts';
import { startCluster } from '../../testing/cluster/start-cluster.ts';
import { eventually } from '../../testing/eventually/eventually.ts';
import { withFaults } from '../../testing/faults/with-faults.ts';

const ask = controllerFor(Pods)
  .where(({ status }) => status?.phase === 'Running')
  .reconcile(async ({ metadata }, { client, resource, signal }) => {
    if (metadata.annotations?.['said'] !== undefined) return;
    const ref = { namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
    const { stdout } = await execInPod(client, ref, { command: ['whoami'], stdin: 'x', signal });
    await resource.apply({ metadata: { ...ref, annotations: { said: stdout } } });
  });

it.each(['system', 'virtual'] as const)('works on a %s clock', async (clock) => {
  await using cluster = await startCluster({
    clock,
    nodes: 1,
    lives: { app: { exec: ([word = '']) => ({ exitCode: 0, stdout: `${word}: root ` }) } },
  });
  const program = cluster.run([ask], { client: withFaults(cluster.client, []) });
  await program.synced;
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'default' },
    spec: { containers: [{ name: 'main', image: 'app' }] },
  });
  const said = { metadata: { annotations: { said: 'whoami: root x' } } };
  const patience = { timeoutMs: 60_000 };
  await eventually(cluster.client, Pods, { namespace: 'default', name: 'p' }, said, patience);
});
