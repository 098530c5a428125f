// The garbage collector: what wakes it. Every change of every kind that is stored, through the graph of owners.
// Invariant: keys are uids; a change that concerns no owner and no dependent queues nothing.
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { APIServices, CustomResourceDefinitions } from '../../api/kinds.ts';
import { builtInDefinitions } from '../../api/scheme.ts';
import { followAggregatedKinds } from '../framework/aggregated-kinds.ts';
import { customKind, followCustomKinds } from '../framework/custom-kinds.ts';
import type { ControllerFactory, Source } from '../framework/reconciler.ts';
import { source } from '../framework/reconciler.ts';
import { OwnerGraph } from './graph.ts';
import { GarbageReconciler } from './reconcile.ts';

/** How many objects are looked at at once, as upstream. */
const CONCURRENT_OBJECTS = 20;

/** Every stored kind whose objects can own or be owned. Events neither are nor do, and are many. */
const collectedKinds: readonly KindRef[] = builtInDefinitions
  .filter(({ ref, verbs }) => verbs.includes('delete') && ref.plural !== 'events')
  .map(({ ref }) => ref);

/** What a kind of another server must offer to be collected, as upstream. */
const COLLECTED = ['delete', 'list', 'watch'];

/** Deletes objects whose owners are gone, and finishes deletions in the foreground and of orphans' owners. */
export const garbageCollector: ControllerFactory = (context) => {
  const graph = new OwnerGraph();
  const definitions = context.informers.informer(CustomResourceDefinitions);
  const services = context.informers.informer(APIServices);
  const elsewhere = new Set<KindRef>();
  const kinds = () => [
    ...collectedKinds,
    ...definitions.list().flatMap((each) => customKind(each) ?? []),
    ...elsewhere,
  ];
  const reconciler = new GarbageReconciler(context.client, graph, kinds);
  return {
    name: 'garbage-collector',
    concurrency: CONCURRENT_OBJECTS,
    sources: collectedKinds.map((ref) => graphSource(graph, ref)),
    moreSources(add) {
      followCustomKinds(definitions, (ref) => add(graphSource(graph, ref)));
      followAggregatedKinds(context, services, ({ ref, verbs }) => {
        if (!COLLECTED.every((verb) => verbs.includes(verb))) return () => undefined;
        elsewhere.add(ref);
        const leave = add(graphSource(graph, ref));
        return () => {
          elsewhere.delete(ref);
          leave();
        };
      });
    },
    reconcile: (uid, loop) => reconciler.reconcile(uid, loop),
  };
};

/** Keeps the graph by the changes it hears of. The predicate alone is told which kind of change it is, so it does it. */
function graphSource(graph: OwnerGraph, ref: KindRef): Source {
  let concerned: readonly string[] = [];
  return source<KubeObject>({
    ref,
    predicate(object, _old, change) {
      concerned = change === 'delete' ? graph.remove(object) : graph.observe(ref, object);
      return concerned.length > 0;
    },
    keys: () => concerned,
  });
}
