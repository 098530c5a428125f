// Expectations hold a key until its own writes were seen, and no longer than the timeout.
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { EXPECTATION_TIMEOUT_MS, Expectations } from './expectations.ts';

describe('Expectations', () => {
  it('are satisfied where nothing was asked for', () => {
    expect(new Expectations(new VirtualClock()).satisfied('a')).toBe(true);
  });

  it('wait for each creation and each named deletion', () => {
    const expectations = new Expectations(new VirtualClock());
    expectations.expectCreations('a', 2);
    expectations.expectDeletions('a', ['x']);
    expectations.creationObserved('a');
    expectations.creationObserved('a');
    expect(expectations.satisfied('a')).toBe(false);
    expectations.deletionObserved('a', 'another');
    expect(expectations.satisfied('a')).toBe(false);
    expectations.deletionObserved('a', 'x');
    expect(expectations.satisfied('a')).toBe(true);
    expect(expectations.satisfied('b')).toBe(true);
  });

  it('count a deletion that is seen twice once', () => {
    const expectations = new Expectations(new VirtualClock());
    expectations.expectDeletions('a', ['x', 'y']);
    expectations.deletionObserved('a', 'x');
    expectations.deletionObserved('a', 'x');
    expect(expectations.satisfied('a')).toBe(false);
  });

  it('are not made up for by creations that nobody waited for', () => {
    const expectations = new Expectations(new VirtualClock());
    expectations.creationObserved('a');
    expectations.expectCreations('a', 1);
    expect(expectations.satisfied('a')).toBe(false);
  });

  it('let go after the timeout, and count anew afterwards', async () => {
    const clock = new VirtualClock();
    const expectations = new Expectations(clock);
    expectations.expectCreations('a', 5);
    await clock.advance(EXPECTATION_TIMEOUT_MS - 1);
    expect(expectations.waitMs('a')).toBe(1);
    await clock.advance(1);
    expect(expectations.satisfied('a')).toBe(true);
    expectations.expectCreations('a', 1);
    expectations.creationObserved('a');
    expect(expectations.satisfied('a')).toBe(true);
  });
});
