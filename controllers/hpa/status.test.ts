// The autoscaler's status, and which of its changes are written.
import { describe, expect, it } from 'vitest';
import type { HorizontalPodAutoscalerV2, MetricStatusV2 } from '../../api/generated/types.ts';
import { resolveAutoscalerOptions } from './options.ts';
import { autoscalerStatus, isWorthWriting } from './status.ts';

const NOW = Date.UTC(2026, 0, 1);
const autoscaler: HorizontalPodAutoscalerV2 = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'a', generation: 2 },
  spec: { maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'd' } },
};
const measured = (averageUtilization: number, averageValue: string): MetricStatusV2[] => [
  { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization, averageValue } } },
];
const outcome = {
  current: 1,
  desired: 2,
  rescaled: true,
  conditions: [{ type: 'AbleToScale', status: 'True', reason: 'SucceededRescale' }],
  metrics: measured(80, '80m'),
  nowMs: NOW,
};

describe('the status', () => {
  it('says sizes, metrics, conditions and when it last scaled', () => {
    expect(autoscalerStatus(autoscaler, outcome)).toMatchObject({
      observedGeneration: 2,
      currentReplicas: 1,
      desiredReplicas: 2,
      lastScaleTime: '2026-01-01T00:00:00Z',
      currentMetrics: outcome.metrics,
      conditions: [{ type: 'AbleToScale', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    });
  });

  it('keeps metrics and the last time of scaling where there is nothing new', () => {
    const status = autoscalerStatus(autoscaler, outcome);
    const after = autoscalerStatus(
      { ...autoscaler, status },
      { ...outcome, rescaled: false, metrics: undefined, nowMs: NOW + 5000 },
    );
    expect(after).toEqual(status);
  });
});

describe('a write', () => {
  const options = resolveAutoscalerOptions();
  const before = autoscalerStatus(autoscaler, outcome);
  const isWorth = (changes: Partial<typeof outcome>, sinceMs: number) => {
    const next = autoscalerStatus(
      { ...autoscaler, status: before },
      { ...outcome, rescaled: false, ...changes },
    );
    return isWorthWriting(before, next, { sinceMs, options });
  };

  it('is made at once for a size or a condition', () => {
    expect(isWorth({ desired: 3 }, 0)).toBe(true);
    const conditions = [{ type: 'AbleToScale', status: 'True', reason: 'ReadyForNewScale' }];
    expect(isWorth({ conditions }, 0)).toBe(true);
  });

  it('is made for figures alone only after a while', () => {
    expect(isWorth({ metrics: measured(90, '90m') }, 1_999)).toBe(false);
    expect(isWorth({ metrics: measured(90, '90m') }, 2_000)).toBe(true);
    expect(isWorth({ metrics: measured(80, '81m') }, 14_999)).toBe(false);
    expect(isWorth({ metrics: measured(80, '81m') }, 15_000)).toBe(true);
  });

  it('is not made where nothing changed', () => {
    expect(isWorth({}, Infinity)).toBe(false);
  });
});
