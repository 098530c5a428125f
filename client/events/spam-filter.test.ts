// The flood gate of events.
import { describe, expect, it } from 'vitest';
import { MAX_SPAM_BUCKETS, SPAM_LIMIT, SpamFilter } from './spam-filter.ts';

describe('SpamFilter', () => {
  it('admits a burst, then one event per refill, for each object on its own', () => {
    const filter = new SpamFilter();
    for (let i = 0; i < SPAM_LIMIT.burst; i++) expect(filter.admits('a', 0)).toBe(true);
    expect(filter.admits('a', 0)).toBe(false);
    expect(filter.admits('b', 0)).toBe(true);
    expect(filter.admits('a', SPAM_LIMIT.refillMs / 2)).toBe(false);
    expect(filter.admits('a', SPAM_LIMIT.refillMs)).toBe(true);
    expect(filter.admits('a', SPAM_LIMIT.refillMs)).toBe(false);
  });

  it('forgets the bucket longest unused when there are too many', () => {
    const filter = new SpamFilter();
    for (let i = 0; i < SPAM_LIMIT.burst; i++) filter.admits('a', 0);
    for (let i = 0; i < MAX_SPAM_BUCKETS; i++) filter.admits(`other-${i}`, 0);
    expect(filter.admits('a', 0)).toBe(true);
  });
});
