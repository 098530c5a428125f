// Resizes on the node: what is granted, what waits and why, what restarts, and what an agent that comes back finds.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Container, Pod } from '../../api/generated/types.ts';
import { systemClock } from '../../base/clock.ts';
import { aContainer as aRuntimeContainer, aSandbox } from '../../test/contracts/runtime.ts';
import { FakeImageStore } from '../runtime/fake/fake-images.ts';
import { FakeRuntime } from '../runtime/fake/fake-runtime.ts';
import { aContainer, anAdmission, aPod } from './fixtures/pod-scenes.ts';
import { refusalOf } from './node-admission.ts';
import { PodResizer } from './pod-resizer.ts';
import { podStateOf } from './pod-state.ts';
import type { WorkerParts } from './worker-parts.ts';

const MIB = 2 ** 20;
const node = {
  allocatable: { cpuMillis: 1000, memoryBytes: 1024 * MIB, storageBytes: 1024 * MIB },
  cpuMillis: 2000,
  memoryBytes: 2048 * MIB,
  storageBytes: 2048 * MIB,
  maxPods: 10,
  podPidsLimit: undefined,
};

let runtime: FakeRuntime;
let sandboxId: string;
let id: string;
let others: Pod[];
let events: string[];
/** How often others were told that there may be room. */
let freed: number;

beforeEach(async () => {
  const images = new FakeImageStore();
  const image = images.add('app:1');
  runtime = new FakeRuntime({ clock: systemClock, images });
  const sandbox = aSandbox('uid-1');
  sandboxId = await runtime.runSandbox(sandbox);
  const config = { name: 'app', imageId: image.id, command: ['run'], logPath: '/log' };
  id = await runtime.createContainer(sandboxId, sandbox, aRuntimeContainer(config));
  await runtime.startContainer(id);
  others = [];
  events = [];
  freed = 0;
});

const newResizer = () =>
  new PodResizer({
    options: { runtime },
    node,
    roomFreed: () => (freed += 1),
    events: { event: (_: Pod, { reason }: { reason: string }) => events.push(reason) },
    admit: (pod: Pod) => refusalOf(pod, { ...anAdmission(node), others }),
  } as unknown as WorkerParts);

/** The pod with one container that asks for so much, and may use twice that. */
function podOf(cpu: number, memory: number, more: Partial<Container> = {}): Pod {
  const resources = {
    requests: { cpu: `${cpu}m`, memory: `${memory}Mi` },
    limits: { cpu: `${2 * cpu}m`, memory: `${2 * memory}Mi` },
  };
  return aPod({ containers: [aContainer('app', { resources, ...more })] });
}

const stateNow = async () =>
  podStateOf('uid-1', await runtime.listSandboxes(), await runtime.listContainers());

/** What came of a pod that asked for `before` first and asks for `after` now. */
async function resized(before: Pod, after: Pod, resizer = newResizer()) {
  resizer.held(before);
  await resizer.resize(await stateNow());
  resizer.held(after);
  const { pod, restart } = await resizer.resize(await stateNow());
  const cpu = pod.spec?.containers[0]?.resources?.requests?.['cpu'];
  return { cpu, restart: restart.map(({ name }) => name), conditions: resizer.conditions };
}

describe('a resize', () => {
  it('changes nothing where nothing is asked for', async () => {
    await resized(podOf(100, 64), podOf(100, 64));
    expect(runtime.resources.size).toBe(0);
    expect(freed).toBe(0);
  });

  it('that is given tells others that there may be room now', async () => {
    await resized(podOf(200, 64), podOf(100, 64));
    expect(freed).toBe(1);
  });

  it('gives the container its new limits, and the pod its own', async () => {
    const outcome = await resized(podOf(100, 64), podOf(200, 32));
    expect(outcome).toEqual({ cpu: '200m', restart: [], conditions: [] });
    expect(runtime.resources.get(id)).toMatchObject({
      cpuShares: 204,
      cpuQuotaUs: 40_000,
      memoryLimitBytes: 64 * MIB,
    });
    expect(runtime.resources.get(sandboxId)).toMatchObject({
      cpuQuotaUs: 40_000,
      memoryLimitBytes: 64 * MIB,
    });
    expect(runtime.calls.get('updateSandboxResources')).toBe(2);
  });

  it('that the node can never hold is infeasible, and told once', async () => {
    const resizer = newResizer();
    const { cpu, conditions } = await resized(podOf(100, 64), podOf(2000, 64), resizer);
    expect(cpu).toBe('100m');
    expect(conditions).toEqual([
      {
        type: 'PodResizePending',
        status: 'True',
        reason: 'Infeasible',
        message: "Node didn't have enough capacity: cpu, requested: 2000, capacity: 1000",
      },
    ]);
    await resizer.resize(await stateNow());
    expect(events).toEqual(['ResizeInfeasible']);
    expect(runtime.resources.size).toBe(0);
  });

  it('that has no room now waits, and is given once there is', async () => {
    others = [podOf(700, 64)];
    const resizer = newResizer();
    const { cpu, conditions } = await resized(podOf(100, 64), podOf(400, 64), resizer);
    expect([cpu, conditions[0]?.reason]).toEqual(['100m', 'Deferred']);
    expect(conditions[0]?.message).toBe(
      "Node didn't have enough resource: cpu, requested: 400, used: 700, capacity: 1000",
    );
    others = [];
    const { pod } = await resizer.resize(await stateNow());
    expect(pod.spec?.containers[0]?.resources?.requests?.['cpu']).toBe('400m');
    expect(resizer.conditions).toEqual([]);
  });

  it('to less is given however full the node is', async () => {
    others = [podOf(1000, 64)];
    expect((await resized(podOf(100, 64), podOf(50, 64))).cpu).toBe('50m');
  });

  it('restarts the container where its policy says so of what changes', async () => {
    const resizePolicy = [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }];
    const of = (cpu: number, memory: number) => podOf(cpu, memory, { resizePolicy });
    expect((await resized(of(100, 64), of(200, 64))).restart).toEqual([]);
    expect((await resized(of(100, 64), of(100, 32))).restart).toEqual(['app']);
  });

  it('gives the pod enough for both sizes while it is under way', async () => {
    runtime.failNext('updateContainerResources', new Error('stopped on the way'));
    await resized(podOf(100, 64), podOf(200, 32));
    expect(runtime.resources.get(sandboxId)).toMatchObject({
      cpuQuotaUs: 40_000,
      memoryLimitBytes: 128 * MIB,
    });
  });

  it('of the pod as a whole gives its group another limit, and leaves its containers as they are', async () => {
    const of = (memory: string): Pod => ({
      ...aPod({ resources: { limits: { memory }, requests: { memory: '1Mi' } } }),
    });
    const resizer = newResizer();
    const memory = 'memory';
    resizer.held(of('128Mi'));
    await resizer.resize(await stateNow());
    expect(resizer.held(of('64Mi')).spec?.resources?.limits?.[memory]).toBe('128Mi');
    const { pod } = await resizer.resize(await stateNow());
    expect(pod.spec?.resources?.limits?.[memory]).toBe('64Mi');
    expect(runtime.resources.get(sandboxId)).toMatchObject({ memoryLimitBytes: 64 * MIB });
    expect(runtime.resources.get(id)).toBeUndefined();
  });

  it('of the pod to less than it uses is told, and not done', async () => {
    const of = (memory: string) => aPod({ resources: { limits: { memory } } });
    const resizer = newResizer();
    resizer.held(of('128Mi'));
    await resizer.resize(await stateNow());
    resizer.held(of('8Mi'));
    const { pod } = await resizer.resize(await stateNow());
    expect(pod.spec?.resources?.limits?.['memory']).toBe('128Mi');
    expect(resizer.conditions).toMatchObject([
      {
        type: 'PodResizeInProgress',
        reason: 'Error',
        message: expect.stringContaining('16777216 are in use') as string,
      },
    ]);
  });

  it('that the runtime refuses is told, and tried again', async () => {
    runtime.failNext('updateContainerResources', new Error('device or resource busy'));
    const resizer = newResizer();
    const { cpu, conditions } = await resized(podOf(100, 64), podOf(200, 64), resizer);
    expect(cpu).toBe('100m');
    expect(conditions).toEqual([
      {
        type: 'PodResizeInProgress',
        status: 'True',
        reason: 'Error',
        message: 'device or resource busy',
      },
    ]);
    await resizer.resize(await stateNow());
    expect(resizer.conditions).toEqual([]);
    expect(events).toEqual(['ResizeError']);
  });

  it('is found again by an agent that was away: the status says what was granted', async () => {
    others = [podOf(700, 64)];
    const asked = podOf(400, 64);
    const granted = podOf(100, 64).spec?.containers[0]?.resources;
    const told = { name: 'app', image: '', imageID: '', ready: true, restartCount: 0 };
    asked.status = { containerStatuses: [{ ...told, resources: granted }] };
    const resizer = newResizer();
    const held = resizer.held(asked);
    expect(held.spec?.containers[0]?.resources).toEqual(granted);
    await resizer.resize(await stateNow());
    expect(resizer.conditions[0]?.reason).toBe('Deferred');
  });
});
