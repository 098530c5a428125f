// A caller's leaving, as those see it who ask before and after.
import { describe, expect, it } from 'vitest';
import { Departure } from './departure.ts';

describe('Departure', () => {
  it('aborts a signal that was asked for before', () => {
    const departure = new Departure();
    const { signal } = departure;
    expect([signal.aborted, departure.isOver]).toEqual([false, false]);
    departure.leave();
    expect([signal.aborted, departure.isOver]).toEqual([true, true]);
    expect(departure.signal).toBe(signal);
  });

  it('gives an aborted signal to who asks afterwards, with the same reason', () => {
    const departure = new Departure();
    departure.leave();
    departure.leave();
    expect(departure.signal.aborted).toBe(true);
    expect(String(departure.signal.reason)).toBe('Error: the caller is gone');
  });
});
