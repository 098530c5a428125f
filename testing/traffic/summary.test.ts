// A day's figures: sums of its rows, and changes of size that undo each other.
import { describe, expect, it } from 'vitest';
import { summarize } from './summary.ts';
import { nothingYet, type TrafficMinute } from './traffic-day.ts';

const row = (atSeconds: number, more: Partial<TrafficMinute>): TrafficMinute => ({
  ...nothingYet(atSeconds),
  ...more,
});

describe('a summary', () => {
  it('counts a last row that is shorter as what it is', () => {
    const minutes = [
      row(0, { offered: 90, lost: 9, ready: 1, pods: 2, utilization: 50, wanted: 4 }),
      row(60, { offered: 10, lost: 1, ready: 2, pods: 2, utilization: 80, longestSeconds: 3 }),
    ];
    expect(summarize(minutes, [], 90)).toMatchObject({
      requests: 100,
      lost: 10,
      lostPercent: 10,
      longestWaitSeconds: 3,
      podHours: 0.05,
      peakReplicas: 4,
      utilizationPercent: 65,
    });
  });

  it('takes a change for oscillation that turns the one before it soon after', () => {
    const change = (atSeconds: number, from: number, to: number) => ({ atSeconds, from, to });
    const scalings = [change(0, 1, 4), change(60, 4, 6), change(960, 6, 3), change(1861, 3, 5)];
    const { scaleUps, scaleDowns, reversals } = summarize([], scalings, 3600);
    expect({ scaleUps, scaleDowns, reversals }).toEqual({
      scaleUps: 3,
      scaleDowns: 1,
      reversals: 1,
    });
  });
});
