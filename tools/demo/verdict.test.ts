// The demo's verdict: what passes it, and what each line refuses.
import { describe, expect, it } from 'vitest';
import { judge, type Measured } from './verdict.ts';

const good: Measured = {
  paymentPeakReplicas: 6,
  paymentStartReplicas: 1,
  paymentEndReplicas: 1,
  cpuPeakMillis: 1000,
  smallestShare: 0.9,
  stepToReadyMs: 2_500,
  killedToRunningMs: 300,
  deletedToReplacedMs: 2_200,
  catalogReplicaCounts: [2],
  catalogSmallestShare: 0.97,
  catalogSlowestRate: 77,
  catalogMeanRate: 79,
  catalogFailed: 0,
  paymentPeakRate: 200,
  paymentRateOfOne: 36,
  paymentAnswered: 5_737,
  paymentFailed: 6,
  paymentLostWithKill: 6,
  leftovers: [],
};

const refused = (change: Partial<Measured>): string[] =>
  judge({ ...good, ...change })
    .filter((check) => !check.ok)
    .map((check) => check.name);

describe('the verdict', () => {
  it('passes a story that happened', () => {
    expect(refused({})).toEqual([]);
    expect(judge(good)).toHaveLength(12);
  });

  it.each<[string, Partial<Measured>]>([
    ['payment scales out by measured CPU', { paymentPeakReplicas: 3 }],
    ['payment scales out by measured CPU', { cpuPeakMillis: 0 }],
    ['payment scales in again', { paymentEndReplicas: 2 }],
    ['every ready payment pod serves its share', { smallestShare: 0.4 }],
    ['load step to first new pod Ready', { stepToReadyMs: undefined }],
    ['killed container to running again', { killedToRunningMs: undefined }],
    ['deleted pod replaced by a Ready one', { deletedToReplacedMs: 61_000 }],
    ['catalog keeps its replicas', { catalogReplicaCounts: [2, 3] }],
    ['catalog answers all the time', { catalogSmallestShare: 0.4 }],
    ['catalog answers all the time', { catalogMeanRate: 19 }],
    ['no catalog request fails', { catalogFailed: 1 }],
    ['payment at the peak', { paymentPeakRate: 71 }],
    ['payment at the peak', { paymentPeakRate: 49, paymentRateOfOne: 10 }],
    ['payment at the peak', { paymentPeakRate: 99, paymentRateOfOne: 60 }],
    ['payment at the peak', { paymentPeakRate: 99, paymentRateOfOne: 0 }],
    ['nothing left behind', { leftovers: ['a mount'] }],
  ])('%s: refused for %j', (name, change) => {
    expect(refused(change)).toEqual([name]);
  });

  it('forgives what was lost with the killed container, if that was little, and nothing else', () => {
    expect(refused({ paymentFailed: 8, paymentLostWithKill: 8 })).toEqual([]);
    expect(refused({ paymentFailed: 8, paymentLostWithKill: 2 })).toEqual(['payment failures']);
    expect(refused({ paymentFailed: 60, paymentLostWithKill: 60 })).toEqual(['payment failures']);
  });
});
