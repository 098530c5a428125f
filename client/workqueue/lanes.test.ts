// Two lanes of one queue: changes go first, and what is only looked over again is not starved.
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { BACKGROUND_SHARE, WorkQueue } from './queue.ts';
import { RateLimitedQueue } from './rate-limited.ts';

/** Takes all that is there, in order. */
async function drain(queue: WorkQueue): Promise<string[]> {
  const taken: string[] = [];
  while (queue.size > 0) {
    const key = (await queue.take()) ?? '';
    taken.push(key);
    queue.finish(key);
  }
  return taken;
}

describe('lanes of a work queue', () => {
  it('hand out changes before the background', async () => {
    const queue = new WorkQueue({ clock: new VirtualClock() });
    for (const key of ['old-1', 'old-2']) queue.add(key, 'background');
    queue.add('new');
    expect(await drain(queue)).toEqual(['new', 'old-1', 'old-2']);
  });

  it('give the background one of so many hand-outs, however many changes come', async () => {
    const queue = new WorkQueue({ clock: new VirtualClock() });
    for (const key of ['old-1', 'old-2']) queue.add(key, 'background');
    for (let i = 0; i < 3 * BACKGROUND_SHARE; i++) queue.add(`new-${i}`);
    const order = await drain(queue);
    expect([order.indexOf('old-1'), order.indexOf('old-2')]).toEqual([
      BACKGROUND_SHARE - 1,
      2 * BACKGROUND_SHARE - 1,
    ]);
  });

  it('let a key that waits in the background change over, and never back', async () => {
    const queue = new WorkQueue({ clock: new VirtualClock() });
    for (const key of ['a', 'b']) queue.add(key, 'background');
    queue.add('b');
    queue.add('b', 'background');
    expect(queue.size).toBe(2);
    expect(await drain(queue)).toEqual(['b', 'a']);
  });

  it('keep the better lane of a key that is added while it is worked on', async () => {
    const queue = new WorkQueue({ clock: new VirtualClock() });
    queue.add('a', 'background');
    await queue.take();
    expect(queue.laneOf('a')).toBe('background');
    queue.add('b', 'background');
    queue.add('a', 'background');
    queue.add('a');
    queue.finish('a');
    expect(await drain(queue)).toEqual(['a', 'b']);
  });

  it('keep the better lane and the earlier moment of a key that waits for its time', async () => {
    const clock = new VirtualClock();
    const queue = new RateLimitedQueue({ clock });
    queue.addAfter('a', 50, 'background');
    queue.addAfter('b', 50, 'background');
    queue.addAfter('b', 90, 'change');
    await clock.advance(49);
    expect(queue.size).toBe(0);
    await clock.advance(1);
    expect(await drain(queue)).toEqual(['b', 'a']);
    await clock.advance(100);
    expect([queue.size, queue.delayed]).toEqual([0, 0]);
  });
});
