// Pods on a containerd instead of the embedded runtime: names, network, logs, commands, volumes and their end are alike.
// Real containers: needs root and Debian's containerd.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { SHELL_IMAGE } from '../support/tiny-images.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ node: true, runtime: 'containerd' });
}, 120_000);
afterAll(() => cluster?.stop(), 60_000);

it('runs a pod to its end, and tells its log and its exit code', async () => {
  const { kubectl } = cluster;
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'once' },
    spec: {
      restartPolicy: 'Never',
      containers: [
        { name: 'main', image: SHELL_IMAGE, command: ['/bin/sh', '-c', 'echo hello; exit 3'] },
      ],
    },
  };
  await kubectl.apply(pod);
  await kubectl.wait('--for=jsonpath={.status.phase}=Failed', 'pod/once');
  expect(await kubectl.ok(['logs', 'once'])).toContain('hello');
}, 60_000);
