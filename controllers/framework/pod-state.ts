// What a pod's status says about it: readiness, availability, whether it still counts. Pure.
// Invariant: a pod is available only while it is ready; a pod that is being deleted is never active.
import type { Pod } from '../../api/generated/types.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { parseTime } from '../../api/meta/time.ts';

/** Is the Ready condition True? */
export function isPodReady(pod: Pod): boolean {
  return findCondition(pod.status?.conditions, 'Ready')?.status === 'True';
}

/** Since when the pod is ready, ms; undefined where it is not, or does not say. */
export function readySinceMs(pod: Pod): number | undefined {
  const ready = findCondition(pod.status?.conditions, 'Ready');
  return ready?.status === 'True' ? parseTime(ready.lastTransitionTime) : undefined;
}

/**
 * How long until the pod has been ready for `minReadySeconds`: 0 when it is available, undefined while it
 * is not ready at all.
 */
export function availableInMs(
  pod: Pod,
  minReadySeconds: number,
  nowMs: number,
): number | undefined {
  if (!isPodReady(pod)) return undefined;
  if (minReadySeconds <= 0) return 0;
  const since = readySinceMs(pod);
  return since === undefined ? undefined : Math.max(0, since + minReadySeconds * 1000 - nowMs);
}

/** Has the pod run to its end, for good or ill? */
export function isPodTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Does the pod count among those a workload has: not ended, and not being deleted? */
export function isPodActive(pod: Pod): boolean {
  return !isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined;
}
