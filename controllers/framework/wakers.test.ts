// From changes to keys: lanes of what is told first and again, and how large resyncs are told.
import { expect, it } from 'vitest';
import { silentLogger } from '../../base/logger.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { Pod } from '../../api/generated/types.ts';
import { Pods } from '../../api/kinds.ts';
import type { InformerHandler } from '../../client/informer/informer.ts';
import type { Lane } from '../../client/workqueue/queue.ts';
import { changedFields, MAX_NAMED } from './changed-fields.ts';
import type { ControllerContext } from './reconciler.ts';
import { source } from './reconciler.ts';
import { RESYNC_TURN, subscribe } from './wakers.ts';

const pod = (i: number): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `p-${i}`, namespace: 'default' },
});

/** An informer of so many pods that the test speaks for, and what its source wakes. */
function aSource(pods: readonly Pod[], resyncMs?: number) {
  const clock = new VirtualClock();
  const woken: (readonly [string, Lane])[] = [];
  let handler: InformerHandler<Pod> = {};
  const informer = {
    hasSynced: false,
    list: () => pods,
    subscribe(given: InformerHandler<Pod>) {
      handler = given;
      for (const each of pods) void given.onAdd?.(each);
      return () => undefined;
    },
  };
  const leave = subscribe(
    source({ ref: Pods, resyncMs }),
    {
      queue: { add: (key, lane) => woken.push([key, lane ?? 'change']) > 0 },
      logger: silentLogger,
      unread: () => undefined,
    },
    {
      clock,
      random: seededRandom(1),
      informers: { informer: () => informer },
    } as unknown as ControllerContext,
  );
  return { clock, woken, informer, leave, handler: () => handler };
}

it('what is there and what a first list brings comes in the background, what follows as a change', () => {
  const { woken, informer, handler } = aSource([pod(1)]);
  void handler().onAdd?.(pod(2));
  informer.hasSynced = true;
  void handler().onAdd?.(pod(3));
  const same = pod(4);
  void handler().onUpdate?.(same, same);
  void handler().onUpdate?.(pod(5), pod(5));
  expect(woken.map(([, lane]) => lane)).toEqual([
    'background',
    'background',
    'change',
    'background',
    'change',
  ]);
});

it('a large resync lets others in between, and is over when its source is left', async () => {
  const pods = Array.from({ length: 2 * RESYNC_TURN + 1 }, (_, i) => pod(i));
  const { clock, woken, leave } = aSource(pods, 10_000);
  woken.length = 0;
  const passed = clock.advance(11_000);
  while (woken.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const atFirst = woken.length;
  await passed;
  expect(atFirst).toBeLessThanOrEqual(2 * RESYNC_TURN);
  expect(woken).toHaveLength(pods.length);
  leave();
  await clock.advance(100_000);
  expect(woken).toHaveLength(pods.length);
  expect(clock.pendingTimers).toBe(0);
});

it('names so many changed fields at most, and none that follow from the others', () => {
  const labels = { a: '1', b: '1', c: '1', d: '1' };
  const before = { metadata: { resourceVersion: '1', labels }, list: [1, { x: 1 }] };
  const after = { metadata: { resourceVersion: '2', labels: { a: '2' } }, list: [1, { x: 2 }] };
  expect(changedFields(before, after)).toHaveLength(MAX_NAMED);
  expect(changedFields(before, { ...before, list: [1, { x: 2 }] })).toEqual(['list[1].x']);
  expect(changedFields(before, { ...before, list: {} })).toEqual(['list']);
});
