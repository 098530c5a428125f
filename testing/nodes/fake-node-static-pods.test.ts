// Static pods on fake nodes, in whole clusters on virtual time: what becomes of files, of the API's copies, and of bad files.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Pod } from '../../api/generated/types.ts';
import { Events, Nodes, Pods } from '../../api/kinds.ts';
import { isNotFound } from '../../api/status.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { startCluster, type TestCluster } from '../cluster/start-cluster.ts';
// Loaded here, for the agent loads it with its first manifest: that takes time of the host's, of which virtual time knows nothing.
import '../../kubelet/static-pods/static-pod.ts';
import type { FakeNode } from './fake-node.ts';

const SECOND = 1000;

let cluster: TestCluster;
let node: FakeNode;

beforeEach(async () => {
  cluster = await startCluster({
    clock: new VirtualClock(),
    nodes: [{ name: 'Edge-1'.toLowerCase(), configuration: { staticPodPath: '/etc/pods' } }],
    lives: { slow: { stopMs: 5_000 } },
  });
  node = cluster.nodes[0] as FakeNode;
  await node.registered;
  await cluster.settled();
});
afterEach(() => cluster.close());

const manifest = (name: string, image: string, more = '') => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: kube-system, labels: { app: ${name} } }
spec:
  priorityClassName: system-node-critical
  terminationGracePeriodSeconds: 7
  containers:
  - { name: main, image: ${image} }
${more}`;

async function find(name: string): Promise<Pod | undefined> {
  try {
    return await cluster.client.resource(Pods).get({ namespace: 'kube-system', name });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

const running = async () => {
  const all = await node.runtime.listContainers();
  return all.filter(({ state }) => state === 'running').map(({ id }) => id);
};

async function put(name: string, text: string | undefined): Promise<void> {
  node.manifests.put(name, text);
  await cluster.advance(SECOND);
}

it('a file becomes a pod of the node, with a copy in the API that says how it is', async () => {
  await put('proxy.yaml', manifest('proxy', 'app:1'));
  const mirror = await find('proxy-edge-1');
  const owner = await cluster.client.resource(Nodes).get({ name: 'edge-1' });
  expect(mirror?.metadata).toMatchObject({
    labels: { app: 'proxy' },
    ownerReferences: [
      { apiVersion: 'v1', kind: 'Node', name: 'edge-1', uid: owner.metadata.uid, controller: true },
    ],
  });
  const annotations = mirror?.metadata.annotations ?? {};
  expect(annotations['kubernetes.io/config.source']).toBe('file');
  expect(annotations['kubernetes.io/config.hash']).toMatch(/^[0-9a-f]{32}$/);
  expect(annotations['kubernetes.io/config.mirror']).toBe(annotations['kubernetes.io/config.hash']);
  expect(annotations['kubernetes.io/config.seen']).toBeDefined();
  expect(mirror?.spec).toMatchObject({ nodeName: 'edge-1', priority: 2_000_001_000 });
  expect(mirror?.spec?.tolerations).toContainEqual({ operator: 'Exists', effect: 'NoExecute' });
  expect(mirror?.status).toMatchObject({ phase: 'Running' });
  expect(mirror?.status?.containerStatuses?.[0]?.ready).toBe(true);
  // There is one container, and not one for each of the two.
  expect(await running()).toHaveLength(1);
});

it('a copy that is deleted comes back, and its pod has not noticed', async () => {
  await put('proxy.yaml', manifest('proxy', 'app:1'));
  const [before, containers] = [await find('proxy-edge-1'), await running()];
  await cluster.client.resource(Pods).delete({ namespace: 'kube-system', name: 'proxy-edge-1' });
  await cluster.advance(5 * SECOND);
  const after = await find('proxy-edge-1');
  expect(after?.metadata.uid).not.toBe(before?.metadata.uid);
  expect(after?.status?.phase).toBe('Running');
  expect(await running()).toEqual(containers);
});

it('another text is another pod, which begins when the first has gone', async () => {
  await put('proxy.yaml', manifest('proxy', 'slow:1'));
  const [before, first] = [await find('proxy-edge-1'), await running()];
  await put('proxy.yaml', manifest('proxy', 'slow:2'));
  await cluster.advance(SECOND);
  expect(await running()).toEqual(first);
  await cluster.advance(10 * SECOND);
  const after = await find('proxy-edge-1');
  expect(after?.metadata.uid).not.toBe(before?.metadata.uid);
  expect(after?.spec?.containers[0]?.image).toBe('slow:2');
  expect(after?.status?.phase).toBe('Running');
  expect(await running()).toHaveLength(1);
  expect(await running()).not.toEqual(first);
});

it('a file that goes takes its pod and the copy with it', async () => {
  await put('proxy.yaml', manifest('proxy', 'app:1'));
  await put('proxy.yaml', undefined);
  await cluster.advance(5 * SECOND);
  expect(await running()).toEqual([]);
  expect(await find('proxy-edge-1')).toBeUndefined();
});

it('a bad file is told of and harms no other', async () => {
  await put(
    'good.json',
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'good', namespace: 'kube-system' },
      spec: { containers: [{ name: 'main', image: 'app:1' }] },
    }),
  );
  const bad: [file: string, text: string, why: string][] = [
    ['broken.yaml', 'a: [', 'error parsing broken.yaml'],
    ['empty.yaml', '', 'it is empty'],
    ['two.yaml', `${manifest('a', 'x')}\n---\n${manifest('b', 'x')}`, 'more than one object'],
    [
      'service.yaml',
      'apiVersion: v1\nkind: Service\nmetadata: {name: x}',
      'a Service of v1, and not a Pod',
    ],
    ['shape.yaml', manifest('shape', 'x', '  hostNetwork: maybe'), 'hostNetwork'],
    [
      'none.yaml',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: none}\nspec: {containers: []}',
      'spec.containers: Required value',
    ],
    ['named.yaml', manifest('Upper', 'x'), 'metadata.name: a lowercase RFC 1123 subdomain'],
    [
      'space.yaml',
      manifest('space', 'x').replace('kube-system', 'kube.system'),
      'metadata.namespace: a lowercase RFC 1123 label',
    ],
    ['twin.yaml', manifest('good', 'x'), 'its pod has the name of that in good.json'],
    [
      'secret.yaml',
      manifest('secret', 'x', '  volumes: [{name: s, secret: {secretName: s}}]'),
      'a static pod may not reference secrets',
    ],
  ];
  for (const [file, text] of bad) await put(file, text);
  const { items } = await cluster.client.resource(Events).list({ namespace: 'default' });
  const told = items.filter(({ reason }) => reason === 'FailedStaticPod').map((e) => e.message);
  for (const [file, , why] of bad)
    expect(told.find((message) => message?.includes(`/etc/pods/${file} is not run: `))).toContain(
      why,
    );
  expect(await running()).toHaveLength(1);
  expect((await find('good-edge-1'))?.status?.phase).toBe('Running');
});

it('runs without an API server, and tells of itself when there is one again', async () => {
  node.partition('fail');
  await put('proxy.yaml', manifest('proxy', 'app:1'));
  expect(await running()).toHaveLength(1);
  expect(await find('proxy-edge-1')).toBeUndefined();
  node.heal();
  await cluster.advance(90 * SECOND);
  expect((await find('proxy-edge-1'))?.status?.phase).toBe('Running');
  expect(await running()).toHaveLength(1);
});

it('is found again by an agent that was away, and one whose file has gone meanwhile is ended', async () => {
  await put('stays.yaml', manifest('stays', 'app:1'));
  await put('goes.yaml', manifest('goes', 'app:1'));
  const both = await running();
  expect(both).toHaveLength(2);
  node.manifests.put('goes.yaml', undefined);
  await node.restartAgent();
  await cluster.advance(60 * SECOND);
  expect(await running()).toHaveLength(1);
  expect(both).toContain((await running())[0]);
  expect(await find('goes-edge-1')).toBeUndefined();
  expect((await find('stays-edge-1'))?.status?.phase).toBe('Running');
});

it('counts its restarts on when the runtime has forgotten its containers, as after `pinnace down`', async () => {
  await put('proxy.yaml', manifest('proxy', 'app:1'));
  const restarts = async () =>
    (await find('proxy-edge-1'))?.status?.containerStatuses?.[0]?.restartCount;
  expect(await restarts()).toBe(0);
  for (const expected of [1, 2]) {
    await node.crash();
    for (const { id } of await node.runtime.listSandboxes()) await node.runtime.removeSandbox(id);
    await node.start();
    await cluster.advance(5 * SECOND);
    expect(await restarts()).toBe(expected);
  }
});

it('no pod of the API is one by saying so', async () => {
  await cluster.client.resource(Pods).create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: 'default',
      name: 'liar',
      annotations: { 'kubernetes.io/config.source': 'file' },
    },
    spec: { containers: [{ name: 'main', image: 'app:1' }], nodeName: 'edge-1' },
  });
  await cluster.advance(SECOND);
  const liar = await cluster.client.resource(Pods).get({ namespace: 'default', name: 'liar' });
  expect(liar.status?.phase).toBe('Running');
});

describe('the copy of a static pod whose name another pod has', () => {
  const told = async () =>
    (await cluster.client.resource(Events).list({ namespace: 'default' })).items
      .filter(({ reason }) => reason === 'FailedMirrorPod')
      .map(({ involvedObject, message }) => `${involvedObject.name}: ${message}`);
  const taken = (spec: object) =>
    cluster.client.resource(Pods).create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'proxy-edge-1', namespace: 'kube-system' },
      spec: { containers: [{ name: 'other', image: 'app:2' }], ...spec },
    });

  it.each([
    ['that is on no node', { schedulingGates: [{ name: 'later' }] }, 90],
    ['of this node', { nodeName: 'edge-1', terminationGracePeriodSeconds: 1 }, 5],
  ])(
    '%s is told of once, its pod runs, and it comes when that one has gone',
    async (_, spec, soonSeconds) => {
      const other = await taken(spec);
      await put('proxy.yaml', manifest('proxy', 'app:1'));
      await cluster.advance(300 * SECOND);
      expect(await told()).toEqual([
        'edge-1: the static pod kube-system/proxy-edge-1 runs, but the API cannot show it: another pod has its name; delete that one, or give the static pod another name',
      ]);
      expect((await find('proxy-edge-1'))?.metadata.uid).toBe(other.metadata.uid);
      const images = (await node.runtime.listContainers()).map(({ name }) => name);
      expect(images).toContain('main');
      await cluster.client
        .resource(Pods)
        .delete({ namespace: 'kube-system', name: 'proxy-edge-1' });
      await cluster.advance(soonSeconds * SECOND);
      const mirror = await find('proxy-edge-1');
      expect(mirror?.metadata.annotations).toHaveProperty(['kubernetes.io/config.mirror']);
      expect(mirror?.status?.phase).toBe('Running');
    },
  );
});
