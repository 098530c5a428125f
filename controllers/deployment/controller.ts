// Deployments: what wakes them. Changes of a deployment, of its sets, of orphan sets it might take in, and under
// Recreate the end of its pods.
// Invariant: a deployment is woken by what it owns only, never by every pod of its namespace.
import type { Deployment, Pod, ReplicaSet } from '../../api/generated/types.ts';
import { Deployments, Pods, ReplicaSets } from '../../api/kinds.ts';
import { fromLabelSelector } from '../../api/meta/labels.ts';
import { controllerOf, keyOf } from '../../api/meta/object.ts';
import type { Informer } from '../../client/informer/informer.ts';
import { indexForClaims } from '../framework/claim.ts';
import { controllerKeys, indexByController } from '../framework/owner.ts';
import type { ControllerFactory } from '../framework/reconciler.ts';
import { source } from '../framework/reconciler.ts';
import { DeploymentReconciler } from './reconcile.ts';

/** How many deployments are reconciled at once, as upstream. */
const CONCURRENT_DEPLOYMENTS = 5;

/** Rolls templates out over ReplicaSets. */
export const deploymentController: ControllerFactory = (context) => {
  const deployments = context.informers.informer(Deployments);
  const sets = context.informers.informer(ReplicaSets);
  indexForClaims(sets);
  indexByController(context.informers.informer(Pods));
  const reconciler = new DeploymentReconciler(context);
  return {
    name: 'deployment-controller',
    concurrency: CONCURRENT_DEPLOYMENTS,
    sources: [
      source({ ref: Deployments }),
      source<ReplicaSet>({
        ref: ReplicaSets,
        keys: (set, old) => [
          ...new Set([
            ...keysOfSet(set, deployments),
            ...(old ? controllerKeys(old, Deployments) : []),
          ]),
        ],
      }),
      source<Pod>({
        ref: Pods,
        predicate: (_pod, _old, change) => change === 'delete',
        keys: (pod) => keysOfGonePod(pod, sets, deployments),
      }),
    ],
    reconcile: (key, { signal }) => reconciler.reconcile(key, signal),
  };
};

function keysOfSet(set: ReplicaSet, deployments: Informer<Deployment>): readonly string[] {
  if (controllerOf(set)) return controllerKeys(set, Deployments);
  if (set.metadata.deletionTimestamp !== undefined) return [];
  return deployments
    .list(set.metadata.namespace)
    .filter((each) => fromLabelSelector(each.spec?.selector).matches(set.metadata.labels))
    .map(keyOf);
}

/** Only Recreate waits for pods to be gone. */
function keysOfGonePod(
  pod: Pod,
  sets: Informer<ReplicaSet>,
  deployments: Informer<Deployment>,
): readonly string[] {
  const [setKey] = controllerKeys(pod, ReplicaSets);
  const set = setKey === undefined ? undefined : sets.get(setKey);
  if (!set) return [];
  return controllerKeys(set, Deployments).filter(
    (key) => deployments.get(key)?.spec?.strategy?.type === 'Recreate',
  );
}
