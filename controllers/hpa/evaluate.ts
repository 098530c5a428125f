// One metric of an autoscaler: what it measures now and how many replicas it asks for. Pure.
// Invariant: a metric that cannot be evaluated says why, with the reason that upstream gives.
import type {
  MetricSpecV2,
  MetricStatusV2,
  MetricTargetV2,
  MetricValueStatusV2,
  Pod,
} from '../../api/generated/types.ts';
import type { PodMetrics } from '../../api/kinds.ts';
import {
  formatQuantity,
  quantityOfMilli,
  toMilli,
  tryParseQuantity,
} from '../../api/meta/quantity.ts';
import { evaluateForeign } from './foreign-count.ts';
import { type ForeignReading, isForeign } from './foreign-metrics.ts';
import type { AutoscalerOptions } from './options.ts';
import type { Figure } from './pod-usage.ts';
import { groupPods, readingsOf, requestsOf } from './pod-usage.ts';
import type { Count, Target, Tolerances } from './replica-count.ts';
import { countReplicas } from './replica-count.ts';

/** What metrics are evaluated against. */
export interface Measurements {
  readonly current: number;
  readonly pods: readonly Pod[];
  /** By pod key. */
  readonly samples: ReadonlyMap<string, PodMetrics>;
  readonly tolerances: Tolerances;
  readonly options: AutoscalerOptions;
  readonly nowMs: number;
  /** What was read for metrics of types Pods, Object and External. */
  readonly foreign?: ReadonlyMap<MetricSpecV2, ForeignReading> | undefined;
}

/** What a metric came to. */
export type Evaluation =
  | {
      readonly kind: 'proposal';
      readonly replicas: number;
      /** What it measures, for messages. */
      readonly name: string;
      readonly note: string | undefined;
      readonly status: MetricStatusV2;
    }
  | { readonly kind: 'failed'; readonly reason: string; readonly message: string };

/** Evaluates one metric. */
export function evaluateMetric(metric: MetricSpecV2, facts: Measurements): Evaluation {
  const { resource, containerResource } = metric;
  if (metric.type === 'Resource' && resource) {
    const figure = { resource: resource.name, container: undefined };
    return evaluate({ figure, target: resource.target, type: 'Resource' }, facts);
  }
  if (metric.type === 'ContainerResource' && containerResource) {
    const { name, container, target } = containerResource;
    return evaluate({ figure: { resource: name, container }, target, type: metric.type }, facts);
  }
  const { type } = metric;
  if (isForeign(metric)) return evaluateForeign(metric, facts.foreign?.get(metric), facts);
  return failed('InvalidMetricSourceType', `unknown metric source type ${JSON.stringify(type)}`);
}

interface Resource {
  readonly figure: Figure;
  readonly target: MetricTargetV2;
  readonly type: 'Resource' | 'ContainerResource';
}

function evaluate(metric: Resource, facts: Measurements): Evaluation {
  const { figure, target, type } = metric;
  const count = countFor(metric, facts);
  if (count.kind === 'failed')
    return failed(
      `FailedGet${type}Metric`,
      `failed to get ${figure.resource} ${target.averageValue === undefined ? 'utilization' : 'usage'}: ${count.why}`,
    );
  const current: MetricValueStatusV2 = {
    averageValue: formatQuantity(quantityOfMilli(count.averageMilli)),
    ...(count.utilization === undefined ? {} : { averageUtilization: count.utilization }),
  };
  const { resource: name, container } = figure;
  return {
    kind: 'proposal',
    replicas: count.replicas,
    name:
      target.averageValue === undefined
        ? `${name} resource utilization (percentage of request)`
        : `${name} resource`,
    note: count.note,
    status:
      container === undefined
        ? { type, resource: { name, current } }
        : { type, containerResource: { name, container, current } },
  };
}

function countFor({ figure, target }: Resource, facts: Measurements): Count {
  const { pods, samples, current, tolerances, nowMs, options } = facts;
  const readings = readingsOf(pods, samples, figure);
  const { resource } = figure;
  const fail = (why: string): Count => ({ kind: 'failed', why });
  if (pods.length === 0)
    return fail('no pods returned by selector while calculating replica count');
  if (readings.size === 0)
    return fail(
      `unable to get metrics for resource ${resource}: no metrics returned from resource metrics API`,
    );
  const groups = groupPods(pods, { resource, readings, nowMs, options });
  let aim: Target;
  if (target.averageValue !== undefined) {
    const amount = tryParseQuantity(target.averageValue);
    if (!amount) return fail(`the target ${JSON.stringify(target.averageValue)} is no quantity`);
    aim = { kind: 'average', milli: toMilli(amount) };
  } else if (target.averageUtilization !== undefined) {
    const requests = requestsOf(pods, figure);
    if (requests.kind === 'unknown') return fail(requests.why);
    aim = { kind: 'utilization', percent: target.averageUtilization, requests: requests.byPod };
  } else {
    return fail(
      'neither an average utilization target nor an average value (usage) target was set',
    );
  }
  return countReplicas({ current, groups, readings, tolerances, target: aim });
}

function failed(reason: string, why: string): Evaluation {
  return {
    kind: 'failed',
    reason,
    message: `the HPA was unable to compute the replica count: ${why}`,
  };
}
