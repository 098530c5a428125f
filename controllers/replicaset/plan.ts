// How a ReplicaSet gets from the pods it has to those it wants. Pure.
// Invariant: one step creates or deletes, never both, and never more than BURST_PODS at once.
import type { Pod, ReplicaSet } from '../../api/generated/types.ts';
import { ReplicaSets } from '../../api/kinds.ts';
import { ownerReferenceFor } from '../framework/owner.ts';
import type { OrderFacts } from './deletion-order.ts';
import { deletionOrder } from './deletion-order.ts';

/** The most pods that are created or deleted in one step, as upstream. */
export const BURST_PODS = 500;

/** What is to be done. */
export type Step =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'create'; readonly count: number }
  | { readonly kind: 'delete'; readonly pods: readonly Pod[] };

/** The next step; `active` are the pods that count. */
export function planStep(set: ReplicaSet, active: readonly Pod[], facts: OrderFacts): Step {
  const missing = (set.spec?.replicas ?? 1) - active.length;
  if (missing > 0) return { kind: 'create', count: Math.min(missing, BURST_PODS) };
  if (missing === 0) return { kind: 'nothing' };
  const count = Math.min(-missing, BURST_PODS);
  // Where all are to go there is nothing to choose.
  const pods = count === active.length ? active : deletionOrder(active, facts).slice(0, count);
  return { kind: 'delete', pods };
}

/** A pod of the set's template; the server names it. */
export function newPod(set: ReplicaSet): Pod {
  const { metadata = {}, spec } = set.spec?.template ?? {};
  const { labels, annotations, finalizers } = metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${set.metadata.name ?? ''}-`,
      ...(set.metadata.namespace === undefined ? {} : { namespace: set.metadata.namespace }),
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ...(finalizers ? { finalizers } : {}),
      ownerReferences: [ownerReferenceFor(set, ReplicaSets)],
    },
    ...(spec ? { spec } : {}),
  };
}
