// Pods by the whole agent on the fake runtime, against a whole API server: their lives as users see them, from start to deletion.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Pods } from '../api/kinds.ts';
import { findCondition } from '../api/meta/conditions.ts';
import { AgentScene, isReady, statusOf } from '../test/support/agent-scene.ts';
import { until } from '../test/support/until.ts';

let scene: AgentScene;
beforeEach(async () => {
  scene = await AgentScene.open();
});
afterEach(() => scene.close());

describe('a pod', () => {
  it('is started, gets an address and becomes ready, with every field of its status', async () => {
    await scene.createPod('web');
    const pod = await scene.podWhere('web', isReady);
    expect(pod.status).toMatchObject({
      phase: 'Running',
      hostIP: '127.0.0.1',
      podIP: '10.244.0.2',
      podIPs: [{ ip: '10.244.0.2' }],
      qosClass: 'BestEffort',
      containerStatuses: [
        {
          name: 'app',
          image: 'app:1',
          imageID: 'fake:app:1',
          restartCount: 0,
          ready: true,
          started: true,
          lastState: {},
        },
      ],
    });
    expect(pod.status?.startTime).toBeDefined();
    expect(findCondition(pod.status?.conditions, 'Ready')).not.toHaveProperty('reason');
    expect(statusOf(pod)?.containerID).toMatch(/^fake:\/\//);
    expect(pod.status?.conditions?.map((each) => [each.type, each.status])).toEqual(
      expect.arrayContaining([
        ['PodReadyToStartContainers', 'True'],
        ['Initialized', 'True'],
        ['Ready', 'True'],
        ['ContainersReady', 'True'],
        ['PodScheduled', 'True'],
      ]),
    );
    await until(async () => {
      const reasons = await scene.eventReasons();
      return ['Pulled', 'Created', 'Started'].every((reason) => reasons.includes(reason));
    });
  });

  it('is deleted from the API only when nothing of it is left', async () => {
    await scene.createPod('web');
    const { metadata } = await scene.podWhere('web', isReady);
    const stop = scene.runtime.stopContainer.bind(scene.runtime);
    const mayStop = Promise.withResolvers<void>();
    let stopping = false;
    scene.runtime.stopContainer = async (id, graceMs) => {
      stopping = true;
      await mayStop.promise;
      return stop(id, graceMs);
    };
    await scene.client.resource(Pods).delete({ namespace: 'default', name: 'web' });
    await until(() => stopping);
    expect((await scene.getPod('web')).metadata.deletionTimestamp).toBeDefined();
    mayStop.resolve();
    await scene.gone('web');
    await until(async () => (await scene.runtime.listContainers()).length === 0);
    await until(async () => (await scene.runtime.listSandboxes()).length === 0);
    expect(await scene.network.list()).toEqual([]);
    await until(() => readdirSync(join(scene.dataDir, 'logs', 'pods')).length === 0);
    expect(readdirSync(join(scene.dataDir, 'pods'))).not.toContain(metadata.uid);
  });

  it('is killed when its grace period is over, and at once when it is cut to nothing', async () => {
    scene.lives.set('app', { stubborn: true });
    await scene.createPod('mule', { terminationGracePeriodSeconds: 600 });
    await scene.podWhere('mule', isReady);
    const pods = scene.client.resource(Pods);
    await pods.delete({ namespace: 'default', name: 'mule' });
    await until(() => scene.runtime.calls.get('stopContainer') === 1);
    await pods.delete({ namespace: 'default', name: 'mule' }, { gracePeriodSeconds: 1 });
    await scene.gone('mule');
  });

  it('runs its init containers one after another before the others', async () => {
    scene.lives.set('first', { exitAfterMs: 20 });
    scene.lives.set('second', { exitAfterMs: 20 });
    await scene.createPod('web', {
      initContainers: [
        { name: 'first', image: 'app:1' },
        { name: 'second', image: 'app:1' },
      ],
    });
    const pod = await scene.podWhere('web', isReady);
    const by = new Map((await scene.containersOf(pod)).map((each) => [each.name, each]));
    const [first, second, app] = ['first', 'second', 'app'].map((name) => by.get(name));
    expect(second?.startedAtMs).toBeGreaterThanOrEqual(first?.finishedAtMs ?? Infinity);
    expect(app?.startedAtMs).toBeGreaterThanOrEqual(second?.finishedAtMs ?? Infinity);
    expect(statusOf(pod, 'first')?.state?.terminated?.reason).toBe('Completed');
    expect(statusOf(pod, 'first')?.ready).toBe(true);
  });

  it('has its sidecar up before it starts, and stopped after it', async () => {
    scene.lives.set('job', { exitAfterMs: 50 });
    await scene.createPod('batch', {
      restartPolicy: 'Never',
      initContainers: [{ name: 'side', image: 'app:1', restartPolicy: 'Always' }],
      containers: [{ name: 'job', image: 'app:1' }],
    });
    const pod = await scene.podWhere('batch', (each) => each.status?.phase === 'Succeeded');
    const by = new Map((await scene.containersOf(pod)).map((each) => [each.name, each]));
    expect(by.get('job')?.startedAtMs).toBeGreaterThanOrEqual(by.get('side')?.startedAtMs ?? 1e99);
    expect(by.get('side')?.finishedAtMs).toBeGreaterThanOrEqual(
      by.get('job')?.finishedAtMs ?? 1e99,
    );
  });

  it('that runs to its end succeeds or fails, and gives its address back', async () => {
    scene.lives.set('good', { exitAfterMs: 10 });
    scene.lives.set('bad', { exitAfterMs: 10, exitCode: 3, message: 'no luck' });
    await scene.createPod('good', {
      restartPolicy: 'Never',
      containers: [{ name: 'good', image: 'app:1' }],
    });
    await scene.createPod('bad', {
      restartPolicy: 'Never',
      containers: [{ name: 'bad', image: 'app:1' }],
    });
    const good = await scene.podWhere('good', (pod) => pod.status?.phase === 'Succeeded');
    expect(findCondition(good.status?.conditions, 'Ready')?.reason).toBe('PodCompleted');
    const bad = await scene.podWhere('bad', (pod) => pod.status?.phase === 'Failed');
    expect(statusOf(bad, 'bad')?.state?.terminated).toMatchObject({
      exitCode: 3,
      reason: 'Error',
      message: 'no luck',
    });
    await until(async () => (await scene.network.list()).length === 0);
    expect(bad.status?.podIP).toMatch(/^10\.244\./);
  });
});
