// Waits of keys that fail: 5 ms, doubling to 1000 s, anew once forgotten.
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { countQueue } from './queue-observer.ts';
import { KEY_BACKOFF, RateLimitedQueue, RETRY_BUCKET } from './rate-limited.ts';

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

  it('lets a storm of failures come again at the pace of the bucket, and fills it up meanwhile', async () => {
    const clock = new VirtualClock();
    const queue = new RateLimitedQueue({ clock });
    const { burst, perSecond } = RETRY_BUCKET;
    const waits = Array.from({ length: burst + 20 }, (_, i) => queue.addRateLimited(`key-${i}`));
    expect(waits.slice(0, burst).every((ms) => ms === KEY_BACKOFF.initialMs)).toBe(true);
    expect(waits.slice(burst, burst + 3)).toEqual([100, 200, 300]);
    await clock.advance((20 * 1000) / perSecond + 1000);
    expect(queue.addRateLimited('later')).toBe(KEY_BACKOFF.initialMs);
  });

  it('makes no key of a storm wait longer than the ceiling, nor one whose retry is free', () => {
    const queue = new RateLimitedQueue({ clock: new VirtualClock() });
    for (let i = 0; i < 12_000; i++) queue.addRateLimited(`key-${i}`);
    expect(queue.addRateLimited('last')).toBe(KEY_BACKOFF.maxMs);
    expect(queue.addRateLimited('conflict', { free: true })).toBe(KEY_BACKOFF.initialMs);
  });
});
