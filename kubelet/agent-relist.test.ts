// What no event told, by the whole agent on the fake runtime against a whole API server, on a clock that the tests move: it is found
// by the next list, and pods of which there is nothing new are left alone meanwhile.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import type { Pod } from '../api/generated/types.ts';
import { Pods } from '../api/kinds.ts';
import { AgentScene, type AgentSceneOptions, statusOf } from '../test/support/agent-scene.ts';
import { until } from '../test/support/until.ts';
import { RELIST_MS } from './options.ts';
import { LISTS_PER_ROUND } from './pods/relist.ts';
import { FakeRuntime } from './runtime/fake/fake-runtime.ts';
import type { ContainerStatus, SandboxStatus } from './runtime/runtime.ts';

const PODS = 12;

/** Tells no event at all, and keeps which pods were looked at by themselves, and when. */
class DeafRuntime extends FakeRuntime {
  readonly looks: { podUid: string; atMs: number }[] = [];

  override subscribe(): void {
    // What happens is told to nobody.
  }

  override listSandboxes(podUid?: string): Promise<readonly SandboxStatus[]> {
    if (podUid !== undefined) this.looks.push({ podUid, atMs: clock.now() });
    return super.listSandboxes(podUid);
  }
}

let clock: VirtualClock;
let runtime: DeafRuntime;
let scene: AgentScene;
beforeEach(async () => {
  clock = new VirtualClock(systemClock.now());
  const runtimeOf: AgentSceneOptions['runtimeOf'] = (options) =>
    (runtime = new DeafRuntime(options));
  scene = await AgentScene.open({ clock, runtimeOf });
  for (let i = 0; i < PODS; i++) await scene.createPod(`p${i}`);
  await untilThen(async () => (await allPods()).every(({ status }) => status?.phase === 'Running'));
});
afterEach(() => scene.close());

const allPods = async (): Promise<Pod[]> =>
  (await scene.client.resource(Pods).list({ namespace: 'default' })).items;
/** Waits with time going on in small steps. */
const untilThen = (condition: () => Promise<boolean>) =>
  until(async () => {
    await clock.advance(10);
    return await condition();
  });
const containerOf = async (pod: Pod) =>
  (await scene.containersOf(pod)).find(({ state }) => state === 'running') as ContainerStatus;

/** Pods that were looked at in that many milliseconds, in order, each as often as it was. */
async function looksDuring(ms: number): Promise<readonly string[]> {
  const before = runtime.looks.length;
  await clock.advance(ms);
  return runtime.looks.slice(before).map(({ podUid }) => podUid);
}

it('a container whose end no event told is found by the next list, and runs again', async () => {
  const pod = (await allPods())[7] as Pod;
  const { id } = await containerOf(pod);
  runtime.crash(id, 3);
  await clock.advance(RELIST_MS);
  await scene.podWhere(pod.metadata.name ?? '', (now) => statusOf(now)?.restartCount === 1);
  expect((await containerOf(pod)).id).not.toBe(id);
});

it('a sandbox that is gone untold is found by the next list as well', async () => {
  const pod = (await allPods())[7] as Pod;
  const [sandbox] = await runtime.listSandboxes(pod.metadata.uid);
  runtime.loseSandbox(sandbox?.id ?? '');
  await clock.advance(RELIST_MS);
  await until(async () => {
    const now = await runtime.listSandboxes(pod.metadata.uid);
    return now.some(({ id, state }) => state === 'ready' && id !== sandbox?.id);
  });
});

it('a pod of which there is nothing new is looked at once a round, and never all at once', async () => {
  const uids = (await allPods()).map(({ metadata }) => metadata.uid ?? '');
  // From the middle of one list to the middle of another, and whatever was under way is over.
  await clock.advance(1.5 * RELIST_MS);
  await looksDuring(RELIST_MS * LISTS_PER_ROUND);
  const ofLists: (readonly string[])[] = [];
  for (let i = 0; i < LISTS_PER_ROUND; i++) ofLists.push(await looksDuring(RELIST_MS));
  expect(ofLists.flat().toSorted()).toEqual(uids.toSorted());
  expect(ofLists.map((looked) => looked.length)).toEqual(
    Array.from({ length: LISTS_PER_ROUND }, () => PODS / LISTS_PER_ROUND),
  );
});

it('only the pod that ended is looked at besides those whose turn it is', async () => {
  const pods = await allPods();
  await clock.advance(1.5 * RELIST_MS);
  const turn = async () => new Set(await looksDuring(RELIST_MS));
  const [first, , third] = [await turn(), await turn(), await turn()];
  // None of its neighbours in the round.
  const pod = pods.find(({ metadata: { uid = '' } }) => first.has(uid)) as Pod;
  runtime.crash((await containerOf(pod)).id, 3);
  const looked = await turn();
  expect(looked).toContain(pod.metadata.uid);
  expect([...looked].filter((uid) => third.has(uid))).toEqual([]);
  expect(looked.size).toBe(PODS / LISTS_PER_ROUND + 1);
});
