// ReplicaSets: what wakes them. Changes of a set, of its pods, and of orphans that it might take in.
// Invariant: expectations hear of a pod before the set's key is queued, so that the reconcile sees them met.
import type { Pod, ReplicaSet } from '../../api/generated/types.ts';
import { Pods, ReplicaSets } from '../../api/kinds.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import { fromLabelSelector } from '../../api/meta/labels.ts';
import { controllerOf, keyOf } from '../../api/meta/object.ts';
import type { Informer } from '../../client/informer/informer.ts';
import { indexForClaims } from '../framework/claim.ts';
import { Expectations } from '../framework/expectations.ts';
import { controllerKeys, indexByController } from '../framework/owner.ts';
import { isPodActive } from '../framework/pod-state.ts';
import type { ControllerFactory } from '../framework/reconciler.ts';
import { source } from '../framework/reconciler.ts';
import { ReplicaSetReconciler } from './reconcile.ts';

/** How many sets are reconciled at once, as upstream. */
const CONCURRENT_SETS = 5;
/**
 * What changes nothing but the counts of a status waits for more of its kind, for so long by each pod that the set is to have: looking
 * at a set costs as much as it has pods, and so a change of one pod costs the same in a set of any size.
 */
const COUNT_WAIT_PER_POD_MS = 5;
/** In a set of up to so many pods nothing waits. */
const SMALL_SET_PODS = 10;
/** The longest such wait, as upstream's Jobs wait for their pods. */
const MAX_COUNT_WAIT_MS = 1000;

/** Keeps as many pods of a template as each ReplicaSet asks for. */
export const replicaSetController: ControllerFactory = (context) => {
  const sets = context.informers.informer(ReplicaSets);
  const pods = context.informers.informer(Pods);
  indexByController(sets);
  indexForClaims(pods);
  const expectations = new Expectations(context.clock);
  watchExpected(pods, expectations);
  const reconciler = new ReplicaSetReconciler(context, expectations);
  const countWaitMs = (key: string) => countWaitOf(sets.get(key)?.spec?.replicas ?? 1);
  return {
    name: 'replicaset-controller',
    concurrency: CONCURRENT_SETS,
    sources: [
      source<ReplicaSet>({
        ref: ReplicaSets,
        waitMs: (key, set, old) => (old && isSameSpec(set, old) ? countWaitMs(key) : 0),
      }),
      source<Pod>({
        ref: Pods,
        keys: (pod, old) => [
          ...new Set([...keysOfPod(pod, sets), ...(old ? controllerKeys(old, ReplicaSets) : [])]),
        ],
        waitMs: (key, pod, old) => (old && isSameMember(pod, old) ? countWaitMs(key) : 0),
      }),
    ],
    reconcile: (key, { signal }) => reconciler.reconcile(key, signal),
  };
};

function countWaitOf(pods: number): number {
  if (pods <= SMALL_SET_PODS) return 0;
  return Math.min(pods * COUNT_WAIT_PER_POD_MS, MAX_COUNT_WAIT_MS);
}

/** Has nothing of the set changed that says what to do? */
function isSameSpec({ metadata }: ReplicaSet, { metadata: old }: ReplicaSet): boolean {
  return (
    metadata.generation === old.generation && metadata.deletionTimestamp === old.deletionTimestamp
  );
}

/** Does the pod count where it counted before, and in the same sets? It may have become ready, or been given a node. */
function isSameMember(pod: Pod, old: Pod): boolean {
  return (
    isPodActive(pod) &&
    isPodActive(old) &&
    controllerOf(pod)?.uid === controllerOf(old)?.uid &&
    deepEqual(pod.metadata.labels, old.metadata.labels)
  );
}

/** The set that controls the pod; for an orphan, every set that would take it in. */
function keysOfPod(pod: Pod, sets: Informer<ReplicaSet>): readonly string[] {
  if (controllerOf(pod)) return controllerKeys(pod, ReplicaSets);
  if (pod.metadata.deletionTimestamp !== undefined) return [];
  return sets
    .list(pod.metadata.namespace)
    .filter((set) => fromLabelSelector(set.spec?.selector).matches(pod.metadata.labels))
    .map(keyOf);
}

function watchExpected(pods: Informer<Pod>, expectations: Expectations): void {
  const gone = (pod: Pod) => {
    for (const key of controllerKeys(pod, ReplicaSets))
      expectations.deletionObserved(key, keyOf(pod));
  };
  pods.subscribe({
    onAdd(pod) {
      // A pod that is found going already is no creation that anybody waits for.
      if (pod.metadata.deletionTimestamp !== undefined) gone(pod);
      else for (const key of controllerKeys(pod, ReplicaSets)) expectations.creationObserved(key);
    },
    onUpdate(pod) {
      if (pod.metadata.deletionTimestamp !== undefined) gone(pod);
    },
    onDelete: gone,
  });
}
