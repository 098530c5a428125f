// Pods on a containerd instead of the embedded runtime: Services, names, commands, files and forwarded ports are alike, and the node
// says when its runtime is gone. Real containers: needs root and Debian's containerd.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { until } from '../support/until.ts';
import { SHELL_IMAGE, WEB_IMAGE } from '../support/tiny-images.ts';

const LABELS = { app: 'web' };
let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ node: true, runtime: 'containerd' });
  await cluster.kubectl.apply([
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'harbour' },
      spec: { selector: LABELS, ports: [{ port: 80, targetPort: 8080 }] },
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'words' }, data: { word: 'ahoy' } },
    pod('web', {
      metadata: { labels: LABELS },
      container: {
        image: WEB_IMAGE,
        command: undefined,
        readinessProbe: { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 1 },
      },
    }),
    pod('shell', {
      container: { volumeMounts: [{ name: 'words', mountPath: '/words' }] },
      spec: { volumes: [{ name: 'words', configMap: { name: 'words' } }] },
    }),
  ]);
  await cluster.kubectl.wait('--for=condition=Ready', 'pod', '--all');
});
afterAll(() => cluster?.stop());

interface PodParts {
  readonly metadata?: object;
  readonly spec?: object;
  readonly container?: object;
}

function pod(name: string, { metadata, spec, container }: PodParts = {}) {
  const command = ['/bin/sh', '-c', 'while :; do sleep 1; done'];
  const containers = [{ name: 'main', image: SHELL_IMAGE, command, ...container }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...metadata },
    spec: { terminationGracePeriodSeconds: 1, containers, ...spec },
  };
}

const shell = (...command: string[]) => cluster.kubectl.ok(['exec', 'shell', '--', ...command]);

it('answers at its Service, by name, from a pod', async () => {
  const { kubectl } = cluster;
  const { status } = await kubectl.json(['get', 'pod', 'web', '-o', 'json']);
  const url = `http://${status.podIP}:8080/get?url=${encodeURIComponent('http://harbour/')}`;
  // A pod that is ready is in the Service's table a moment later.
  await until(
    async () =>
      (JSON.parse((await cluster.request({ url })).text) as { body?: string }).body ===
      '{"pod":"web"}',
  );
});

it('gives pods their volumes, host names and name servers', async () => {
  expect(await shell('cat', '/words/word')).toBe('ahoy');
  expect(await shell('cat', '/proc/sys/kernel/hostname')).toBe('shell\n');
  expect(await shell('cat', '/etc/resolv.conf')).toMatch(
    /^search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local$/m,
  );
});

it('pipes into commands, and copies files both ways', async () => {
  const { kubectl, dataDir } = cluster;
  const said = await kubectl.run(['exec', '-i', 'shell', '--', '/bin/sh', '-c', 'cat; exit 7'], {
    input: 'through the pipe',
  });
  expect(said).toMatchObject({ code: 7, stdout: 'through the pipe' });
  const [there, back] = [join(dataDir, 'there'), join(dataDir, 'back')];
  writeFileSync(there, 'x'.repeat(300_000));
  await kubectl.ok(['cp', there, 'shell:/tmp/file']);
  await kubectl.ok(['cp', 'shell:/tmp/file', back]);
  await cluster.host.run('cmp', [there, back]).then(({ code }) => expect(code).toBe(0));
});

it('shows containers of this runtime, with their figures', async () => {
  const { kubectl } = cluster;
  const node = await kubectl.json(['get', 'node', cluster.facts.nodeName, '-o', 'json']);
  expect(node.status.nodeInfo.containerRuntimeVersion).toMatch(/^containerd:\/\/1\./);
  const { status } = await kubectl.json(['get', 'pod', 'shell', '-o', 'json']);
  expect(status.containerStatuses[0]).toMatchObject({
    containerID: expect.stringMatching(/^\w+:\/\/[0-9a-f]{64}$/) as string,
    imageID: expect.stringContaining('sha256:') as string,
  });
});

it('is NotReady while its runtime is gone, and goes on with the same containers after', {
  timeout: 300_000,
}, async () => {
  const { kubectl, containerd } = cluster;
  const idOf = async () => {
    const { status } = await kubectl.json(['get', 'pod', 'shell', '-o', 'json']);
    return status.containerStatuses[0] as { containerID: string; restartCount: number };
  };
  const before = await idOf();
  await containerd?.kill();
  await kubectl.wait('--for=condition=Ready=False', 'node', '--all');
  const node = await kubectl.json(['get', 'node', cluster.facts.nodeName, '-o', 'json']);
  const ready = node.status.conditions.find(({ type }: { type: string }) => type === 'Ready');
  expect(ready).toMatchObject({
    reason: 'KubeletNotReady',
    message: expect.stringMatching(/^container runtime is down: /) as string,
  });
  await containerd?.start();
  await kubectl.wait('--for=condition=Ready', 'node', '--all');
  expect(await shell('cat', '/words/word')).toBe('ahoy');
  expect(await idOf()).toMatchObject({
    containerID: before.containerID,
    restartCount: before.restartCount,
  });
});
