// Counts of replicas from use, with pods that cannot be judged; cases and a property.
import { fc } from '../../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import type { Reading } from './pod-usage.ts';
import type { CountInput } from './replica-count.ts';
import { countReplicas } from './replica-count.ts';

interface Case {
  /** Use of the judged pods, in thousandths. */
  judged: number[];
  unready?: number;
  missing?: number;
  current?: number;
  percent?: number;
}

/** Pods that each ask for 100m. */
function input({ judged, unready = 0, missing = 0, current, percent = 50 }: Case): CountInput {
  const names = (kind: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${kind}${i}`);
  const groups = {
    judged: names('judged', judged.length),
    unready: names('unready', unready),
    missing: names('missing', missing),
  };
  const all = [...groups.judged, ...groups.unready, ...groups.missing];
  const readings = new Map<string, Reading>(
    judged.map((milli, i) => [`judged${i}`, { milli, timestampMs: 0, windowMs: 1000 }]),
  );
  const requests = new Map(all.map((key) => [key, 100]));
  return {
    current: current ?? all.length,
    groups,
    readings,
    tolerances: { up: 0.1, down: 0.1 },
    target: { kind: 'utilization', percent, requests },
  };
}

const replicas = (of: Case) => {
  const count = countReplicas(input(of));
  return count.kind === 'count' ? count.replicas : count.why;
};

describe('the count of replicas', () => {
  it.each<[string, Case, number]>([
    ['grows in proportion', { judged: [100, 100] }, 4],
    ['shrinks in proportion', { judged: [10, 10, 10, 10] }, 1],
    ['rounds up', { judged: [60, 60, 60] }, 4],
    ['stays within 10 % above', { judged: [55, 55, 55] }, 3],
    ['stays within 10 % below', { judged: [45, 45, 45] }, 3],
    ['moves just past 10 %', { judged: [56, 56, 56] }, 4],
    ['falls to nothing where nothing is used', { judged: [0, 0] }, 0],
    ['is not raised by floating point', { judged: [70, 70, 70], percent: 7 }, 30],
    ['stays when pods that are not ready would share the load', { judged: [100], unready: 1 }, 2],
    ['takes pods that are not ready for idle when growing', { judged: [200], unready: 1 }, 4],
    ['does not count pods that are not ready when shrinking', { judged: [10, 10], unready: 2 }, 1],
    ['takes unmeasured pods for idle when growing', { judged: [200, 200], missing: 1 }, 8],
    ['takes unmeasured pods for busy when shrinking', { judged: [5, 5, 5], missing: 1 }, 3],
    ['stays when unmeasured pods would turn the direction', { judged: [20, 20], missing: 2 }, 4],
    ['does not grow because the size is behind', { judged: [10, 10, 10], current: 1 }, 1],
  ])('%s', (_what, of, expected) => {
    expect(replicas(of)).toBe(expected);
  });

  it('cannot be told without a pod to judge by', () => {
    expect(replicas({ judged: [], unready: 2 })).toMatch(/^did not receive metrics/);
  });

  it('says what was measured, doubts apart', () => {
    const count = countReplicas(input({ judged: [101, 100], missing: 1 }));
    expect(count).toMatchObject({ utilization: 100, averageMilli: 100 });
  });

  it('follows an amount per pod as well', () => {
    const target = { kind: 'average' as const, milli: 50 };
    const count = countReplicas({ ...input({ judged: [100, 100] }), target });
    expect(count).toMatchObject({ replicas: 4, utilization: undefined, averageMilli: 100 });
  });

  it('never moves further, nor the other way, for pods that cannot be judged', () => {
    const use = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 8 });
    const few = fc.integer({ min: 0, max: 5 });
    fc.assert(
      fc.property(use, few, few, (judged, unready, missing) => {
        const current = judged.length + unready + missing;
        const sure = judged.reduce((sum, milli) => sum + milli, 0) / (judged.length * 50);
        const count = countReplicas(input({ judged, unready, missing }));
        if (count.kind !== 'count') throw new Error(count.why);
        if (sure > 1) expect(count.replicas).toBeGreaterThanOrEqual(current - unready - missing);
        if (sure <= 1 && missing > 0) expect(count.replicas).toBeLessThanOrEqual(current);
        const whole = countReplicas(input({ judged, current }));
        if (whole.kind !== 'count' || sure <= 1) return;
        // Idle pods beside busy ones never ask for more than the busy ones alone, but for the rounding of one:
        // utilization is in whole percents, as upstream counts it, and those of more pods are cut off at another place.
        expect(count.replicas).toBeLessThanOrEqual(Math.max(current, whole.replicas + 1));
      }),
    );
  });
});
