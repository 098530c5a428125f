// When a pod must leave a tainted node. Pure.
// Invariant: a pod that tolerates every taint without a limit stays; the shortest limit decides for the others.
import type { Taint, Toleration } from '../../api/generated/types.ts';
import { parseTime } from '../../api/meta/time.ts';
import { tolerates } from '../../api/meta/tolerations.ts';

/**
 * The moment at which the pod must go, ms of wall time; undefined when it may stay. `sinceMs` is when taints that do
 * not say when they were added are taken to have been.
 */
export function leavesAtMs(
  taints: readonly Taint[],
  tolerations: readonly Toleration[] | undefined,
  sinceMs: number,
): number | undefined {
  const moments = taints.flatMap((taint) => {
    const addedMs = parseTime(taint.timeAdded) ?? sinceMs;
    const fitting = (tolerations ?? []).filter((toleration) => tolerates(toleration, taint));
    if (fitting.length === 0) return [addedMs];
    return fitting.flatMap(({ tolerationSeconds: seconds }) =>
      seconds === undefined ? [] : [addedMs + Math.max(0, seconds) * 1000],
    );
  });
  return moments.length === 0 ? undefined : Math.min(...moments);
}
