// Which pods are of no use any more. Pure.
import type { Pod } from '../../api/generated/types.ts';
import { parseTime } from '../../api/meta/time.ts';

/** Pods that have ended and are past the number that is kept, the oldest first. */
export function planTerminated(ended: readonly Pod[], keep: number): Pod[] {
  const surplus = ended.length - keep;
  if (surplus <= 0) return [];
  return ended.toSorted((a, b) => createdMs(a) - createdMs(b)).slice(0, surplus);
}

function createdMs({ metadata }: Pod): number {
  return parseTime(metadata.creationTimestamp) ?? 0;
}
