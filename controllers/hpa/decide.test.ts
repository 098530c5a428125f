// Whole decisions of the autoscaler, and a sale followed second by second.
import { describe, expect, it } from 'vitest';
import type {
  HorizontalPodAutoscalerSpecV2,
  MetricSpecV2,
  Pod,
} from '../../api/generated/types.ts';
import type { PodMetrics } from '../../api/kinds.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { DecisionInput } from './decide.ts';
import { decide } from './decide.ts';
import { withScaleEvent } from './history.ts';
import { resolveAutoscalerOptions } from './options.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
/** The same moment on the clock that histories are kept by. */
const START = 5_000;
const cpu = (averageUtilization: number): MetricSpecV2 => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
});
const requestsPerSecond: MetricSpecV2 = {
  type: 'Pods',
  pods: { metric: { name: 'rps' }, target: { type: 'AverageValue', averageValue: '10' } },
};

const pod = (name: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'n' },
  spec: { containers: [{ name: 'c', resources: { requests: { cpu: '100m', memory: '10Mi' } } }] },
  status: {
    phase: 'Running',
    startTime: formatTime(NOW - 3_600_000),
    conditions: [
      { type: 'Ready', status: 'True', lastTransitionTime: formatTime(NOW - 3_600_000) },
    ],
  },
});
const sample = (name: string, milli: number): PodMetrics => ({
  apiVersion: 'metrics.k8s.io/v1beta1',
  kind: 'PodMetrics',
  metadata: { name, namespace: 'n' },
  timestamp: formatTime(NOW),
  window: '1s',
  containers: [{ name: 'c', usage: { cpu: `${milli}m`, memory: '20Mi' } }],
});

/** Pods that use so many thousandths each, where that is known. */
function input(
  uses: (number | undefined)[],
  spec: Partial<HorizontalPodAutoscalerSpecV2> = {},
  more: Partial<DecisionInput> = {},
): DecisionInput {
  const samples = new Map<string, PodMetrics>();
  for (const [i, use] of uses.entries())
    if (use !== undefined) samples.set(`n/p${i}`, sample(`p${i}`, use));
  return {
    spec: {
      scaleTargetRef: { kind: 'Deployment', name: 'd' },
      minReplicas: 1,
      maxReplicas: 10,
      metrics: [cpu(50)],
      ...spec,
    },
    current: uses.length,
    pods: uses.map((_, i) => pod(`p${i}`)),
    samples,
    history: undefined,
    options: resolveAutoscalerOptions(),
    nowMs: NOW,
    monotonicMs: START,
    ...more,
  };
}
const conditions = (of: DecisionInput) =>
  Object.fromEntries(
    decide(of).conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]),
  );

describe('a decision', () => {
  it('to grow says for which metric', () => {
    const decision = decide(input([100, 100]));
    expect(decision).toMatchObject({
      desired: 4,
      rescaleReason: 'cpu resource utilization (percentage of request) above target',
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', current: { averageUtilization: 100, averageValue: '100m' } },
        },
      ],
    });
    expect(conditions(input([100, 100]))).toEqual({
      AbleToScale: 'True ReadyForNewScale',
      ScalingActive: 'True ValidMetricFound',
      ScalingLimited: 'False DesiredWithinRange',
    });
  });

  it('to shrink waits for the window to pass, and says so', () => {
    const first = decide(input([5, 5, 5, 5]));
    expect(first.desired).toBe(4);
    expect(first.rescaleReason).toBeUndefined();
    expect(conditions(input([5, 5, 5, 5]))['AbleToScale']).toBe('True ScaleDownStabilized');
    const later = { history: first.history, monotonicMs: START + 301_000 };
    expect(decide(input([5, 5, 5, 5], {}, later))).toMatchObject({
      desired: 1,
      rescaleReason: 'All metrics below target',
    });
  });

  it('to stay says why', () => {
    const decision = decide(input([50, 50]));
    expect(decision.rescaleReason).toBeUndefined();
    expect(decision.conditions.find(({ type }) => type === 'ScalingActive')?.message).toBe(
      'the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request): within tolerance of the target',
    );
  });

  it('goes to a bound without measuring', () => {
    expect(decide(input([], { minReplicas: 3 }, { current: 1 }))).toMatchObject({
      desired: 3,
      rescaleReason: 'Current number of replicas below Spec.MinReplicas',
      metrics: undefined,
    });
    expect(decide(input([], {}, { current: 11 }))).toMatchObject({
      desired: 10,
      rescaleReason: 'Current number of replicas above Spec.MaxReplicas',
    });
  });

  it('leaves a target alone that was scaled to nothing', () => {
    const off = input([], {}, { current: 0 });
    expect(decide(off)).toMatchObject({ desired: 0, rescaleReason: undefined });
    expect(conditions(off)).toEqual({ ScalingActive: 'False ScalingDisabled' });
  });

  it('takes the highest of several metrics', () => {
    const memory: MetricSpecV2 = {
      type: 'Resource',
      resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '5Mi' } },
    };
    const decision = decide(input([100, 100], { metrics: [cpu(50), memory] }));
    expect(decision).toMatchObject({ desired: 6, rescaleReason: 'memory resource above target' });
    expect(decision.conditions.find(({ type }) => type === 'ScalingLimited')).toMatchObject({
      status: 'True',
      reason: 'ScaleUpLimit',
    });
  });

  it('grows by the metrics it has where one is missing, but does not shrink', () => {
    const metrics = [cpu(50), requestsPerSecond];
    expect(decide(input([100, 100], { metrics }))).toMatchObject({
      desired: 4,
      failures: [{ reason: 'FailedGetPodsMetric' }],
    });
    const idle = decide(input([1, 1], { metrics }));
    expect(idle.desired).toBe(2);
    expect(idle.failures.map(({ reason }) => reason)).toEqual([
      'FailedGetPodsMetric',
      'FailedComputeMetricsReplicas',
    ]);
    expect(idle.failures[1]?.message).toMatch(/^invalid metrics \(1 invalid out of 2\), first/);
    expect(conditions(input([1, 1], { metrics }))).toEqual({
      ScalingActive: 'False FailedGetPodsMetric',
    });
  });

  it.each<[MetricSpecV2['type'], string]>([
    ['Pods', 'FailedGetPodsMetric'],
    ['Object', 'FailedGetObjectMetric'],
    ['External', 'FailedGetExternalMetric'],
    ['Moon', 'InvalidMetricSourceType'],
  ])('on metrics of type %s fails with %s', (type, reason) => {
    const of = input([100], { metrics: [{ type }] });
    expect(decide(of).desired).toBe(1);
    expect(conditions(of)).toEqual({ ScalingActive: `False ${reason}` });
  });

  it('holds a target without a selector to its bounds, and to nothing else', () => {
    const why = { reason: 'InvalidSelector', message: 'none' };
    const obstacle = { condition: why, event: why };
    const of = (current: number) =>
      decide(input([100], { minReplicas: 2, maxReplicas: 5 }, { current, obstacle }));
    expect([1, 3, 9].map((current) => of(current).desired)).toEqual([2, 3, 5]);
    expect(of(3).rescaleReason).toBeUndefined();
  });

  it('says what is missing of a resource metric', () => {
    const message = (of: DecisionInput) => decide(of).failures[0]?.message;
    expect(message(input([undefined]))).toMatch(/no metrics returned from resource metrics API$/);
    expect(message(input([], {}, { current: 1 }))).toMatch(/no pods returned by selector/);
    const gpu: MetricSpecV2 = {
      type: 'ContainerResource',
      containerResource: {
        name: 'cpu',
        container: 'x',
        target: { type: 'Utilization', averageUtilization: 5 },
      },
    };
    expect(decide(input([5], { metrics: [gpu] })).failures[0]?.reason).toBe(
      'FailedGetContainerResourceMetric',
    );
  });

  it('uses the tolerance that behavior states', () => {
    const policies = [{ type: 'Pods', value: 9, periodSeconds: 1 }];
    const behavior = { scaleUp: { tolerance: '0.01', policies } };
    expect(decide(input([54, 54], { behavior })).desired).toBe(3);
    expect(decide(input([54, 54])).desired).toBe(2);
  });

  it('follows the rate that behavior states, from call to call', () => {
    const policies = [{ type: 'Pods', value: 2, periodSeconds: 10 }];
    const behavior = { scaleUp: { policies } };
    const first = decide(input([500], { behavior }));
    expect(first.desired).toBe(3);
    const history = withScaleEvent(first.history, START, { from: 1, to: 3 });
    const soon = { history, monotonicMs: START + 5_000 };
    expect(decide(input([500, 500, 500], { behavior }, soon)).desired).toBe(3);
    const later = { history, monotonicMs: START + 11_000 };
    expect(decide(input([500, 500, 500], { behavior }, later)).desired).toBe(5);
  });

  it('does not mind that the wall clock is set', () => {
    const first = decide(input([5, 5, 5, 5]));
    for (const stepMs of [-3_600_000, 3_600_000]) {
      const held = { history: first.history, nowMs: NOW + stepMs, monotonicMs: START + 299_000 };
      expect(decide(input([5, 5, 5, 5], {}, held)).desired).toBe(4);
      const free = { ...held, monotonicMs: START + 301_000 };
      expect(decide(input([5, 5, 5, 5], {}, free)).desired).toBe(1);
    }
  });

  it('is the same for the same input', () => {
    expect(decide(input([120, 80, undefined]))).toEqual(decide(input([120, 80, undefined])));
  });
});

describe('a sale, second by second', () => {
  it('is followed up within its rate and down after its window, without flapping', () => {
    const policies = [{ type: 'Percent', value: 100, periodSeconds: 5 }];
    const behavior = {
      scaleUp: { stabilizationWindowSeconds: 0, policies },
      scaleDown: { stabilizationWindowSeconds: 10, policies },
    };
    let size = 1;
    let history: DecisionInput['history'];
    const sizes: number[] = [];
    for (let second = 0; second < 60; second++) {
      // What all pods together would use, shared evenly; one pod gives 200m at most.
      const load = second < 30 ? 300 : 20;
      const use = Math.min(200, load / size);
      const [nowMs, monotonicMs] = [NOW + second * 1000, START + second * 1000];
      const decision = decide(
        input(
          Array.from({ length: size }, () => use),
          { behavior },
          { history, nowMs, monotonicMs },
        ),
      );
      history = decision.history;
      if (decision.rescaleReason !== undefined)
        history = withScaleEvent(history, monotonicMs, { from: size, to: decision.desired });
      size = decision.desired;
      sizes.push(size);
    }
    expect(sizes.slice(0, 3)).toEqual([2, 2, 2]);
    expect(sizes[29]).toBe(6);
    expect(sizes[35]).toBe(6);
    expect(sizes.at(-1)).toBe(1);
    const turns = sizes.filter((each, i) => i > 1 && each < (sizes[i - 1] ?? 0) && i < 30);
    expect(turns).toEqual([]);
  });
});
