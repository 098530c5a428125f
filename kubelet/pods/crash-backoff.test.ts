// Tests of when a crashed container runs again.
import { describe, expect, it } from 'vitest';
import { backoffMs, backoffUntil, crashesOf } from './crash-backoff.ts';
import { containerHash } from './container-hash.ts';
import { aContainer, ended, NOW, running } from './fixtures/pod-scenes.ts';

const hash = containerHash(aContainer('app'));

describe('crash back-off', () => {
  it('lets the first restart be at once, then doubles from 10 s up to 5 min', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8].map((crashes) => backoffMs(crashes) / 1000)).toEqual([
      0, 10, 20, 40, 80, 160, 300, 300,
    ]);
  });

  it('counts from the end of the last run', () => {
    const last = ended('app', 1, { crashes: 2, finishedAtMs: NOW - 5000, startedAtMs: NOW - 6000 });
    expect(backoffUntil([last], hash)).toBe(NOW + 15_000);
  });

  it('begins anew after ten quiet minutes', () => {
    const long = ended('app', 1, { crashes: 7, startedAtMs: NOW - 600_000 });
    expect(crashesOf([long])).toBe(1);
    expect(backoffUntil([long], hash)).toBe(0);
  });

  it('does not hold a running container or another specification', () => {
    expect(crashesOf([running('app')])).toBe(0);
    expect(crashesOf([])).toBe(0);
    const last = ended('app', 1, { crashes: 5, startedAtMs: NOW - 1 });
    expect(backoffUntil([last], 'another')).toBe(0);
  });
});
