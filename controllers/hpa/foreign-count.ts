// How many replicas a figure asks for that is no pod's use of a resource: of pods, of one object, of something outside. Pure.
// The algorithm is that of autoscaling/v2 (Kubernetes docs: Horizontal Pod Autoscaling, and its API reference).
import type {
  MetricSpecV2,
  MetricTargetV2,
  MetricValueStatusV2,
  Pod,
} from '../../api/generated/types.ts';
import { isConditionTrue } from '../../api/meta/conditions.ts';
import { labelSelectorText } from '../../api/meta/labels.ts';
import {
  formatQuantity,
  quantityOfMilli,
  toMilli,
  tryParseQuantity,
} from '../../api/meta/quantity.ts';
import type { Evaluation, Measurements } from './evaluate.ts';
import type { ForeignReading } from './foreign-metrics.ts';
import { groupPods } from './pod-usage.ts';
import { ceilCount, countReplicas, within } from './replica-count.ts';

/** A proposal without its name and place, or why there is none. */
type Counted =
  | {
      readonly kind: 'count';
      readonly replicas: number;
      readonly note: string | undefined;
      readonly current: MetricValueStatusV2;
    }
  | { readonly kind: 'failed'; readonly why: string };

/** Evaluates a metric of one of these types by what was read for it. */
export function evaluateForeign(
  metric: MetricSpecV2,
  reading: ForeignReading | undefined,
  facts: Measurements,
): Evaluation {
  const counted = count(metric, reading, facts);
  if (counted.kind === 'failed')
    return {
      kind: 'failed',
      reason: `FailedGet${metric.type}Metric`,
      message: `the HPA was unable to compute the replica count: ${counted.why}`,
    };
  const { replicas, note, current } = counted;
  return { kind: 'proposal', replicas, note, ...shown(metric, current) };
}

function count(
  metric: MetricSpecV2,
  reading: ForeignReading | undefined,
  facts: Measurements,
): Counted {
  const target = (metric.pods ?? metric.object ?? metric.external)?.target;
  if (reading?.kind === 'failed') return reading;
  if (!target || !reading)
    return { kind: 'failed', why: `nothing was measured for ${metric.type}` };
  return reading.kind === 'pods'
    ? countPods(reading.readings, target, facts)
    : countValue(reading.milli, target, facts);
}

function countPods(
  readings: Extract<ForeignReading, { kind: 'pods' }>['readings'],
  target: MetricTargetV2,
  { pods, current, tolerances, nowMs, options }: Measurements,
): Counted {
  const milli = amountOf(target.averageValue);
  if (milli === undefined) return { kind: 'failed', why: 'an average value target must be set' };
  // Readiness is looked at for CPU alone.
  const groups = groupPods(pods, { resource: '', readings, nowMs, options });
  const found = countReplicas({
    current,
    groups,
    readings,
    tolerances,
    target: { kind: 'average', milli },
  });
  if (found.kind === 'failed') return found;
  const { replicas, note, averageMilli } = found;
  return { kind: 'count', replicas, note, current: { averageValue: textOf(averageMilli) } };
}

function countValue(
  milli: number,
  target: MetricTargetV2,
  { pods, current, tolerances }: Measurements,
): Counted {
  const average = amountOf(target.averageValue);
  const whole = amountOf(target.value);
  const made = (replicas: number, value: MetricValueStatusV2): Counted => ({
    kind: 'count',
    replicas,
    note: undefined,
    current: value,
  });
  if (average !== undefined) {
    const each = current === 0 ? milli : Math.ceil(milli / current);
    const stays = current > 0 && within(milli / (average * current), tolerances);
    const replicas = stays ? current : ceilCount(milli / average);
    return made(replicas, { averageValue: textOf(each) });
  }
  if (whole === undefined)
    return { kind: 'failed', why: 'neither a value nor an average value target was set' };
  const ratio = milli / whole;
  const value = { value: textOf(milli) };
  if (current === 0) return made(ceilCount(ratio), value);
  if (within(ratio, tolerances)) return made(current, value);
  if (pods.length === 0)
    return {
      kind: 'failed',
      why: 'no pods returned by selector while calculating replica count',
    };
  return made(ceilCount(ratio * pods.filter(isReady).length), value);
}

const isReady = ({ status }: Pod): boolean =>
  status?.phase === 'Running' && isConditionTrue(status.conditions, 'Ready');

function amountOf(text: string | undefined): number | undefined {
  const amount = text === undefined ? undefined : tryParseQuantity(text);
  return amount && toMilli(amount);
}

const textOf = (milli: number): string => formatQuantity(quantityOfMilli(milli));

function shown(
  { type, pods, object, external }: MetricSpecV2,
  current: MetricValueStatusV2,
): Pick<Extract<Evaluation, { kind: 'proposal' }>, 'name' | 'status'> {
  if (pods) {
    const { metric } = pods;
    return { name: `pods metric ${metric.name}`, status: { type, pods: { metric, current } } };
  }
  if (object) {
    const { metric, describedObject } = object;
    return {
      name: `${describedObject.kind} metric ${metric.name}`,
      status: { type, object: { metric, describedObject, current } },
    };
  }
  const metric = external?.metric ?? { name: '' };
  const labels = labelSelectorText(metric.selector);
  return {
    name: `external metric ${metric.name}(${labels})`,
    status: { type, external: { metric, current } },
  };
}
