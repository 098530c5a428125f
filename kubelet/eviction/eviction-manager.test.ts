// Evictions on virtual time: figures are played, and what is ended, when, in which order and in which words is looked at.
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Pod, PodSpec } from '../../api/generated/types.ts';
import { silentLogger } from '../../base/logger.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { type KubeletConfiguration, resolveConfiguration } from '../configuration.ts';
import { MemoryUsage } from '../host/memory/memory-usage.ts';
import { aContainer, aPod, running } from '../pods/fixtures/pod-scenes.ts';
import type { Verdict } from '../pods/pod-status.ts';
import { EvictionManager, type NodeReclaim } from './eviction-manager.ts';

const MIB = 2 ** 20;
const SECOND = 1000;

let clock: VirtualClock;
let usage: MemoryUsage;
let pods: Pod[];
/** Bytes of memory by pod. */
let memory: Record<string, number>;
/** Bytes of the writable layer by pod. */
let layers: Record<string, number>;
let ended: { name: string; verdict: Verdict; graceMs: number }[];
let told: string[];
let changes: number;
/** Signals that pods were evicted for. */
let counted: string[];
let reclaim: NodeReclaim;
/** Ends of pods that take their time. */
let going: Map<string, () => void>;
let manager: EvictionManager;
let ending: AbortController;
let done: Promise<void>;

beforeEach(() => {
  clock = new VirtualClock();
  usage = new MemoryUsage({ memoryBytes: 1000 * MIB, storageBytes: 1000 * MIB });
  [pods, ended, told, changes, counted] = [[], [], [], 0, []];
  [memory, layers, reclaim, going] = [{}, {}, {}, new Map()];
});

afterEach(async () => {
  ending.abort(new Error('the test is over'));
  await done;
  expect(clock.pendingTimers).toBe(0);
});

function start(given: Partial<KubeletConfiguration>): void {
  const nameOf = (uid: string) => uid;
  manager = new EvictionManager({
    clock,
    logger: silentLogger,
    configuration: resolveConfiguration({ evictionHard: {}, ...given }),
    figures: {
      usage,
      images: {},
      runtime: {
        stats: async () =>
          pods.map(({ metadata: { uid = '' } }) => ({
            containerId: uid,
            podUid: uid,
            name: 'app',
            timestampMs: 0,
            cpuUsageNs: 0n,
            memoryWorkingSetBytes: memory[uid] ?? 0,
            memoryUsageBytes: memory[uid] ?? 0,
            pids: 1,
          })),
        listContainers: async () =>
          pods.map(({ metadata: { uid = '' } }) => ({
            ...running('app', { podUid: uid, id: uid }),
          })),
        writableLayers: async (ids) => new Map(ids.map((id) => [id, layers[id] ?? 0])),
      },
    },
    reclaim,
    pods: () => pods,
    end: (podUid, verdict, graceMs) => {
      ended.push({ name: nameOf(podUid), verdict, graceMs });
      const gone = () => {
        pods = pods.filter((pod) => pod.metadata.uid !== podUid);
      };
      if (!going.has(podUid)) {
        gone();
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        going.set(podUid, () => {
          gone();
          resolve();
        });
      });
    },
    tell: (about, { reason, message }) =>
      told.push(`${about === 'node' ? 'node' : about.metadata.name} ${reason} ${message}`),
    onChange: () => (changes += 1),
    onEvicted: (signal) => counted.push(signal),
  });
  ending = new AbortController();
  done = manager.run(ending.signal);
}

function add(name: string, request: string | undefined, spec: Partial<PodSpec> = {}): void {
  const resources = request === undefined ? {} : { requests: { memory: request } };
  const pod = aPod({ containers: [aContainer('app', { resources })], ...spec });
  pods.push({ ...pod, metadata: { ...pod.metadata, name, uid: name } });
  manager?.taken(pods.at(-1) as Pod);
}

const free = (mib: number) => usage.play({ memoryAvailableBytes: mib * MIB });
const names = () => ended.map(({ name }) => name);
const HARD = { evictionHard: { 'memory.available': '100Mi' } } as const;

it('leaves pods alone while there is enough', async () => {
  start(HARD);
  add('one', undefined);
  free(100);
  await clock.advance(60 * SECOND);
  expect([names(), manager.pressures, told]).toEqual([[], [], []]);
});

it('ends one pod at a time until there is enough, in the order and words', async () => {
  start(HARD);
  add('modest', '300Mi');
  add('greedy', '100Mi');
  add('greedier', '100Mi');
  add('important', '100Mi', { priority: 10 });
  add('critical', undefined, { priority: 2_000_000_000 });
  memory = {
    modest: 200 * MIB,
    greedy: 150 * MIB,
    greedier: 200 * MIB,
    important: 400 * MIB,
    critical: 900 * MIB,
  };
  free(50);
  await clock.advance(0);
  expect(names()).toEqual(['greedier']);
  expect(counted).toEqual(['memory.available']);
  expect(manager.pressures).toEqual(['MemoryPressure']);
  const message =
    'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. ' +
    'Container app was using 200Mi, request is 100Mi, has larger consumption of memory. ';
  expect(ended[0]).toEqual({
    name: 'greedier',
    verdict: { reason: 'Evicted', message, condition: 'TerminationByKubelet' },
    graceMs: SECOND,
  });
  expect(told).toEqual([
    'node EvictionThresholdMet Attempting to reclaim memory',
    `greedier Evicted ${message}`,
  ]);
  // It has gone at once, and the node is looked at again as soon as that may show.
  await clock.advance(SECOND - 1);
  expect(names()).toEqual(['greedier']);
  await clock.advance(1);
  expect(names()).toEqual(['greedier', 'greedy']);
  await clock.advance(60 * SECOND);
  expect(names()).toEqual(['greedier', 'greedy', 'important', 'modest']);
});

it('waits for the one that goes, but not for ever', async () => {
  start(HARD);
  add('slow', undefined);
  add('next', undefined);
  memory = { slow: 2 * MIB, next: MIB };
  going.set('slow', () => undefined);
  free(50);
  await clock.advance(29 * SECOND);
  expect(names()).toEqual(['slow']);
  pods = pods.filter((pod) => pod.metadata.name !== 'slow');
  await clock.advance(SECOND);
  expect(names()).toEqual(['slow', 'next']);
});

it('keeps a pressure for the transition period after it was last seen', async () => {
  start({ ...HARD, evictionPressureTransitionPeriod: '1m' });
  free(50);
  await clock.advance(0);
  expect([manager.pressures, changes]).toEqual([['MemoryPressure'], 1]);
  free(500);
  await clock.advance(59 * SECOND);
  expect(manager.pressures).toEqual(['MemoryPressure']);
  await clock.advance(11 * SECOND);
  expect([manager.pressures, changes]).toEqual([[], 2]);
});

it('is patient with a soft threshold, and gives pods the grace configured', async () => {
  start({
    evictionSoft: { 'memory.available': '20%' },
    evictionSoftGracePeriod: { 'memory.available': '30s' },
    evictionMaxPodGracePeriod: 7,
  });
  add('one', undefined);
  free(150);
  await clock.advance(20 * SECOND);
  expect([names(), manager.pressures]).toEqual([[], ['MemoryPressure']]);
  // There is enough for a moment: patience begins anew.
  free(300);
  await clock.advance(10 * SECOND);
  free(150);
  await clock.advance(30 * SECOND);
  expect(names()).toEqual([]);
  await clock.advance(10 * SECOND);
  expect(ended).toMatchObject([{ name: 'one', graceMs: 7000 }]);
  expect(ended[0]?.verdict.message).toContain('Threshold quantity: 200Mi, available: 150Mi. ');
});

it('goes on until the minimum is reclaimed', async () => {
  start({ ...HARD, evictionMinimumReclaim: { 'memory.available': '200Mi' } });
  add('first', undefined);
  add('second', undefined);
  memory = { first: 2 * MIB, second: MIB };
  free(90);
  going.set('first', () => undefined);
  await clock.advance(0);
  free(250);
  going.get('first')?.();
  await clock.advance(SECOND);
  expect(names()).toEqual(['first', 'second']);
  free(300);
  add('third', undefined);
  await clock.advance(60 * SECOND);
  expect(names()).toEqual(['first', 'second']);
});

it('gives back images before it ends a pod for want of disk', async () => {
  let reclaimed = 0;
  let after = 500;
  reclaim = {
    deleteUnusedImages: async () => {
      reclaimed += 1;
      usage.play({ disk: { availableBytes: after * MIB } });
    },
  };
  usage.play({ disk: { availableBytes: 50 * MIB } });
  start({ evictionHard: { 'nodefs.available': '10%' } });
  add('writer', undefined);
  layers = { writer: 300 * MIB };
  await clock.advance(0);
  expect([reclaimed, names(), manager.pressures]).toEqual([1, [], ['DiskPressure']]);
  after = 60;
  usage.play({ disk: { availableBytes: 50 * MIB } });
  await clock.advance(10 * SECOND);
  expect(names()).toEqual(['writer']);
  expect(ended[0]?.verdict.message).toBe(
    'The node was low on resource: ephemeral-storage. Threshold quantity: 100Mi, available: 50Mi. ' +
      'Container app was using 300Mi, request is 0, has larger consumption of ephemeral-storage. ',
  );
});

it('looks at inodes and processes as well', async () => {
  usage.play({ disk: { inodesFree: 10 }, processes: { most: 1000, running: 950 } });
  start({ evictionHard: { 'nodefs.inodesFree': '5%', 'pid.available': '100' } });
  add('low', undefined, { priority: -1 });
  add('high', undefined);
  await clock.advance(0);
  expect(manager.pressures).toEqual(['DiskPressure', 'PIDPressure']);
  expect(ended[0]).toMatchObject({ name: 'low' });
  expect(ended[0]?.verdict.message).toBe(
    'The node was low on resource: inodes. Threshold quantity: 50k, available: 10. ',
  );
});

it('ends pods that have written more than they may, and no others', async () => {
  start({});
  const volumes = [{ name: 'cache', emptyDir: { sizeLimit: '10Mi' } }];
  add('full', undefined, { volumes });
  add('frugal', undefined, { volumes });
  const limits = { 'ephemeral-storage': '20Mi' };
  add('writer', undefined, { containers: [aContainer('app', { resources: { limits } })] });
  const podDisk = ({ metadata }: Pod) => ({
    volumes: new Map([['cache', (metadata.name === 'full' ? 11 : 10) * MIB]]),
  });
  usage.play({ podDisk });
  layers = { writer: 21 * MIB };
  await clock.advance(10 * SECOND);
  expect(ended).toEqual([
    {
      name: 'full',
      verdict: {
        reason: 'Evicted',
        message: 'Usage of EmptyDir volume "cache" exceeds the limit "10Mi". ',
      },
      graceMs: SECOND,
    },
    {
      name: 'writer',
      verdict: {
        reason: 'Evicted',
        message: 'Pod ephemeral local storage usage exceeds the total limit of containers 20Mi. ',
      },
      graceMs: SECOND,
    },
  ]);
});

it('counts evictions by the limit, too', async () => {
  start({});
  const limits = { 'ephemeral-storage': '20Mi' };
  add('writer', undefined, { containers: [aContainer('app', { resources: { limits } })] });
  layers = { writer: 21 * MIB };
  await clock.advance(10 * SECOND);
  expect(counted).toEqual(['ephemeralpodfs.limit']);
});

it('names the container that has written too much where the pod as a whole may write more', async () => {
  start({});
  const of = (name: string, limit: string) =>
    aContainer(name, { resources: { limits: { 'ephemeral-storage': limit } } });
  add('pair', undefined, { containers: [of('app', '5Mi'), of('other', '50Mi')] });
  layers = { pair: 6 * MIB };
  await clock.advance(0);
  expect(ended[0]?.verdict.message).toBe(
    'Container app exceeded its local ephemeral storage limit "5Mi". ',
  );
});

it('sleeps while there is nothing that it could do', async () => {
  start({});
  add('one', undefined);
  await clock.advance(60 * SECOND);
  expect(clock.pendingTimers).toBe(0);
});
