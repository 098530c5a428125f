// Keys for later: the earliest moment counts, and time is the clock's.
import { fc } from '../../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { DelayingQueue, FULL_QUEUE_RETRY_MS } from './delaying.ts';
import { countQueue } from './queue-observer.ts';

describe('DelayingQueue', () => {
  it('adds a key when its moment has come, not before', async () => {
    const clock = new VirtualClock();
    const queue = new DelayingQueue({ clock });
    queue.addAfter('a', 100);
    await clock.advance(99);
    expect(queue.size).toBe(0);
    await clock.advance(1);
    expect(queue.size).toBe(1);
    expect(queue.delayed).toBe(0);
  });

  it('keeps the earlier of two moments, whichever was asked for first', async () => {
    const clock = new VirtualClock();
    const queue = new DelayingQueue({ clock });
    queue.addAfter('a', 100);
    queue.addAfter('a', 10);
    queue.addAfter('b', 10);
    queue.addAfter('b', 100);
    await clock.advance(10);
    expect([await queue.take(), await queue.take()]).toEqual(['a', 'b']);
    queue.finish('a');
    queue.finish('b');
    await clock.advance(1000);
    expect(queue.size).toBe(0);
  });

  it('adds at once for a delay of nothing, and forgets the later moment', async () => {
    const clock = new VirtualClock();
    const queue = new DelayingQueue({ clock });
    queue.addAfter('a', 50);
    queue.addAfter('a', 0);
    expect([queue.size, queue.delayed]).toEqual([1, 0]);
  });

  it('keeps a key whose moment comes while the queue is full, and adds it once there is room', async () => {
    const clock = new VirtualClock();
    const { counters, observer } = countQueue();
    const queue = new DelayingQueue({ clock, observer, limit: 1 });
    queue.addAfter('later', 10);
    queue.add('first');
    await clock.advance(10);
    expect([queue.size, queue.delayed]).toEqual([1, 1]);
    expect(queue.addAfter('later', 0)).toBe(true);
    expect(await queue.take()).toBe('first');
    await clock.advance(FULL_QUEUE_RETRY_MS);
    expect(await queue.take()).toBe('later');
    expect(counters.refused).toBe(0);
  });

  it('refuses keys beyond its limit, and tells the observer of each', () => {
    const clock = new VirtualClock();
    const { counters, observer } = countQueue();
    const queue = new DelayingQueue({ clock, observer, limit: 2 });
    expect([1, 2, 3].map((key) => queue.addAfter(`later-${key}`, 10))).toEqual([true, true, false]);
    expect(queue.addAfter('later-1', 5)).toBe(true);
    expect([1, 2, 3].map((key) => queue.add(`now-${key}`))).toEqual([true, true, false]);
    expect([queue.delayed, counters.refused]).toEqual([2, 2]);
  });

  it('keeps order and size where moments are moved up again and again', async () => {
    const clock = new VirtualClock();
    const queue = new DelayingQueue({ clock });
    for (let ms = 1000; ms > 0; ms--) for (const key of ['a', 'b']) queue.addAfter(key, ms + 1);
    queue.addAfter('c', 1);
    await clock.advance(2);
    expect([await queue.take(), await queue.take(), await queue.take()]).toEqual(['c', 'a', 'b']);
  });

  it('arms one timer however many keys wait, and none once closed', () => {
    const clock = new VirtualClock();
    const queue = new DelayingQueue({ clock });
    for (let i = 0; i < 1000; i++) queue.addAfter(`key-${i}`, 1000 - i);
    expect(clock.pendingTimers).toBe(1);
    queue.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('hands keys out in order of their moments', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 60 }),
        async (delays) => {
          const clock = new VirtualClock();
          const queue = new DelayingQueue({ clock });
          for (const ms of delays) queue.addAfter(String(ms), ms);
          await clock.advance(500);
          const taken: number[] = [];
          while (queue.size > 0) taken.push(Number(await queue.take()));
          expect(taken).toEqual([...delays].sort((a, b) => a - b));
        },
      ),
      { numRuns: 5 },
    );
  });
});
