// Containers by the whole agent on the fake runtime, against a whole API server: how they start, fail, change and run again.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Pod } from '../api/generated/types.ts';
import { ConfigMaps, Nodes, Pods } from '../api/kinds.ts';
import { findCondition } from '../api/meta/conditions.ts';
import { parseQuantity, toMilli } from '../api/meta/quantity.ts';
import { systemClock } from '../base/clock.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { AgentScene, isReady, NODE, statusOf, waitingReason } from '../test/support/agent-scene.ts';
import { until } from '../test/support/until.ts';
import { RuntimeError } from './runtime/runtime.ts';

let scene: AgentScene;
afterEach(() => scene.close());

describe('a container', () => {
  beforeEach(async () => {
    scene = await AgentScene.open();
  });

  it('that is killed runs again at once, with its past told', async () => {
    await scene.createPod('web');
    const before = await scene.podWhere('web', isReady);
    const [first] = await scene.containersOf(before);
    scene.runtime.crash(first?.id ?? '', 137, 'OOMKilled');
    const pod = await scene.podWhere(
      'web',
      (each) => isReady(each) && statusOf(each)?.restartCount === 1,
    );
    expect(statusOf(pod)?.lastState?.terminated).toMatchObject({
      exitCode: 137,
      reason: 'OOMKilled',
      containerID: `fake://${first?.id}`,
    });
  });

  it('that keeps crashing waits, and says so', async () => {
    scene.lives.set('app', { exitAfterMs: 5, exitCode: 1 });
    await scene.createPod('crash');
    const pod = await scene.podWhere('crash', (each) => waitingReason(each) === 'CrashLoopBackOff');
    expect(statusOf(pod)).toMatchObject({
      restartCount: 1,
      ready: false,
      state: {
        waiting: {
          message: `back-off 10s restarting failed container=app pod=crash_default(${pod.metadata.uid})`,
        },
      },
      lastState: { terminated: { exitCode: 1 } },
    });
    expect(pod.status?.phase).toBe('Running');
    await until(async () => (await scene.eventReasons()).includes('BackOff'));
  });

  it('whose image must not be pulled says so', async () => {
    const container = { name: 'app', image: 'none:1', imagePullPolicy: 'Never' };
    await scene.createPod('web', { containers: [container] });
    await scene.podWhere('web', (each) => waitingReason(each) === 'ErrImageNeverPull');
  });

  it('whose image has no possible name says what is wrong with it', async () => {
    await scene.createPod('web', { containers: [{ name: 'app', image: 'Shop/CAPS:9' }] });
    const pod = await scene.podWhere('web', (each) => waitingReason(each) === 'InvalidImageName');
    const message =
      'Failed to apply default image tag "Shop/CAPS:9": couldn\'t parse image name "Shop/CAPS:9": ' +
      'invalid reference format: repository name (CAPS) must be lowercase';
    expect(statusOf(pod)?.state?.waiting?.message).toBe(message);
    await scene.told('web', [
      `Warning InspectFailed ${message}`,
      'Warning Failed Error: InvalidImageName',
    ]);
  });

  it('that cannot be created shows why, and is tried again', async () => {
    scene.runtime.failNext('createContainer', new RuntimeError('CreateContainerError', 'no disk'));
    await scene.createPod('web');
    const pod = await scene.podWhere('web', (each) => isReady(each));
    expect(statusOf(pod)?.restartCount).toBe(0);
    await until(async () => (await scene.eventReasons()).includes('Failed'));
  });

  it('whose program cannot be run fails where it is not to be restarted, with upstream’s reason', async () => {
    scene.lives.set('app', { broken: { reason: 'StartError', message: 'exec: "x": not found' } });
    await scene.createPod('web', { restartPolicy: 'Never' });
    const pod = await scene.podWhere('web', ({ status }) => status?.phase === 'Failed');
    expect(statusOf(pod)?.state?.terminated).toMatchObject({
      exitCode: 128,
      reason: 'StartError',
      message: 'exec: "x": not found',
      startedAt: '1970-01-01T00:00:00Z',
      finishedAt: expect.any(String) as string,
    });
    await until(async () => (await scene.eventReasons()).includes('Failed'));
  });

  it('is replaced when its image changes, in the same pod', async () => {
    await scene.createPod('web');
    await scene.podWhere('web', isReady);
    const body = { spec: { containers: [{ name: 'app', image: 'app:2' }] } };
    await scene.client
      .resource(Pods)
      .patch({ namespace: 'default', name: 'web' }, { type: 'strategic', body });
    const pod = await scene.podWhere(
      'web',
      (each) => isReady(each) && statusOf(each)?.imageID === 'fake:app:2',
    );
    expect(statusOf(pod)?.restartCount).toBe(1);
    expect((await scene.containersOf(pod)).filter((each) => each.state === 'running')).toHaveLength(
      1,
    );
  });

  it('is restarted when its liveness probe gives it up, and not ready while readiness fails', async () => {
    let healthy = false;
    scene.lives.set('app', {
      exec: ([verb]) => ({ exitCode: verb === 'ready' || healthy ? 0 : 1 }),
    });
    const livenessProbe = { exec: { command: ['live'] }, periodSeconds: 1, failureThreshold: 1 };
    const readinessProbe = { exec: { command: ['ready'] }, periodSeconds: 1 };
    await scene.createPod('web', {
      containers: [{ name: 'app', image: 'app:1', livenessProbe, readinessProbe }],
    });
    await scene.podWhere('web', (each) => (statusOf(each)?.restartCount ?? 0) >= 1);
    healthy = true;
    await scene.podWhere('web', isReady);
    await until(async () => {
      const reasons = await scene.eventReasons();
      return reasons.includes('Unhealthy') && reasons.includes('Killing');
    });
  });
});

describe('a container that waits, while time stands still,', () => {
  let clock: VirtualClock;
  beforeEach(async () => {
    clock = new VirtualClock(systemClock.now());
    scene = await AgentScene.open({ clock });
  });

  /** Waits with time going on in small steps. */
  const untilThen = (condition: () => Promise<boolean>) =>
    until(async () => {
      await clock.advance(100);
      return await condition();
    });

  it('whose image is missing says which and what to do, and starts once it is loaded', async () => {
    await scene.createPod('web', { containers: [{ name: 'app', image: 'shop/none:1' }] });
    const pod = await scene.podWhere('web', (each) => waitingReason(each) === 'ErrImagePull');
    expect(statusOf(pod)?.state?.waiting?.message).toContain('shop/none:1');
    expect(statusOf(pod)?.state?.waiting?.message).toContain('pinnace image load');
    await untilThen(async () => waitingReason(await scene.getPod('web')) === 'ImagePullBackOff');
    const { message } = statusOf(pod)?.state?.waiting ?? {};
    await scene.told('web', [
      'Normal Pulling Pulling image "shop/none:1"',
      `Warning Failed Failed to pull image "shop/none:1": ${message}`,
      'Warning Failed Error: ErrImagePull',
      'Normal BackOff Back-off pulling image "shop/none:1"',
      'Warning Failed Error: ImagePullBackOff',
    ]);
    scene.images.add('shop/none:1');
    await untilThen(async () => isReady(await scene.getPod('web')));
  });

  it('grows as soon as another one has made room, not at the next look', async () => {
    const sized = (cpu: string) => [
      { name: 'app', image: 'app:1', resources: { requests: { cpu } } },
    ];
    const room = async () => {
      const { items } = await scene.client.resource(Nodes).list();
      return items.find(({ metadata }) => metadata.name === NODE)?.status?.allocatable?.['cpu'];
    };
    await until(async () => (await room()) !== undefined);
    const most = toMilli(parseQuantity((await room()) ?? '0')) - 100;
    await scene.createPod('large', { containers: sized(`${most}m`) });
    await scene.createPod('small', { containers: sized('50m') });
    await scene.podWhere('small', isReady);
    const body = { spec: { containers: sized('300m') } };
    await scene.client
      .resource(Pods)
      .patch(
        { namespace: 'default', name: 'small' },
        { type: 'strategic', body },
        { subresource: 'resize' },
      );
    const deferred = ({ status }: Pod) =>
      findCondition(status?.conditions, 'PodResizePending')?.reason === 'Deferred';
    await scene.podWhere('small', deferred);
    await scene.client
      .resource(Pods)
      .delete({ namespace: 'default', name: 'large' }, { gracePeriodSeconds: 0 });
    // No time goes by, and the next look never comes.
    await scene.podWhere('small', (pod) => statusOf(pod)?.allocatedResources?.['cpu'] === '300m');
  });

  it('waits for its ConfigMap and starts as soon as it is there', async () => {
    const env = [
      { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'colors', key: 'main' } } },
    ];
    await scene.createPod('web', { containers: [{ name: 'app', image: 'app:1', env }] });
    const waiting = await scene.podWhere(
      'web',
      (each) => waitingReason(each) === 'CreateContainerConfigError',
    );
    expect(statusOf(waiting)?.state?.waiting?.message).toBe('configmap "colors" not found');
    await scene.told('web', ['Warning Failed Error: configmap "colors" not found']);
    const failures = (await scene.eventTexts('web')).filter((text) =>
      text.startsWith('Warning Failed'),
    );
    expect(failures).toEqual(['Warning Failed Error: configmap "colors" not found']);
    await scene.client.resource(ConfigMaps).create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'default', name: 'colors' },
      data: { main: 'red' },
    });
    await scene.podWhere('web', isReady);
  });
});
