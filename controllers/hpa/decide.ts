// The autoscaler's whole decision as a function: what is measured and remembered in, the size and its reasons out.
// Called by the controller for each sample; simulators call it as often as they like. Pure.
// Invariant: the same input gives the same decision; `desired` is within the autoscaler's bounds, or 0 while switched off.
import type {
  HorizontalPodAutoscalerConditionV2,
  HorizontalPodAutoscalerSpecV2,
  MetricStatusV2,
} from '../../api/generated/types.ts';
import type { Behavior, Reason } from './behavior.ts';
import { behaviorOf, normalize } from './behavior.ts';
import type { Evaluation, Measurements } from './evaluate.ts';
import { evaluateMetric } from './evaluate.ts';
import { EMPTY_HISTORY, type History, withRecommendation } from './history.ts';

/** What a decision rests on. */
export interface DecisionInput extends Omit<Measurements, 'tolerances'> {
  readonly spec: HorizontalPodAutoscalerSpecV2;
  /** What was recommended and done before; undefined at first sight. */
  readonly history: History | undefined;
  /** The moment on the clock that history is kept by; `nowMs` is wall time, as the times of pods and samples are. */
  readonly monotonicMs: number;
  /** Why the target's pods cannot be judged at all; undefined where they can. */
  readonly obstacle?: Obstacle | undefined;
}

/** What keeps an autoscaler from looking at pods: as its condition says it, and as its event does. */
export interface Obstacle {
  readonly condition: Reason;
  readonly event: Reason;
}

/** A condition before its time is set. */
export type DecidedCondition = Omit<HorizontalPodAutoscalerConditionV2, 'lastTransitionTime'>;

/** What is to be done, and why. */
export interface Decision {
  readonly desired: number;
  /** Why the size changes; undefined where it does not. */
  readonly rescaleReason: string | undefined;
  readonly conditions: readonly DecidedCondition[];
  /** Undefined where nothing was measured because nothing depended on it. */
  readonly metrics: readonly MetricStatusV2[] | undefined;
  /** What could not be done, for events. */
  readonly failures: readonly Reason[];
  readonly history: History;
}

/** Decides. */
export function decide(input: DecisionInput): Decision {
  const { spec, current } = input;
  const min = spec.minReplicas ?? 1;
  const first = { atMs: input.monotonicMs, replicas: current };
  const history = input.history ?? initialHistory(first, behaviorOf(spec));
  if (current === 0 && min !== 0)
    return {
      ...nothing(0, history),
      conditions: [
        condition('ScalingActive', 'False', {
          reason: 'ScalingDisabled',
          message: 'scaling is disabled since the replica count of the target is zero',
        }),
      ],
    };
  if (current > spec.maxReplicas)
    return jump(spec.maxReplicas, 'Current number of replicas above Spec.MaxReplicas', history);
  if (current < min) return jump(min, 'Current number of replicas below Spec.MinReplicas', history);
  return follow(input, history);
}

/** Upstream takes the size it finds as its first recommendation, so that a restart does not scale down at once. */
function initialHistory(
  first: { readonly atMs: number; readonly replicas: number },
  { up, down }: Behavior,
): History {
  return withRecommendation(EMPTY_HISTORY, first, Math.max(up.windowMs, down.windowMs));
}

const nothing = (desired: number, history: History): Decision => ({
  desired,
  rescaleReason: undefined,
  conditions: [],
  metrics: undefined,
  failures: [],
  history,
});

/** A size outside the bounds goes to the bound, whatever is measured. */
function jump(desired: number, rescaleReason: string, history: History): Decision {
  return { ...nothing(desired, history), rescaleReason };
}

function follow(input: DecisionInput, history: History): Decision {
  const { spec, current, obstacle } = input;
  if (obstacle !== undefined) return { ...nothing(current, history), ...hindered(obstacle) };
  const behavior = behaviorOf(spec);
  const specs = spec.metrics ?? [];
  const evaluations = specs.map((metric) =>
    evaluateMetric(metric, { ...input, tolerances: tolerancesOf(input, behavior) }),
  );
  const proposals = evaluations.filter((each) => each.kind === 'proposal');
  const failed = evaluations.filter((each) => each.kind === 'failed');
  const metrics = proposals.map(({ status }) => status);
  const best = proposals.reduce<Proposal | undefined>(
    (most, each) => (most && most.replicas >= each.replicas ? most : each),
    undefined,
  );
  const [first] = failed;
  // With a metric missing it is not safe to shrink: it might have asked for more.
  if (!best || (first && best.replicas < current))
    return { ...nothing(current, history), metrics, ...unable(failed, specs.length) };
  const normalized = normalize({
    recommended: best.replicas,
    current,
    min: spec.minReplicas ?? 1,
    max: spec.maxReplicas,
    behavior,
    history,
    nowMs: input.monotonicMs,
  });
  const desired = normalized.replicas;
  return {
    desired,
    rescaleReason: desired === current ? undefined : reasonFor({ best, desired, current }),
    conditions: [
      condition('AbleToScale', 'True', normalized.able),
      condition('ScalingActive', 'True', {
        reason: 'ValidMetricFound',
        message: `the HPA was able to successfully calculate a replica count from ${best.name}${
          best.note === undefined ? '' : `: ${best.note}`
        }`,
      }),
      condition(
        'ScalingLimited',
        normalized.limited.isLimited ? 'True' : 'False',
        normalized.limited,
      ),
    ],
    metrics,
    failures: failed,
    history: normalized.history,
  };
}

type Proposal = Extract<Evaluation, { kind: 'proposal' }>;
type Failed = Extract<Evaluation, { kind: 'failed' }>;

function tolerancesOf({ options }: DecisionInput, { up, down }: Behavior) {
  return {
    up: up.tolerance ?? options.tolerance,
    down: down.tolerance ?? options.tolerance,
  };
}

function reasonFor(at: { best: Proposal; desired: number; current: number }): string {
  return at.desired > at.current ? `${at.best.name} above target` : 'All metrics below target';
}

/** No count could be worked out, or none that is safe to follow. */
function unable(failed: readonly Failed[], all: number): Pick<Decision, 'conditions' | 'failures'> {
  const first: Reason = failed[0] ?? {
    reason: 'InvalidMetricSourceType',
    message: 'the HPA was unable to compute the replica count: it names no metrics',
  };
  const summary = {
    reason: 'FailedComputeMetricsReplicas',
    message: `invalid metrics (${failed.length} invalid out of ${all}), first error is: ${first.message}`,
  };
  return {
    conditions: [condition('ScalingActive', 'False', first)],
    failures: [...failed, summary],
  };
}

function hindered({ condition: why, event }: Obstacle): Pick<Decision, 'conditions' | 'failures'> {
  return {
    conditions: [condition('ScalingActive', 'False', why)],
    failures: [event, { reason: 'FailedComputeMetricsReplicas', message: event.message }],
  };
}

function condition(
  type: 'AbleToScale' | 'ScalingActive' | 'ScalingLimited',
  status: 'True' | 'False',
  { reason, message }: Reason,
): DecidedCondition {
  return { type, status, reason, message };
}
