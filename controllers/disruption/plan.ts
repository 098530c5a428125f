// What a disruption budget comes to: how many pods are expected, wanted and healthy, and how many may go. Pure.
// Invariant: a pod that an eviction let go counts as gone from then on, until it is gone or too long has passed.
import type {
  Pod,
  PodDisruptionBudget,
  PodDisruptionBudgetSpec,
  PodDisruptionBudgetStatus,
} from '../../api/generated/types.ts';
import { resolveCountOrPercent } from '../../api/meta/numbers.ts';
import { formatTime, parseTime } from '../../api/meta/time.ts';
import { withDisruptionAllowed, withSyncFailed } from '../../api/policy/disruption-allowed.ts';
import { isPodReady } from '../framework/pod-state.ts';

/** How long an evicted pod may take to be deleted before it counts again, as upstream. */
export const DELETION_TIMEOUT_MS = 2 * 60_000;

/** What a pod belongs to: a workload of so many pods, none, or one whose size nobody can tell. */
export type Workload =
  | { readonly kind: 'sized'; readonly uid: string; readonly replicas: number }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly why: string };

/** A budget and what there is of it. */
export interface Situation {
  readonly budget: PodDisruptionBudget;
  /** The pods that it selects. */
  readonly pods: readonly Pod[];
  workloadOf(pod: Pod): Workload;
  readonly nowMs: number;
}

/** What it comes to. */
export interface Outcome {
  readonly status: PodDisruptionBudgetStatus;
  /** When an eviction runs out, if one is under way. */
  readonly recheckMs: number | undefined;
  /** Pods that were evicted and are still there. */
  readonly notDeleted: readonly Pod[];
  /** Why nothing could be worked out. */
  readonly failure: string | undefined;
}

/** Works out a budget's status. */
export function planBudget(situation: Situation): Outcome {
  const { budget, pods, nowMs } = situation;
  const { metadata, spec = {}, status: old = {} } = budget;
  const expected = expectedPods(spec, situation);
  if (typeof expected === 'string') {
    const conditions = withSyncFailed(old, expected, nowMs);
    const status = { ...old, disruptionsAllowed: 0, conditions };
    return { status, recheckMs: undefined, notDeleted: [], failure: expected };
  }
  const { underWay, recheckMs, notDeleted } = disruptedPods(old, pods, nowMs);
  const desired = desiredHealthy(spec, expected);
  const healthy = pods.filter(
    (pod) =>
      pod.metadata.deletionTimestamp === undefined &&
      underWay[pod.metadata.name ?? ''] === undefined &&
      isPodReady(pod),
  ).length;
  const allowed = expected > 0 ? Math.max(0, healthy - desired) : 0;
  const generation = metadata.generation ?? 0;
  const status: PodDisruptionBudgetStatus = {
    observedGeneration: generation,
    ...(Object.keys(underWay).length > 0 ? { disruptedPods: underWay } : {}),
    disruptionsAllowed: allowed,
    currentHealthy: healthy,
    desiredHealthy: desired,
    expectedPods: expected,
    conditions: withDisruptionAllowed(old.conditions, { allowed, generation }, nowMs),
  };
  return { status, recheckMs, notDeleted, failure: undefined };
}

/** How many pods there should be: as many as there are for a plain minimum, else as their workloads say. */
function expectedPods(
  { minAvailable, maxUnavailable }: PodDisruptionBudgetSpec,
  situation: Situation,
): number | string {
  const { pods } = situation;
  const plain = maxUnavailable === undefined && typeof minAvailable !== 'string';
  if (plain) return minAvailable === undefined ? 0 : pods.length;
  const sizes = new Map<string, number>();
  for (const pod of pods) {
    const workload = situation.workloadOf(pod);
    if (workload.kind === 'unknown') return workload.why;
    if (workload.kind === 'sized') sizes.set(workload.uid, workload.replicas);
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

function desiredHealthy(
  { minAvailable, maxUnavailable }: PodDisruptionBudgetSpec,
  expected: number,
): number {
  return maxUnavailable === undefined
    ? resolveCountOrPercent(minAvailable, expected, 'up')
    : Math.max(0, expected - resolveCountOrPercent(maxUnavailable, expected, 'up'));
}

/** Evictions that are not over: their pods are there, not being deleted yet, and it was not too long ago. */
function disruptedPods(
  { disruptedPods: evicted = {} }: PodDisruptionBudgetStatus,
  pods: readonly Pod[],
  nowMs: number,
) {
  const underWay: Record<string, string> = {};
  const notDeleted: Pod[] = [];
  let endMs = Infinity;
  for (const pod of pods) {
    const { name = '', deletionTimestamp } = pod.metadata;
    const at = Object.hasOwn(evicted, name) ? evicted[name] : undefined;
    if (at === undefined || deletionTimestamp !== undefined) continue;
    const until = (parseTime(at) ?? 0) + DELETION_TIMEOUT_MS;
    if (until < nowMs) {
      notDeleted.push(pod);
      continue;
    }
    underWay[name] = formatTime(until - DELETION_TIMEOUT_MS);
    endMs = Math.min(endMs, until);
  }
  const recheckMs = endMs === Infinity ? undefined : endMs - nowMs + 1;
  return { underWay, recheckMs, notDeleted };
}
