// Waits of keys that fail: 5 ms, doubling to 1000 s, anew once forgotten.
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { countQueue } from './queue-observer.ts';
import { RateLimitedQueue } from './rate-limited.ts';

describe('RateLimitedQueue', () => {
  it('doubles the wait of a key from 5 ms up to 1000 s', () => {
    const queue = new RateLimitedQueue({ clock: new VirtualClock() });
    const waits = Array.from({ length: 20 }, () => queue.addRateLimited('a'));
    expect(waits.slice(0, 5)).toEqual([5, 10, 20, 40, 80]);
    expect(waits.at(-1)).toBe(1_000_000);
    expect(queue.addRateLimited('b')).toBe(5);
  });

  it('starts anew for a key that was forgotten', () => {
    const queue = new RateLimitedQueue({ clock: new VirtualClock() });
    queue.addRateLimited('a');
    queue.addRateLimited('a');
    expect(queue.failures('a')).toBe(2);
    queue.forget('a');
    expect(queue.failures('a')).toBe(0);
    expect(queue.addRateLimited('a')).toBe(5);
  });

  it('counts retries', () => {
    const { counters, observer } = countQueue();
    const queue = new RateLimitedQueue({ clock: new VirtualClock(), observer });
    queue.addRateLimited('a');
    queue.addRateLimited('a');
    expect(counters.retries).toBe(2);
  });
});
