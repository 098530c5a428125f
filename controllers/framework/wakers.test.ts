// From changes to keys: lanes of what is told first and again.
import { expect, it } from 'vitest';
import { silentLogger } from '../../base/logger.ts';
import { seededRandom } from '../../base/random.ts';
import type { Pod } from '../../api/generated/types.ts';
import { Pods } from '../../api/kinds.ts';
import type { InformerHandler } from '../../client/informer/informer.ts';
import type { Lane } from '../../client/workqueue/queue.ts';
import { changedFields, MAX_NAMED } from './changed-fields.ts';
import type { ControllerContext, Source } from './reconciler.ts';
import { source } from './reconciler.ts';
import { subscribe } from './wakers.ts';

const pod = (i: number): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `p-${i}`, namespace: 'default' },
});

/** An informer of so many pods that the test speaks for, and what its source wakes. */
function aSource(pods: readonly Pod[], more: Partial<Source<Pod>> = {}) {
  const woken: (readonly [string, Lane | undefined])[] = [];
  const later: (readonly [string, number, Lane | undefined])[] = [];
  const added = <T>(to: T[], item: T) => to.push(item) > 0;
  let handler: InformerHandler<Pod> = {};
  const informer = {
    hasSynced: false,
    subscribe(given: InformerHandler<Pod>) {
      handler = given;
      for (const each of pods) void given.onAdd?.(each);
      return () => undefined;
    },
  };
  subscribe(
    source({ ref: Pods, ...more }),
    {
      queue: {
        add: (key, lane) => added(woken, [key, lane]),
        addAfter: (key, ms, lane) => added(later, [key, ms, lane]),
      },
      logger: silentLogger,
      unread: () => undefined,
    },
    {
      random: seededRandom(1),
      informers: { informer: () => informer },
    } as unknown as ControllerContext,
  );
  return { woken, later, informer, handler: () => handler };
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

it('what may wait for more of its kind comes later, all else at once', () => {
  const { woken, later, informer, handler } = aSource([], {
    waitMs: (key, _pod, old) => (old && key === 'default/p-1' ? 50 : 0),
  });
  informer.hasSynced = true;
  void handler().onAdd?.(pod(1));
  void handler().onUpdate?.(pod(1), pod(1));
  void handler().onUpdate?.(pod(2), pod(2));
  expect(later).toEqual([['default/p-1', 50, 'change']]);
  expect(woken.map(([key]) => key)).toEqual(['default/p-1', 'default/p-2']);
});

it('names so many changed fields at most, and none that follow from the others', () => {
  const labels = { a: '1', b: '1', c: '1', d: '1' };
  const before = { metadata: { resourceVersion: '1', labels }, list: [1, { x: 1 }] };
  const after = { metadata: { resourceVersion: '2', labels: { a: '2' } }, list: [1, { x: 2 }] };
  expect(changedFields(before, after)).toHaveLength(MAX_NAMED);
  expect(changedFields(before, { ...before, list: [1, { x: 2 }] })).toEqual(['list[1].x']);
  expect(changedFields(before, { ...before, list: {} })).toEqual(['list']);
});
