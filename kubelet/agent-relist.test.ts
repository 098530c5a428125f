// What no event told, by the whole agent on the fake runtime against a whole API server, on a clock that the tests move: it is found
// by the next list, and pods of which there is nothing new are left alone meanwhile.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { systemRandom } from '../base/random.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import type { Pod } from '../api/generated/types.ts';
import { Pods, ServiceAccounts } from '../api/kinds.ts';
import { createInformerFactory } from '../client/informer/informer-factory.ts';
import type { Client } from '../client/rest/client.ts';
import { createClient } from '../client/rest/rest-client.ts';
import { createLinuxSystem } from '../system/linux.ts';
import { anApiServer, type ClientServer } from '../test/support/client-server.ts';
import { until } from '../test/support/until.ts';
import { createLinuxHost } from './host/linux-host.ts';
import { createNodeAgent } from './agent.ts';
import { RELIST_MS } from './options.ts';
import { LISTS_PER_ROUND } from './pods/relist.ts';
import { FakeImageStore } from './runtime/fake/fake-images.ts';
import { FakePodNetwork } from './runtime/fake/fake-network.ts';
import { FakeRuntime } from './runtime/fake/fake-runtime.ts';
import type { ContainerStatus, SandboxStatus } from './runtime/runtime.ts';

const NODE = 'node-1';
const namespace = 'default';
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

let cluster: ClientServer;
let client: Client;
let dataDir: string;
let clock: VirtualClock;
let runtime: DeafRuntime;
let stop: () => Promise<void>;
beforeEach(async () => {
  cluster = await anApiServer();
  client = createClient(cluster.transport);
  dataDir = mkdtempSync(join(tmpdir(), 'pinnace-agent-'));
  clock = new VirtualClock(systemClock.now());
  const images = new FakeImageStore();
  images.add('app:1');
  runtime = new DeafRuntime({ clock, images });
  const doors = { clock, random: systemRandom, logger: silentLogger };
  const informers = createInformerFactory({ ...doors, clock: systemClock, client });
  const network = new FakePodNetwork();
  const agent = createNodeAgent({
    ...doors,
    client,
    informers,
    nodeName: NODE,
    nodeIp: '127.0.0.1',
    runtime,
    images,
    network,
    host: createLinuxHost({ ...doors, system: createLinuxSystem(), network, dataDir }),
    clusterDns: '10.96.0.10',
    clusterDomain: 'cluster.local',
    podCidr: '10.244.0.0/24',
  });
  const ending = new AbortController();
  informers.start(ending.signal);
  await agent.start(ending.signal);
  stop = async () => {
    ending.abort(new Error('the test is over'));
    await agent.done;
    await informers.finished();
  };
  await client.resource(ServiceAccounts).create({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { namespace, name: 'default' },
    automountServiceAccountToken: false,
  });
  for (let i = 0; i < PODS; i++) await createPod(`p${i}`);
  await untilThen(async () => (await allPods()).every(({ status }) => status?.phase === 'Running'));
});
afterEach(async () => {
  await stop();
  await cluster.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const createPod = (name: string) =>
  client.resource(Pods).create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name },
    spec: { nodeName: NODE, containers: [{ name: 'app', image: 'app:1' }] },
  });
const allPods = async (): Promise<Pod[]> => (await client.resource(Pods).list({ namespace })).items;
/** Waits with time going on in small steps. */
const untilThen = (condition: () => Promise<boolean>) =>
  until(async () => {
    await clock.advance(10);
    return await condition();
  });
const containerOf = async (pod: Pod) =>
  (await runtime.listContainers()).find(
    ({ podUid, state }) => podUid === pod.metadata.uid && state === 'running',
  ) as ContainerStatus;

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
  const restarts = async () => {
    const now = await client.resource(Pods).get({ namespace, name: pod.metadata.name ?? '' });
    return now.status?.containerStatuses?.[0]?.restartCount;
  };
  await until(async () => (await restarts()) === 1);
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
