// A critical pod and those that make room for it: how long it waits for them.
import { beforeEach, expect, it } from 'vitest';
import type { Pod, PodSpec } from '../../api/generated/types.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { resolveConfiguration } from '../configuration.ts';
import { aContainer, aPod } from '../pods/fixtures/pod-scenes.ts';
import { PodAdmission } from './pod-admission.ts';

const NODE = {
  allocatable: { cpuMillis: 1000, memoryBytes: 1000, storageBytes: 1000 },
  cpuMillis: 1000,
  memoryBytes: 1000,
  storageBytes: 1000,
  maxPods: 10,
  podPidsLimit: undefined,
};

let clock: VirtualClock;
let leaving: AbortController;
/** Resolves when the pod that makes room has gone. */
let gone: PromiseWithResolvers<void>;
let others: Pod[];

beforeEach(() => {
  clock = new VirtualClock();
  leaving = new AbortController();
  gone = Promise.withResolvers<void>();
});

function of(uid: string, spec: Partial<PodSpec>): Pod {
  const resources = { requests: { cpu: '800m' } };
  const pod = aPod({ containers: [aContainer('app', { resources })], ...spec });
  return { ...pod, metadata: { ...pod.metadata, name: uid, uid } };
}

const CRITICAL = of('critical', { priority: 2_000_000_000 });

/** Makes room on a full node; tells whether that is over. */
function makingRoom(victim: Partial<PodSpec>) {
  others = [of('victim', victim)];
  const options = {
    clock,
    nodeName: 'node-1',
    informers: { informer: () => ({ get: () => undefined }) },
  };
  const end = () => gone.promise.then(() => void (others = []));
  const admission = new PodAdmission(options as never, {
    configuration: resolveConfiguration(),
    node: NODE,
    host: { architecture: 'amd64', hasAppArmor: false } as never,
    events: { event: () => undefined },
    manager: { takingRoom: () => others, end },
    pressures: () => [],
    isShuttingDown: () => false,
  });
  const seen = { over: false, refusal: () => admission.refusal(CRITICAL)?.reason };
  void admission.makeRoom(CRITICAL, leaving.signal).then(() => (seen.over = true));
  return seen;
}

it('waits until they have gone', async () => {
  const seen = makingRoom({});
  await clock.advance(1_000);
  expect(seen.over).toBe(false);
  gone.resolve();
  await clock.advance(0);
  expect(seen.over).toBe(true);
  expect(seen.refusal()).toBeUndefined();
  expect(clock.pendingTimers).toBe(0);
});

it.each([
  [undefined, 45_000],
  [0, 10_000],
  [100, 150_000],
])(
  'is refused when one with a grace of %s s has not gone for half as long again, ten seconds at least',
  async (terminationGracePeriodSeconds, limitMs) => {
    const grace = terminationGracePeriodSeconds;
    const seen = makingRoom(grace === undefined ? {} : { terminationGracePeriodSeconds: grace });
    await clock.advance(limitMs - 1);
    expect(seen.over).toBe(false);
    await clock.advance(1);
    expect(seen.over).toBe(true);
    expect(seen.refusal()).toBe('OutOfcpu');
  },
);

it('waits no longer once the pod is leaving itself', async () => {
  const seen = makingRoom({});
  await clock.advance(1_000);
  leaving.abort();
  await clock.advance(0);
  expect(seen.over).toBe(true);
  expect(clock.pendingTimers).toBe(0);
});
