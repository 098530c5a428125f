// How fast an autoscaler may follow its metrics: stabilization windows, rate policies, bounds. Pure.
// The rules are those of `behavior` in autoscaling/v2 (Kubernetes docs: Horizontal Pod Autoscaling, Configurable scaling behavior).
// Invariant: the result is between the bounds, and never on the other side of the present size than what was recommended.
import type {
  HorizontalPodAutoscalerSpecV2,
  HPAScalingPolicyV2,
  HPAScalingRulesV2,
} from '../../api/generated/types.ts';
import { toNumber, tryParseQuantity } from '../../api/meta/quantity.ts';
import { changeSince, type History, withRecommendation } from './history.ts';

/** Rules with nothing left open. */
export interface Rules {
  readonly windowMs: number;
  readonly selectPolicy: 'Max' | 'Min' | 'Disabled';
  readonly policies: readonly HPAScalingPolicyV2[];
  /** Share; undefined for the autoscaler's own. */
  readonly tolerance: number | undefined;
}

/** How long the highest recent recommendation holds when nothing is said. */
const DEFAULT_DOWN_WINDOW_SECONDS = 300;

const DEFAULT_UP_POLICIES: readonly HPAScalingPolicyV2[] = [
  { type: 'Pods', value: 4, periodSeconds: 15 },
  { type: 'Percent', value: 100, periodSeconds: 15 },
];
const DEFAULT_DOWN_POLICIES: readonly HPAScalingPolicyV2[] = [
  { type: 'Percent', value: 100, periodSeconds: 15 },
];

/** Both ways. */
export interface Behavior {
  readonly up: Rules;
  readonly down: Rules;
}

/** The autoscaler's behavior, with the documented defaults where it states none. */
export function behaviorOf({ behavior }: HorizontalPodAutoscalerSpecV2): Behavior {
  return {
    up: rulesOf(behavior?.scaleUp, 0, DEFAULT_UP_POLICIES),
    down: rulesOf(behavior?.scaleDown, DEFAULT_DOWN_WINDOW_SECONDS, DEFAULT_DOWN_POLICIES),
  };
}

function rulesOf(
  rules: HPAScalingRulesV2 | undefined,
  windowSeconds: number,
  policies: readonly HPAScalingPolicyV2[],
): Rules {
  const { selectPolicy } = rules ?? {};
  const tolerance = rules?.tolerance === undefined ? undefined : toleranceOf(rules.tolerance);
  return {
    windowMs: (rules?.stabilizationWindowSeconds ?? windowSeconds) * 1000,
    selectPolicy: selectPolicy === 'Min' || selectPolicy === 'Disabled' ? selectPolicy : 'Max',
    policies: rules?.policies?.length ? rules.policies : policies,
    tolerance,
  };
}

function toleranceOf(text: string): number | undefined {
  const quantity = tryParseQuantity(text);
  return quantity ? toNumber(quantity) : undefined;
}

/** Where the present size is, and where it may go. */
export interface Normalization {
  readonly recommended: number;
  readonly current: number;
  readonly min: number;
  readonly max: number;
  readonly behavior: Behavior;
  readonly history: History;
  /** On the clock that the history is kept by. */
  readonly nowMs: number;
}

/** A reason with its text. */
export interface Reason {
  readonly reason: string;
  readonly message: string;
}

/** What became of a recommendation. */
export interface Normalized {
  readonly replicas: number;
  /** Was it held back by earlier recommendations, or not? */
  readonly able: Reason;
  /** Was it cut by a bound or a rate? */
  readonly limited: Reason & { readonly isLimited: boolean };
  readonly history: History;
}

/** Stabilizes the recommendation, then limits it. */
export function normalize(input: Normalization): Normalized {
  const stabilized = stabilize(input);
  const able = stabilizedReason(input, stabilized);
  const { replicas, ...reason } = limit(input, stabilized);
  const { up, down } = input.behavior;
  const history = withRecommendation(
    input.history,
    { atMs: input.nowMs, replicas: input.recommended },
    Math.max(up.windowMs, down.windowMs),
  );
  return { replicas, able, limited: { ...reason, isLimited: replicas !== stabilized }, history };
}

/** Up to the lowest, down to the highest of what was recommended within each window. */
function stabilize({ recommended, current, behavior, history, nowMs }: Normalization): number {
  let [lowest, highest] = [recommended, recommended];
  for (const { atMs, least, most } of history.recommendations) {
    if (atMs > nowMs - behavior.up.windowMs) lowest = Math.min(lowest, least);
    if (atMs > nowMs - behavior.down.windowMs) highest = Math.max(highest, most);
  }
  return Math.min(Math.max(current, lowest), highest);
}

function stabilizedReason({ recommended, current }: Normalization, stabilized: number): Reason {
  if (stabilized === recommended)
    return { reason: 'ReadyForNewScale', message: 'recommended size matches current size' };
  return recommended >= current
    ? {
        reason: 'ScaleUpStabilized',
        message:
          'recent recommendations were lower than current one, applying the lowest recent recommendation',
      }
    : {
        reason: 'ScaleDownStabilized',
        message:
          'recent recommendations were higher than current one, applying the highest recent recommendation',
      };
}

function limit(input: Normalization, wanted: number): Reason & { replicas: number } {
  const { current, min, max } = input;
  if (wanted > current) {
    const fastest = Math.max(current, scaleUpLimit(input));
    const most = Math.min(max, fastest);
    if (wanted > most) return { replicas: most, ...(fastest < max ? TOO_FAST_UP : TOO_MANY) };
  } else if (wanted < current) {
    const fastest = Math.min(current, scaleDownLimit(input));
    const least = Math.max(min, fastest);
    if (wanted < least) return { replicas: least, ...(fastest > min ? TOO_FAST_DOWN : TOO_FEW) };
  }
  return {
    replicas: wanted,
    reason: 'DesiredWithinRange',
    message: 'the desired count is within the acceptable range',
  };
}

const TOO_FAST_UP: Reason = {
  reason: 'ScaleUpLimit',
  message: 'the desired replica count is increasing faster than the maximum scale rate',
};
const TOO_MANY: Reason = {
  reason: 'TooManyReplicas',
  message: 'the desired replica count is more than the maximum replica count',
};
const TOO_FAST_DOWN: Reason = {
  reason: 'ScaleDownLimit',
  message: 'the desired replica count is decreasing faster than the maximum scale rate',
};
const TOO_FEW: Reason = {
  reason: 'TooFewReplicas',
  message: 'the desired replica count is less than the minimum replica count',
};

/** What was there when the policy's period began. */
function atPeriodStart(input: Normalization, policy: HPAScalingPolicyV2): number {
  const { current, history, nowMs } = input;
  const sinceMs = nowMs - policy.periodSeconds * 1000;
  return (
    current - changeSince(history.scaleUps, sinceMs) + changeSince(history.scaleDowns, sinceMs)
  );
}

function scaleUpLimit(input: Normalization): number {
  const { selectPolicy, policies } = input.behavior.up;
  if (selectPolicy === 'Disabled') return input.current;
  const limits = policies.map((policy) => {
    const start = atPeriodStart(input, policy);
    return policy.type === 'Pods'
      ? start + policy.value
      : Math.ceil((start * (100 + policy.value)) / 100);
  });
  return selectPolicy === 'Min' ? Math.min(...limits) : Math.max(...limits);
}

function scaleDownLimit(input: Normalization): number {
  const { selectPolicy, policies } = input.behavior.down;
  if (selectPolicy === 'Disabled') return input.current;
  const limits = policies.map((policy) => {
    const start = atPeriodStart(input, policy);
    return policy.type === 'Pods'
      ? start - policy.value
      : Math.trunc((start * (100 - policy.value)) / 100);
  });
  // The policy that allows the largest change is the one that leaves the fewest.
  return selectPolicy === 'Min' ? Math.max(...limits) : Math.min(...limits);
}
