// The whole agent on the fake runtime, against a whole API server: its node, its own death and that of others, and what it takes in.
import { availableParallelism } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Nodes, Pods } from '../api/kinds.ts';
import { findCondition } from '../api/meta/conditions.ts';
import { AgentScene, isReady, NODE, statusOf } from '../test/support/agent-scene.ts';
import { until } from '../test/support/until.ts';

let scene: AgentScene;
beforeEach(async () => {
  scene = await AgentScene.open();
});
afterEach(() => scene.close());

describe('the agent', () => {
  it('registers its node with what it has', async () => {
    const nodes = scene.client.resource(Nodes);
    await until(async () => {
      const node = await nodes.get({ name: NODE }).catch(() => undefined);
      return findCondition(node?.status?.conditions, 'Ready')?.status === 'True';
    });
    const node = await nodes.get({ name: NODE });
    expect(node.metadata.labels?.['kubernetes.io/hostname']).toBe(NODE);
    expect(node.spec?.podCIDR).toBe('10.244.0.0/24');
    expect(node.status?.capacity).toMatchObject({ pods: '110' });
    expect(node.status?.nodeInfo?.containerRuntimeVersion).toBe('fake://1');
    await scene.told(NODE, [
      'Normal Starting Starting kubelet.',
      `Normal NodeHasSufficientMemory Node ${NODE} status is now: NodeHasSufficientMemory`,
      `Normal NodeReady Node ${NODE} status is now: NodeReady`,
    ]);
  });

  it('finds its containers again after its own death and starts none twice', async () => {
    await scene.createPod('web');
    const before = await scene.podWhere('web', isReady);
    await scene.stop();
    const created = scene.runtime.calls.get('createContainer');
    await scene.start();
    await scene.createPod('second');
    const [second] = await scene.containersOf(await scene.podWhere('second', isReady));
    expect(second?.state).toBe('running');
    expect(scene.runtime.calls.get('createContainer')).toBe((created ?? 0) + 1);
    const after = await scene.getPod('web');
    expect(statusOf(after)).toEqual(statusOf(before));
    expect(after.status?.podIP).toBe(before.status?.podIP);
  });

  it('removes what pods that were deleted meanwhile have left', async () => {
    await scene.createPod('web');
    await scene.podWhere('web', isReady);
    await scene.stop();
    await scene.client
      .resource(Pods)
      .delete({ namespace: 'default', name: 'web' }, { gracePeriodSeconds: 0 });
    expect(await scene.runtime.listContainers()).toHaveLength(1);
    await scene.start();
    await until(async () => (await scene.runtime.listContainers()).length === 0);
    await until(async () => (await scene.runtime.listSandboxes()).length === 0);
    expect(await scene.network.list()).toEqual([]);
  });

  it('restarts containers while the API server is away, and tells afterwards', async () => {
    await scene.createPod('web');
    const [first] = await scene.containersOf(await scene.podWhere('web', isReady));
    scene.transport.down = new Error('connection refused');
    scene.transport.breakWatches(new Error('connection lost'));
    scene.runtime.crash(first?.id ?? '', 1);
    await until(async () => {
      const running = (await scene.runtime.listContainers()).filter(
        (each) => each.state === 'running',
      );
      return running.some((each) => each.attempt === 1);
    });
    scene.transport.down = undefined;
    await scene.podWhere('web', (pod) => isReady(pod) && statusOf(pod)?.restartCount === 1);
  });

  it('that starts while the API server is away looks after the pods it knew', async () => {
    await scene.createPod('web');
    const [first] = await scene.containersOf(await scene.podWhere('web', isReady));
    await scene.stop();
    scene.transport.down = new Error('connection refused');
    await scene.start();
    scene.runtime.crash(first?.id ?? '', 1);
    await until(async () => {
      const running = (await scene.runtime.listContainers()).filter(
        (each) => each.state === 'running',
      );
      return running.some((each) => each.attempt === 1);
    });
    scene.transport.down = undefined;
    await scene.podWhere('web', (pod) => isReady(pod) && statusOf(pod)?.restartCount === 1);
    expect(await scene.runtime.listSandboxes()).toHaveLength(1);
  });

  it('that starts while a pod ends calls it ready as long as it runs', async () => {
    await scene.createPod('web');
    await scene.podWhere('web', isReady);
    scene.runtime.stopContainer = () => new Promise(() => undefined);
    const web = { namespace: 'default', name: 'web' };
    await scene.client.resource(Pods).delete(web, { gracePeriodSeconds: 300 });
    await scene.stop();
    await scene.start();
    // By then it has looked at the other one too.
    await scene.createPod('second');
    await scene.podWhere('second', isReady);
    const pod = await scene.getPod('web');
    expect(pod.metadata.deletionTimestamp).toBeDefined();
    expect(isReady(pod)).toBe(true);
    expect(statusOf(pod)?.ready).toBe(true);
  });

  it('makes a new sandbox when the old one is lost, and keeps counting restarts', async () => {
    await scene.createPod('web');
    await scene.podWhere('web', isReady);
    const [sandbox] = await scene.runtime.listSandboxes();
    scene.runtime.loseSandbox(sandbox?.id ?? '');
    const pod = await scene.podWhere(
      'web',
      (each) => isReady(each) && statusOf(each)?.restartCount === 1,
    );
    expect(
      (await scene.runtime.listSandboxes()).filter((each) => each.state === 'ready'),
    ).toHaveLength(1);
    expect(statusOf(pod)?.lastState?.terminated?.exitCode).toBe(137);
    expect(pod.status?.podIPs).toEqual([{ ip: pod.status?.podIP }]);
  });

  it('tells its node and its pods again when somebody else changed what they say', async () => {
    await scene.createPod('web');
    const { metadata } = await scene.podWhere('web', isReady);
    const untrue = {
      status: { conditions: [{ type: 'Ready', status: 'Unknown', reason: 'Lost' }] },
    };
    const patch = { type: 'strategic', body: untrue } as const;
    const to = { subresource: 'status' } as const;
    const nodes = scene.client.resource(Nodes);
    const lost = await nodes.patch({ name: NODE }, patch, to);
    expect(findCondition(lost.status?.conditions, 'Ready')?.status).toBe('Unknown');
    await until(async () => {
      const ready = findCondition((await nodes.get({ name: NODE })).status?.conditions, 'Ready');
      return ready?.status === 'True' && ready.reason === 'KubeletReady';
    });
    const other = { type: 'example.com/gate', status: 'True' };
    untrue.status.conditions.push({ ...other, reason: 'Other' });
    await scene.client.resource(Pods).patch({ namespace: 'default', name: 'web' }, patch, to);
    const again = await scene.podWhere('web', isReady);
    expect(again.metadata.uid).toBe(metadata.uid);
    expect(findCondition(again.status?.conditions, 'Ready')).not.toHaveProperty('reason');
    expect(findCondition(again.status?.conditions, other.type)?.status).toBe('True');
  });

  it('makes its node again when somebody deleted it', async () => {
    const nodes = scene.client.resource(Nodes);
    const uidOf = async () =>
      (await nodes.get({ name: NODE }).catch(() => undefined))?.metadata.uid;
    await until(async () => (await uidOf()) !== undefined);
    const before = await uidOf();
    await nodes.delete({ name: NODE });
    await until(async () => {
      const now = await uidOf();
      return now !== undefined && now !== before;
    });
  });

  it('refuses a pod that does not fit, for good', async () => {
    const resources = { requests: { memory: '900Ti' } };
    await scene.createPod('big', { containers: [{ name: 'app', image: 'app:1', resources }] });
    const pod = await scene.podWhere('big', (each) => each.status?.phase === 'Failed');
    expect(pod.status?.reason).toBe('OutOfmemory');
    expect(await scene.containersOf(pod)).toEqual([]);
  });

  it('takes a pod in the room of one that was deleted by force, before that one has stopped', async () => {
    const resources = { requests: { cpu: String(availableParallelism()) } };
    const containers = [{ name: 'app', image: 'app:1', resources }];
    await scene.createPod('first', { containers });
    await scene.podWhere('first', isReady);
    scene.runtime.stopContainer = () => new Promise(() => undefined);
    const first = { namespace: 'default', name: 'first' };
    await scene.client.resource(Pods).delete(first, { gracePeriodSeconds: 0 });
    await scene.createPod('second', { containers });
    const second = await scene.podWhere('second', ({ status }) => status?.phase !== 'Pending');
    expect(second.status).toMatchObject({ phase: 'Running' });
  });

  it('lets a critical pod go that waits for others to make room', async () => {
    const resources = { requests: { cpu: String(availableParallelism()) } };
    const containers = [{ name: 'app', image: 'app:1', resources }];
    await scene.createPod('stuck', { containers });
    await scene.podWhere('stuck', isReady);
    scene.runtime.stopContainer = () => new Promise(() => undefined);
    await scene.createPod('vital', { containers, priorityClassName: 'system-node-critical' });
    await until(async () => (await scene.eventReasons()).includes('Preempting'));
    await scene.client.resource(Pods).delete({ namespace: 'default', name: 'vital' });
    await scene.gone('vital');
  });

  it('starts many pods, each once', async () => {
    const names = Array.from({ length: 30 }, (_, i) => `pod-${i}`);
    await Promise.all(names.map((name) => scene.createPod(name)));
    for (const name of names) await scene.podWhere(name, isReady);
    expect(await scene.runtime.listContainers()).toHaveLength(30);
    expect(new Set((await scene.network.list()).map(({ ip }) => ip)).size).toBe(30);
  });
});
