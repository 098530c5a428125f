// How many replicas custom and external figures ask for.
import { describe, expect, it } from 'vitest';
import type { MetricSpecV2, MetricTargetV2, Pod } from '../../api/generated/types.ts';
import { evaluateForeign } from './foreign-count.ts';
import type { ForeignReading } from './foreign-metrics.ts';
import { resolveAutoscalerOptions } from './options.ts';

const pod = (name: string, ready = true): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'n' },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
});
const facts = (current: number, unready = 0) => ({
  current,
  pods: Array.from({ length: current }, (_, i) => pod(`p${i}`, i >= unready)),
  samples: new Map(),
  tolerances: { up: 0.1, down: 0.1 },
  options: resolveAutoscalerOptions(),
  nowMs: 0,
});
const external = (target: Omit<MetricTargetV2, 'type'>): MetricSpecV2 => ({
  type: 'External',
  external: { metric: { name: 'queue' }, target: { type: 'Value', ...target } },
});
const pods: MetricSpecV2 = {
  type: 'Pods',
  pods: { metric: { name: 'rps' }, target: { type: 'AverageValue', averageValue: '10' } },
};
const replicas = (
  metric: MetricSpecV2,
  reading: ForeignReading | undefined,
  at: ReturnType<typeof facts>,
) => {
  const found = evaluateForeign(metric, reading, at);
  return found.kind === 'proposal' ? found.replicas : found.message;
};
const total = (units: number): ForeignReading => ({ kind: 'value', milli: units * 1000 });

describe('a value', () => {
  it.each([
    ['above its target', { current: 2, measured: 250, wanted: 5 }],
    ['below its target', { current: 4, measured: 25, wanted: 1 }],
    ['close enough to its target', { current: 3, measured: 109, wanted: 3 }],
    ['while nothing runs', { current: 0, measured: 250, wanted: 3 }],
  ])('%s', (_what, { current, measured, wanted }) => {
    expect(replicas(external({ value: '100' }), total(measured), facts(current))).toBe(wanted);
  });

  it('counts with the pods that are ready', () => {
    expect(replicas(external({ value: '100' }), total(200), facts(4, 2))).toBe(4);
  });
});

describe('an average value', () => {
  it.each([
    ['is what each replica is to bear', { current: 2, measured: 30, wanted: 6 }],
    ['stays within the tolerance', { current: 3, measured: 16, wanted: 3 }],
    ['while nothing runs', { current: 0, measured: 12, wanted: 3 }],
  ])('%s', (_what, { current, measured, wanted }) => {
    expect(replicas(external({ averageValue: '5' }), total(measured), facts(current))).toBe(wanted);
  });
});

describe('a metric of pods', () => {
  const reading = (...units: number[]): ForeignReading => ({
    kind: 'pods',
    readings: new Map(
      units.map((unit, i) => [`n/p${i}`, { milli: unit * 1000, timestampMs: 0, windowMs: 0 }]),
    ),
  });

  it('is a mean over them', () => {
    expect(replicas(pods, reading(25, 15), facts(2))).toBe(4);
  });

  it('takes pods without a figure for idle when it grows, as upstream', () => {
    expect(replicas(pods, reading(30), facts(2))).toBe(3);
  });
});

describe('what cannot be counted', () => {
  it('says why, with the reason of its type', () => {
    const found = evaluateForeign(pods, { kind: 'failed', why: 'no' }, facts(1));
    expect(found).toEqual({
      kind: 'failed',
      reason: 'FailedGetPodsMetric',
      message: 'the HPA was unable to compute the replica count: no',
    });
    expect(replicas(external({}), total(1), facts(1))).toContain('neither a value nor an average');
    expect(replicas(external({ value: '1' }), undefined, facts(1))).toContain(
      'nothing was measured',
    );
  });
});
