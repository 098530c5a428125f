// Nodes that run short, in whole clusters on virtual time: conditions, taints, evicted pods and those that are refused.
import { afterEach, expect, it, vi } from 'vitest';
import { Events, Nodes, Pods } from '../../api/kinds.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import type { PodSpec } from '../../api/generated/types.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { KubeletConfiguration } from '../../kubelet/configuration.ts';
import { FakePodNetwork } from '../../kubelet/runtime/fake/fake-network.ts';
import { startCluster, type TestCluster } from '../cluster/start-cluster.ts';
import type { FakeNode } from './fake-node.ts';
import type { LivesOf } from './pod-life.ts';

const MIB = 2 ** 20;
const SECOND = 1000;

let cluster: TestCluster;
let node: FakeNode;
afterEach(() => cluster.close());

async function start(
  configuration: Partial<KubeletConfiguration>,
  lives: LivesOf = {},
): Promise<void> {
  cluster = await startCluster({
    clock: new VirtualClock(),
    nodes: [{ capacity: { memory: '1Gi', cpu: '2' }, configuration }],
    lives,
  });
  node = cluster.nodes[0] as FakeNode;
  await node.registered;
  await cluster.settled();
}

const getPod = (name: string) => cluster.client.resource(Pods).get({ namespace: 'default', name });
const getNode = () => cluster.client.resource(Nodes).get({ name: node.name });

async function createPod(name: string, spec: Partial<PodSpec> = {}): Promise<void> {
  await cluster.client.resource(Pods).create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'default', name },
    spec: { containers: [{ name: 'main', image: 'app:1' }], ...spec },
  });
  await cluster.settled();
}

async function eventsOf(name: string): Promise<string[]> {
  const { items } = await cluster.client.resource(Events).list({ namespace: 'default' });
  return items
    .filter((each) => each.involvedObject.name === name)
    .map(({ type, reason, message }) => `${type} ${reason} ${message}`);
}

it('a node short of memory says so, evicts a pod and takes no more of its kind until it has recovered', async () => {
  await start({
    evictionHard: { 'memory.available': '100Mi' },
    evictionPressureTransitionPeriod: '1m',
  });
  await createPod('web');
  expect((await getNode()).status?.allocatable?.['memory']).toBe('924Mi');
  node.usage.play({ memoryAvailableBytes: 40 * MIB });
  await cluster.advance(10 * SECOND);
  const message =
    'The node was low on resource: memory. Threshold quantity: 100Mi, available: 40Mi. ' +
    'Container main was using 16Mi, request is 0, has larger consumption of memory. ';
  const evicted = (await getPod('web')).status;
  expect(evicted).toMatchObject({ phase: 'Failed', reason: 'Evicted', message });
  expect(findCondition(evicted?.conditions, 'DisruptionTarget')).toMatchObject({
    status: 'True',
    reason: 'TerminationByKubelet',
    message,
  });
  expect(await eventsOf('web')).toContain(`Warning Evicted ${message}`);
  expect(await eventsOf(node.name)).toEqual(
    expect.arrayContaining([
      'Warning EvictionThresholdMet Attempting to reclaim memory',
      `Normal NodeHasInsufficientMemory Node ${node.name} status is now: NodeHasInsufficientMemory`,
    ]),
  );
  const pressed = await getNode();
  expect(findCondition(pressed.status?.conditions, 'MemoryPressure')).toMatchObject({
    status: 'True',
    reason: 'KubeletHasInsufficientMemory',
    message: 'kubelet has insufficient memory available',
  });
  expect(pressed.spec?.taints?.map(({ key, effect }) => `${key}:${effect}`)).toContain(
    'node.kubernetes.io/memory-pressure:NoSchedule',
  );
  await createPod('past-the-scheduler', { nodeName: node.name });
  expect((await getPod('past-the-scheduler')).status).toMatchObject({
    phase: 'Failed',
    reason: 'Evicted',
    message: 'Pod was rejected: The node had condition: [MemoryPressure]. ',
  });
  node.usage.play({});
  await cluster.advance(80 * SECOND);
  const recovered = await getNode();
  expect(findCondition(recovered.status?.conditions, 'MemoryPressure')?.status).toBe('False');
  expect(recovered.spec?.taints ?? []).toEqual([]);
});

it('a pod that fills its volume is evicted for it, whatever else there is', async () => {
  await start({});
  await createPod('full', { volumes: [{ name: 'cache', emptyDir: { sizeLimit: '1Mi' } }] });
  await cluster.advance(30 * SECOND);
  expect((await getPod('full')).status?.phase).toBe('Running');
  node.usage.play({ podDisk: () => ({ volumes: new Map([['cache', 2 * MIB]]) }) });
  await cluster.advance(11 * SECOND);
  expect((await getPod('full')).status).toMatchObject({
    phase: 'Failed',
    reason: 'Evicted',
    message: 'Usage of EmptyDir volume "cache" exceeds the limit "1Mi". ',
  });
});

it('a pod that the cluster lives by ends others that are in its way', async () => {
  await start({});
  const asking = (cpu: string): Partial<PodSpec> => ({
    containers: [{ name: 'main', image: 'app:1', resources: { requests: { cpu } } }],
    nodeName: node.name,
  });
  await createPod('small', asking('500m'));
  await createPod('large', asking('1500m'));
  await createPod('vital', { ...asking('400m'), priorityClassName: 'system-node-critical' });
  await cluster.advance(SECOND);
  expect((await getPod('small')).status).toMatchObject({
    phase: 'Failed',
    reason: 'Preempting',
    message: 'Preempted in order to admit critical pod',
  });
  expect(
    findCondition((await getPod('small')).status?.conditions, 'DisruptionTarget'),
  ).toMatchObject({
    reason: 'TerminationByKubelet',
    message: 'Pod was preempted by Kubelet to accommodate a critical pod.',
  });
  expect((await getPod('large')).status?.phase).toBe('Running');
  expect((await getPod('vital')).status?.phase).toBe('Running');
  await createPod('vast', { ...asking('3'), priorityClassName: 'system-node-critical' });
  expect((await getPod('vast')).status).toMatchObject({
    reason: 'UnexpectedAdmissionError',
    message: expect.stringContaining(
      'preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: [(res: cpu, q:',
    ) as string,
  });
});

it('a node that is about to go ends its pods in order, and takes no more', async () => {
  await start(
    { shutdownGracePeriod: '30s', shutdownGracePeriodCriticalPods: '10s' },
    { app: { stopMs: 5_000 } },
  );
  await createPod('web');
  await createPod('vital', { priorityClassName: 'system-node-critical' });
  const stopped = node.stop();
  await cluster.advance(SECOND);
  expect(findCondition((await getNode()).status?.conditions, 'Ready')).toMatchObject({
    status: 'False',
    reason: 'KubeletNotReady',
    message: 'node is shutting down',
  });
  await createPod('late', { nodeName: node.name });
  expect((await getPod('late')).status).toMatchObject({
    phase: 'Failed',
    reason: 'NodeShutdown',
    message: 'Pod was rejected: Pod was rejected as the node is shutting down.',
  });
  await cluster.advance(5 * SECOND);
  const ended = (await getPod('web')).status;
  expect(ended).toMatchObject({
    phase: 'Failed',
    reason: 'Terminated',
    message: 'Pod was terminated in response to imminent node shutdown.',
  });
  expect(findCondition(ended?.conditions, 'DisruptionTarget')?.reason).toBe('TerminationByKubelet');
  expect((await getPod('vital')).status?.phase).toBe('Running');
  await cluster.advance(6 * SECOND);
  await stopped;
  expect((await getPod('vital')).status?.reason).toBe('Terminated');
});

it('a pod that has to be killed as its node goes is told to be Terminated, too', async () => {
  await start(
    { shutdownGracePeriod: '10s', shutdownGracePeriodCriticalPods: '4s' },
    { app: { stopMs: 600_000 } },
  );
  await createPod('stubborn');
  const stopped = node.stop();
  await cluster.advance(8 * SECOND);
  await stopped;
  expect((await getPod('stubborn')).status).toMatchObject({
    phase: 'Failed',
    reason: 'Terminated',
  });
});

it('a label that the owner gave the node counts for pods that come past the scheduler', async () => {
  await start({});
  const labels = { disk: 'ssd' };
  await cluster.client
    .resource(Nodes)
    .patch({ name: node.name }, { type: 'merge', body: { metadata: { labels } } });
  await cluster.settled();
  await createPod('picky', { nodeName: node.name, nodeSelector: labels });
  await cluster.advance(SECOND);
  expect((await getPod('picky')).status?.phase).toBe('Running');
});

it('a full node takes the pod that follows one whose end is told, though it is still being taken down', async () => {
  await start({ maxPods: 1 });
  await createPod('old', { terminationGracePeriodSeconds: 1 });
  const down = Promise.withResolvers<void>();
  const tearDown = vi.spyOn(FakePodNetwork.prototype, 'tearDown');
  tearDown.mockImplementation(() => down.promise);
  try {
    await cluster.client.resource(Pods).delete({ namespace: 'default', name: 'old' });
    await cluster.advance(5 * SECOND);
    expect((await getPod('old')).status?.phase).toBe('Succeeded');
    await createPod('new');
    expect((await getPod('new')).status).toMatchObject({ phase: 'Running' });
  } finally {
    down.resolve();
    tearDown.mockRestore();
  }
  await cluster.settled();
  await expect(getPod('old')).rejects.toThrow('not found');
});
