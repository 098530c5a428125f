// Tests of the scheduling queue: order, rests, and that only a change that helps wakes a pod.
import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { Pod } from '../../api/generated/types.ts';
import { PodQueue, type QueuedPod } from './pod-queue.ts';

let clock: VirtualClock;
let queue: PodQueue;
let ending: AbortController;
/** Names of the pods that were handed out so far; nothing puts them back. */
let taken: string[];
let last: QueuedPod | undefined;

const pod = (name: string, priority = 0, generation = 1): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, uid: name, generation },
  spec: { containers: [], priority },
});

beforeEach(() => {
  clock = new VirtualClock();
  queue = new PodQueue(clock);
  ending = new AbortController();
  taken = [];
});

/** Hands out pods as the scheduler would, until the returned function is called. */
function read(): () => Promise<void> {
  const reading = (async () => {
    for (let next = await take(); next; next = await take()) {
      last = next;
      taken.push(next.pod.metadata.name ?? '');
    }
  })();
  return async () => {
    ending.abort();
    await reading;
  };
}
const take = () => queue.take(ending.signal);

describe('the queue', () => {
  it('hands out higher priorities first, and within one the oldest', async () => {
    for (const [name, priority] of [
      ['a', 0],
      ['b', 10],
      ['c', 0],
      ['d', 10],
    ] as const)
      queue.put(pod(name, priority));
    const stop = read();
    await clock.advance(0);
    expect(taken).toEqual(['b', 'd', 'a', 'c']);
    await stop();
  });

  it('forgets pods that are gone', async () => {
    queue.put(pod('a'));
    queue.putBack({ pod: pod('b'), attempts: 1 }, 'unschedulable');
    queue.remove('a');
    queue.remove('b');
    const stop = read();
    queue.retry(() => true);
    await clock.advance(10 * 60_000);
    expect(taken).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
    await stop();
  });

  it('lets a pod rest for longer after each error', async () => {
    const stop = read();
    for (const [attempts, ms] of [
      [1, 1_000],
      [2, 2_000],
      [9, 10_000],
    ] as const) {
      taken = [];
      queue.putBack({ pod: pod('a'), attempts }, 'error');
      await clock.advance(ms - 1);
      expect(taken).toEqual([]);
      await clock.advance(1);
      expect(taken).toEqual(['a']);
      expect(last?.attempts).toBe(attempts);
    }
    await stop();
  });
});

describe('an unschedulable pod', () => {
  it('is tried again when a change may give it a place, and no other is', async () => {
    const stop = read();
    for (const name of ['a', 'b']) queue.putBack({ pod: pod(name), attempts: 1 }, 'unschedulable');
    await clock.advance(20_000);
    const asked: string[] = [];
    queue.retry(({ metadata }) => {
      asked.push(metadata.name ?? '');
      return metadata.name === 'b';
    });
    await clock.advance(0);
    expect(asked).toEqual(['a', 'b']);
    expect(taken).toEqual(['b']);
    await stop();
  });

  it('rests a moment after its last try, however many changes there are', async () => {
    const stop = read();
    queue.putBack({ pod: pod('a'), attempts: 1 }, 'unschedulable');
    await clock.advance(100);
    for (let i = 0; i < 5; i += 1) queue.retry(() => true);
    await clock.advance(149);
    expect(taken).toEqual([]);
    await clock.advance(1);
    expect(taken).toEqual(['a']);
    expect(clock.pendingTimers).toBe(0);
    await stop();
  });

  it('is tried again when it is changed itself, but not for its status', async () => {
    const stop = read();
    queue.putBack({ pod: pod('a'), attempts: 1 }, 'unschedulable');
    queue.put(pod('a'));
    await clock.advance(0);
    expect(taken).toEqual([]);
    queue.put(pod('a', 0, 2));
    await clock.advance(0);
    expect(taken).toEqual(['a']);
    expect(last?.pod.metadata.generation).toBe(2);
    await stop();
  });

  it('is tried again after five minutes even if nothing was seen to change', async () => {
    const stop = read();
    queue.putBack({ pod: pod('a'), attempts: 4 }, 'unschedulable');
    await clock.advance(299_999);
    expect(taken).toEqual([]);
    await clock.advance(1);
    expect(taken).toEqual(['a']);
    await stop();
  });
});

it('lets go of every timer when it is closed, and arms none afterwards', () => {
  for (const why of ['unschedulable', 'error'] as const)
    queue.putBack({ pod: pod(why), attempts: 1 }, why);
  expect(clock.pendingTimers).toBe(2);
  queue.close();
  queue.retry(() => true);
  queue.putBack({ pod: pod('late'), attempts: 1 }, 'error');
  expect(clock.pendingTimers).toBe(0);
});
