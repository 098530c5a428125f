// ReplicaSets: what wakes them. Changes of a set, of its pods, and of orphans that it might take in.
// Invariant: expectations hear of a pod before the set's key is queued, so that the reconcile sees them met.
import type { Pod, ReplicaSet } from '../../api/generated/types.ts';
import { Pods, ReplicaSets } from '../../api/kinds.ts';
import { fromLabelSelector } from '../../api/meta/labels.ts';
import { controllerOf, keyOf } from '../../api/meta/object.ts';
import type { Informer } from '../../client/informer/informer.ts';
import { indexForClaims } from '../framework/claim.ts';
import { Expectations } from '../framework/expectations.ts';
import { controllerKeys, indexByController } from '../framework/owner.ts';
import type { ControllerFactory } from '../framework/reconciler.ts';
import { source } from '../framework/reconciler.ts';
import { ReplicaSetReconciler } from './reconcile.ts';

/** How many sets are reconciled at once, as upstream. */
const CONCURRENT_SETS = 5;

/** Keeps as many pods of a template as each ReplicaSet asks for. */
export const replicaSetController: ControllerFactory = (context) => {
  const sets = context.informers.informer(ReplicaSets);
  const pods = context.informers.informer(Pods);
  indexByController(sets);
  indexForClaims(pods);
  const expectations = new Expectations(context.clock);
  watchExpected(pods, expectations);
  const reconciler = new ReplicaSetReconciler(context, expectations);
  return {
    name: 'replicaset-controller',
    concurrency: CONCURRENT_SETS,
    sources: [
      source({ ref: ReplicaSets }),
      source<Pod>({
        ref: Pods,
        keys: (pod, old) => [
          ...new Set([...keysOfPod(pod, sets), ...(old ? controllerKeys(old, ReplicaSets) : [])]),
        ],
      }),
    ],
    reconcile: (key, { signal }) => reconciler.reconcile(key, signal),
  };
};

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
