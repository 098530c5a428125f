// The sizes that a Deployment's ReplicaSets are to have next. Pure.
// Invariant: a rolling update never plans more than replicas + maxSurge pods, and takes no available pod away that
// replicas - maxUnavailable needs.
import type { Deployment, ReplicaSet } from '../../api/generated/types.ts';
import { resolveCountOrPercent } from '../../api/meta/numbers.ts';
import { available, type Generations, total, wanted } from './replica-sets.ts';

/** A set and the size it is to have. */
export interface Scaling {
  readonly set: ReplicaSet;
  readonly replicas: number;
}

/** How far a rollout may go over and under the wanted number, in pods. */
export interface Fences {
  readonly surge: number;
  readonly unavailable: number;
}

/** How many pods the deployment wants. */
export const desired = (deployment: Deployment): number => deployment.spec?.replicas ?? 1;

const isRolling = ({ spec }: Deployment): boolean => spec?.strategy?.type !== 'Recreate';

/** The fences in pods: surge rounds up, unavailable rounds down, and they are not both 0, or nothing could move. */
export function fencesOf(deployment: Deployment): Fences {
  if (!isRolling(deployment)) return { surge: 0, unavailable: 0 };
  const { maxSurge, maxUnavailable } = deployment.spec?.strategy?.rollingUpdate ?? {};
  const count = desired(deployment);
  const surge = resolveCountOrPercent(maxSurge, count, 'up');
  const unavailable = resolveCountOrPercent(maxUnavailable, count, 'down');
  if (surge === 0 && unavailable === 0) return { surge, unavailable: Math.min(1, count) };
  return { surge, unavailable: Math.min(unavailable, count) };
}

/** The most pods the deployment may have. */
export function mostPods(deployment: Deployment): number {
  return desired(deployment) + fencesOf(deployment).surge;
}

/** The size of the present template's set, as far as it may grow now; `existing` counts all sets' wanted pods. */
export function newSetSize(deployment: Deployment, size: number, existing: number): number {
  const count = desired(deployment);
  if (!isRolling(deployment)) return count;
  if (size >= count) return count;
  const room = mostPods(deployment) - existing;
  return room <= 0 ? size : size + Math.min(room, count - size);
}

/** A step of a rolling update: the new set grows as far as it may, then the old ones shrink as far as they may. */
export function planRolling(deployment: Deployment, generations: Generations): Scaling[] {
  const { current, old } = generations;
  const existing = total([current, ...old], wanted);
  const size = current ? wanted(current) : 0;
  const nextSize = newSetSize(deployment, size, existing);
  const plan = current && nextSize !== size ? [{ set: current, replicas: nextSize }] : [];
  return [...plan, ...planOld(deployment, generations, current ? nextSize : 0)];
}

function planOld(
  deployment: Deployment,
  { current, old }: Generations,
  newSize: number,
): Scaling[] {
  const least = desired(deployment) - fencesOf(deployment).unavailable;
  // A set that was just made smaller may still show the pods it is losing: they count for nothing.
  const serving = (set: ReplicaSet): number => Math.min(available(set), wanted(set));
  const newUnavailable = newSize - (current ? serving(current) : 0);
  const removable = newSize + total(old, wanted) - least - newUnavailable;
  if (removable <= 0) return [];
  // Pods that do not serve go first: taking them away costs nothing.
  const sizes = new Map(old.map((set) => [set, wanted(set)]));
  let cleaned = 0;
  for (const set of old) {
    const idle = wanted(set) - serving(set);
    const count = Math.min(removable - cleaned, idle);
    sizes.set(set, wanted(set) - count);
    cleaned += count;
  }
  let surplus = total([current, ...old], serving) - least;
  for (const set of old) {
    const size = sizes.get(set) ?? 0;
    const count = Math.min(Math.max(0, surplus), size);
    sizes.set(set, size - count);
    surplus -= count;
  }
  return changes(old, sizes);
}

/** A step of Recreate: old sets go to nothing; once none of their pods runs, the new set grows to its size. */
export function planRecreate(
  deployment: Deployment,
  { current, old }: Generations,
  oldPodsRun: boolean,
): Scaling[] {
  const shrink = old.filter((set) => wanted(set) > 0).map((set) => ({ set, replicas: 0 }));
  if (shrink.length > 0 || oldPodsRun || !current) return shrink;
  const count = desired(deployment);
  return wanted(current) === count ? [] : [{ set: current, replicas: count }];
}

/**
 * What a change of the deployment's own size means for its sets: all for the only active one, nothing for old ones
 * where the new one has all, and shares by size where a rollout is under way or paused.
 */
export function planResize(deployment: Deployment, generations: Generations): Scaling[] {
  const { current, old } = generations;
  const count = desired(deployment);
  const active = [...old, ...(current ? [current] : [])].filter((set) => wanted(set) > 0);
  const only = active.length === 0 ? (current ?? old.at(-1)) : active[0];
  if (active.length <= 1)
    return only && wanted(only) !== count ? [{ set: only, replicas: count }] : [];
  if (current && wanted(current) === count && available(current) === count)
    return active.filter((set) => set !== current).map((set) => ({ set, replicas: 0 }));
  return isRolling(deployment) ? shareOut(deployment, active) : [];
}

function shareOut(deployment: Deployment, active: readonly ReplicaSet[]): Scaling[] {
  const count = desired(deployment);
  const allowed = count > 0 ? mostPods(deployment) : 0;
  const toAdd = allowed - total(active, wanted);
  if (toAdd === 0) return [];
  // The larger first; of equals the newer first when growing, the older first when shrinking.
  const newest = toAdd > 0 ? active.toReversed() : active;
  const ordered = newest.toSorted((a, b) => wanted(b) - wanted(a));
  const sizes = new Map<ReplicaSet, number>();
  let added = 0;
  for (const set of ordered) {
    const left = toAdd - added;
    const share = wanted(set) > 0 ? clampTo(left, fairShare(deployment, set, allowed)) : 0;
    sizes.set(set, wanted(set) + share);
    added += share;
  }
  const [first] = ordered;
  if (first) sizes.set(first, Math.max(0, (sizes.get(first) ?? 0) + toAdd - added));
  return changes(ordered, sizes);
}

/** By how much the set's size is to change to keep its share of the deployment, rounded. */
function fairShare(deployment: Deployment, set: ReplicaSet, allowed: number): number {
  if (desired(deployment) === 0) return -wanted(set);
  const noted = Number(set.metadata.annotations?.['deployment.kubernetes.io/max-replicas']);
  const before = noted > 0 ? noted : (deployment.status?.replicas ?? 0);
  if (before === 0) return 0;
  return Math.round((wanted(set) * allowed) / before) - wanted(set);
}

/** Not past what is left to hand out, and not against its direction. */
function clampTo(left: number, share: number): number {
  return left > 0 ? Math.min(Math.max(0, share), left) : Math.max(Math.min(0, share), left);
}

function changes(sets: readonly ReplicaSet[], sizes: ReadonlyMap<ReplicaSet, number>): Scaling[] {
  return sets
    .map((set) => ({ set, replicas: sizes.get(set) ?? wanted(set) }))
    .filter(({ set, replicas }) => replicas !== wanted(set));
}

/** Old sets past the limit that have nothing left to do, the oldest revisions first. */
export function planCleanUp(
  deployment: Deployment,
  old: readonly ReplicaSet[],
  revisionOf: (set: ReplicaSet) => number,
): ReplicaSet[] {
  const limit = deployment.spec?.revisionHistoryLimit ?? 10;
  const alive = old.filter((set) => set.metadata.deletionTimestamp === undefined);
  return alive
    .toSorted((a, b) => revisionOf(a) - revisionOf(b))
    .slice(0, Math.max(0, alive.length - limit))
    .filter(
      (set) =>
        wanted(set) === 0 &&
        (set.status?.replicas ?? 0) === 0 &&
        (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0),
    );
}
