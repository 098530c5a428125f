// Keys for later: the earliest moment counts, and time is the clock's.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { DelayingQueue } from './delaying.ts';

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
