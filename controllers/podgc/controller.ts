// The pod collector: what wakes it. Nodes that go, pods on nodes that are not there, and pods as they end.
// Invariant: keys are places; a pod that runs where it should wakes nobody.
import type { Node, Pod } from '../../api/generated/types.ts';
import { Nodes, Pods } from '../../api/kinds.ts';
import { keyOf } from '../../api/meta/object.ts';
import type { ControllerFactory } from '../framework/reconciler.ts';
import { source } from '../framework/reconciler.ts';
import { BY_PLACE, placesOf, PodCollector } from './reconcile.ts';

/** Ended pods that are kept, as upstream. */
const KEEP_ENDED = 12_500;

/** Removes pods of nodes that are gone, and ended ones past `keepEnded`. */
export function podCollector(keepEnded = KEEP_ENDED): ControllerFactory {
  return (context) => {
    const pods = context.informers.informer(Pods);
    const nodes = context.informers.informer(Nodes);
    pods.addIndex(BY_PLACE, placesOf);
    const collector = new PodCollector(context, keepEnded);
    const concerns = (pod: Pod) =>
      placesOf(pod).filter(
        (place) => !place.startsWith('node:') || !nodes.get(place.slice('node:'.length)),
      );
    return {
      name: 'pod-garbage-collector',
      sources: [
        source<Pod>({
          ref: Pods,
          predicate: (_pod, _old, change) => change !== 'delete',
          keys: concerns,
        }),
        source<Node>({ ref: Nodes, keys: (node) => [`node:${keyOf(node)}`] }),
      ],
      reconcile: (place, loop) => collector.reconcile(place, loop),
    };
  };
}
