// When a pod must leave a tainted node. Pure.
// Invariant: a pod that tolerates every taint without a limit stays; the shortest limit decides for the others.
import type { Taint, Toleration } from '../../api/generated/types.ts';
import { tolerates } from '../../api/meta/tolerations.ts';

/**
 * The moment at which the pod must go, on the clock that `sinceMs` answers by: since when each taint is there.
 * Undefined where it may stay. Of several tolerations of one taint the first counts, as upstream.
 */
export function leavesAtMs(
  taints: readonly Taint[],
  tolerations: readonly Toleration[] | undefined,
  sinceMs: (taint: Taint) => number,
): number | undefined {
  const moments = taints.flatMap((taint) => {
    const first = (tolerations ?? []).find((toleration) => tolerates(toleration, taint));
    if (!first) return [sinceMs(taint)];
    const { tolerationSeconds: seconds } = first;
    return seconds === undefined ? [] : [sinceMs(taint) + Math.max(0, seconds) * 1000];
  });
  return moments.length === 0 ? undefined : Math.min(...moments);
}
