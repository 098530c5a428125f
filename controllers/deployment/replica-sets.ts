// A Deployment's ReplicaSets among themselves: which is the one of the present template, which are older. Pure.
// Invariant: at most one set is the new one; the oldest of those with the same template, so that all choose alike.
import type { Deployment, ReplicaSet } from '../../api/generated/types.ts';
import { parseTime } from '../../api/meta/time.ts';
import { sameTemplate } from './template-hash.ts';

/** The set of the present template, and the others, the oldest first. */
export interface Generations {
  readonly current: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
}

/** Tells the sets of a deployment apart. */
export function generationsOf(deployment: Deployment, sets: readonly ReplicaSet[]): Generations {
  const ordered = sets.toSorted(byAge);
  const current = ordered.find((set) =>
    sameTemplate(set.spec?.template, deployment.spec?.template),
  );
  return { current, old: ordered.filter((set) => set !== current) };
}

/** The oldest first; by name where two are of one second. */
export function byAge(a: ReplicaSet, b: ReplicaSet): number {
  const older =
    (parseTime(a.metadata.creationTimestamp) ?? 0) - (parseTime(b.metadata.creationTimestamp) ?? 0);
  if (older !== 0) return older;
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
}

/** How many pods the set is to have. */
export const wanted = (set: ReplicaSet): number => set.spec?.replicas ?? 1;

/** How many of its pods are available. */
export const available = (set: ReplicaSet): number => set.status?.availableReplicas ?? 0;

/** The sum of a figure over sets. */
export function total(
  sets: readonly (ReplicaSet | undefined)[],
  figure: (set: ReplicaSet) => number,
): number {
  return sets.reduce((sum, set) => sum + (set ? figure(set) : 0), 0);
}
