// Disruption budgets: what wakes them. Changes of a budget, and of pods that it selects or selected.
// Invariant: a pod wakes only budgets of its namespace, and only when something changed that they count.
import type { Pod, PodDisruptionBudget } from '../../api/generated/types.ts';
import { PodDisruptionBudgets, Pods } from '../../api/kinds.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import { controllerOf, keyOf } from '../../api/meta/object.ts';
import type { Informer } from '../../client/informer/informer.ts';
import { isPodReady } from '../framework/pod-state.ts';
import type { ControllerFactory } from '../framework/reconciler.ts';
import { source } from '../framework/reconciler.ts';
import { DisruptionReconciler, selectsPod } from './reconcile.ts';

/** Keeps the status of PodDisruptionBudgets. */
export const disruptionController: ControllerFactory = (context) => {
  const budgets = context.informers.informer(PodDisruptionBudgets);
  const reconciler = new DisruptionReconciler(context);
  return {
    name: 'disruption-controller',
    eventSource: 'controllermanager',
    sources: [
      source<PodDisruptionBudget>({ ref: PodDisruptionBudgets }),
      source<Pod>({
        ref: Pods,
        predicate: (pod, old, change) => change === 'delete' || !old || !countsTheSame(pod, old),
        keys: (pod, old) => [
          ...new Set([...selecting(budgets, pod), ...(old ? selecting(budgets, old) : [])]),
        ],
      }),
    ],
    reconcile: (key, loop) => reconciler.reconcile(key, loop),
  };
};

function selecting(budgets: Informer<PodDisruptionBudget>, pod: Pod): readonly string[] {
  return budgets
    .list(pod.metadata.namespace ?? '')
    .filter((budget) => selectsPod(budget, pod))
    .map(keyOf);
}

function countsTheSame(pod: Pod, old: Pod): boolean {
  const [now, before] = [pod.metadata, old.metadata];
  return (
    isPodReady(pod) === isPodReady(old) &&
    now.uid === before.uid &&
    now.deletionTimestamp === before.deletionTimestamp &&
    controllerOf(pod)?.uid === controllerOf(old)?.uid &&
    deepEqual(now.labels, before.labels)
  );
}
