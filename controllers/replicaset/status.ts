// The status of a ReplicaSet, from the pods that are its own. Pure.
// Invariant: available ≤ ready ≤ replicas.
import type { Pod, ReplicaSet, ReplicaSetStatus } from '../../api/generated/types.ts';
import { selectorFromMap } from '../../api/meta/labels.ts';
import { formatTime } from '../../api/meta/time.ts';
import { findCondition, withCondition, withoutCondition } from '../framework/conditions.ts';
import { availableInMs, isPodActive, isPodReady, isPodTerminal } from '../framework/pod-state.ts';

/** A step that went wrong. */
export interface Failure {
  readonly reason: 'FailedCreate' | 'FailedDelete';
  readonly message: string;
}

/** What the status is worked out from. */
export interface StatusInput {
  /** All pods the set controls, those that go among them. */
  readonly pods: readonly Pod[];
  /** Of the spec that was acted on; the set may have a newer one by now. */
  readonly generation: number | undefined;
  /** The failure of this reconcile; undefined when it went well; 'unknown' when nothing was tried. */
  readonly failure: Failure | undefined | 'unknown';
  readonly nowMs: number;
}

/** The status as it should be. */
export function replicaSetStatus(set: ReplicaSet, input: StatusInput): ReplicaSetStatus {
  const { pods, generation, failure, nowMs } = input;
  const active = pods.filter(isPodActive);
  const labels = selectorFromMap(set.spec?.template?.metadata?.labels);
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const ready = active.filter(isPodReady);
  const available = ready.filter((pod) => availableInMs(pod, minReadySeconds, nowMs) === 0);
  const conditions = nextConditions(set, failure, nowMs);
  return {
    ...set.status,
    replicas: active.length,
    // Counts of none are left out, but for the first, as upstream writes them.
    fullyLabeledReplicas:
      active.filter((pod) => labels.matches(pod.metadata.labels)).length || undefined,
    readyReplicas: ready.length || undefined,
    availableReplicas: available.length || undefined,
    terminatingReplicas: pods.filter((pod) => !isPodActive(pod) && !isPodTerminal(pod)).length,
    observedGeneration: generation,
    conditions: conditions?.length ? conditions : undefined,
  };
}

/** When the next pod becomes available by mere waiting, ms from now; undefined when none will. */
export function nextAvailableMs(
  set: ReplicaSet,
  pods: readonly Pod[],
  nowMs: number,
): number | undefined {
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const waits = pods
    .filter(isPodActive)
    .map((pod) => availableInMs(pod, minReadySeconds, nowMs))
    .filter((ms) => ms !== undefined && ms > 0) as number[];
  return waits.length === 0 ? undefined : Math.min(...waits);
}

function nextConditions(set: ReplicaSet, failure: StatusInput['failure'], nowMs: number) {
  const conditions = set.status?.conditions;
  if (failure === 'unknown') return conditions;
  if (!failure) return withoutCondition(conditions, 'ReplicaFailure');
  // The first failure stands until it is over, so that a status is not written for each retry.
  if (findCondition(conditions, 'ReplicaFailure')) return conditions;
  return withCondition(
    conditions,
    { type: 'ReplicaFailure', status: 'True', ...failure },
    formatTime(nowMs),
  );
}
