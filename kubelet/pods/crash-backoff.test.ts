// Tests of when a crashed container runs again.
import { describe, expect, it } from 'vitest';
import { backoffMs, backoffUntil, crashesOf } from './crash-backoff.ts';
import type { ContainerStatus } from '../runtime/runtime.ts';
import { containerHash } from './container-hash.ts';
import { aContainer, aSandbox, ended, NOW, running } from './fixtures/pod-scenes.ts';

const past = (...statuses: ContainerStatus[]) => ({ statuses, sandbox: aSandbox() });
const hash = containerHash(aContainer('app'));

describe('crash back-off', () => {
  it('lets the first restart be at once, then doubles from 10 s up to 5 min', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8].map((crashes) => backoffMs(crashes) / 1000)).toEqual([
      0, 10, 20, 40, 80, 160, 300, 300,
    ]);
  });

  it('counts from the end of the last run', () => {
    const last = ended('app', 1, { crashes: 2, finishedAtMs: NOW - 5000, startedAtMs: NOW - 6000 });
    expect(backoffUntil(past(last), hash)).toBe(NOW + 15_000);
  });

  it('begins anew after ten quiet minutes', () => {
    const long = ended('app', 1, { crashes: 7, startedAtMs: NOW - 600_000 });
    expect(crashesOf(past(long))).toBe(1);
    expect(backoffUntil(past(long), hash)).toBe(0);
  });

  it('does not hold a running container or another specification', () => {
    expect(crashesOf(past(running('app')))).toBe(0);
    expect(crashesOf(past())).toBe(0);
    const last = ended('app', 1, { crashes: 5, startedAtMs: NOW - 1 });
    expect(backoffUntil(past(last), 'another')).toBe(0);
  });

  it('is not for containers that ended with their host or their sandbox', () => {
    const unseen = ended('app', 137, { crashes: 1, endUnseen: true });
    expect([crashesOf(past(unseen)), backoffUntil(past(unseen), hash)]).toEqual([1, 0]);
    const crash = ended('app', 137, { crashes: 1 });
    expect(backoffUntil(past(crash), hash)).toBeGreaterThan(NOW);
    for (const sandbox of [undefined, aSandbox({ state: 'notready' }), aSandbox({ id: 's1' })]) {
      const lost = { statuses: [crash], sandbox };
      expect([crashesOf(lost), backoffUntil(lost, hash)]).toEqual([1, 0]);
    }
  });

  it('is no longer than the node allows, the first wait too', () => {
    expect([2, 3, 4].map((crashes) => backoffMs(crashes, 15_000))).toEqual([
      10_000, 15_000, 15_000,
    ]);
    expect(backoffMs(2, 1_000)).toBe(1_000);
    const statuses = [ended('app', 1, { crashes: 4, startedAtMs: NOW - 1000 })];
    const past = { statuses, sandbox: aSandbox(), maxMs: 2_000 };
    expect(backoffUntil(past, containerHash(aContainer('app')))).toBe(NOW + 2_000);
  });
});
