// Nodes: what wakes the look at them, and at the pods that their taints drive away.
// Invariant: a heartbeat costs one look at one node; only a change of readiness or of taints costs more.
import type { Lease, Node, Pod } from '../../api/generated/types.ts';
import { Leases, Nodes, Pods } from '../../api/kinds.ts';
import { keyOf } from '../../api/meta/object.ts';
import { sameJson } from '../framework/same-json.ts';
import type { ControllerFactory } from '../framework/reconciler.ts';
import { source } from '../framework/reconciler.ts';
import { TaintEvictor } from './eviction.ts';
import { readiness } from './health.ts';
import type { NodeLifecycleOptions } from './options.ts';
import { resolveNodeLifecycleOptions } from './options.ts';
import { BY_NODE, indexByNode, LEASE_NAMESPACE, NodeReconciler } from './reconcile.ts';
import { evictingTaints } from './taints.ts';

/** How many nodes, and pods, are looked at at once. */
const CONCURRENT_NODES = 8;
const CONCURRENT_PODS = 8;

/** Notices nodes that are away, taints them, and marks their pods as not ready. */
export function nodeLifecycleController(
  options: Partial<NodeLifecycleOptions> = {},
): ControllerFactory {
  const resolved = resolveNodeLifecycleOptions(options);
  return (context) => {
    const nodes = context.informers.informer(Nodes);
    indexByNode(context.informers.informer(Pods));
    const reconciler = new NodeReconciler(context, resolved);
    return {
      name: 'node-lifecycle-controller',
      eventSource: 'node-controller',
      concurrency: CONCURRENT_NODES,
      sources: [
        source<Node>({
          ref: Nodes,
          // When one node comes or goes, whether others are evicted from may change.
          keys: (node, old) =>
            old && readiness(old) === readiness(node)
              ? [keyOf(node)]
              : [keyOf(node), ...nodes.list().map(keyOf)],
        }),
        source<Lease>({
          ref: Leases,
          predicate: ({ metadata }) => metadata.namespace === LEASE_NAMESPACE,
          keys: ({ metadata }) => [metadata.name ?? ''],
        }),
      ],
      reconcile: (key, { signal }) => reconciler.reconcile(key, signal),
    };
  };
}

/** Deletes pods from nodes whose NoExecute taints they do not tolerate, or not any longer. */
export const taintEvictionController: ControllerFactory = (context) => {
  const pods = context.informers.informer(Pods);
  indexByNode(pods);
  const evictor = new TaintEvictor(context);
  return {
    name: 'taint-eviction-controller',
    concurrency: CONCURRENT_PODS,
    sources: [
      source<Pod>({
        ref: Pods,
        predicate: (pod, old, change) =>
          change === 'delete' ||
          !old ||
          pod.spec?.nodeName !== old.spec?.nodeName ||
          !sameJson(pod.spec?.tolerations, old.spec?.tolerations),
      }),
      source<Node>({
        ref: Nodes,
        predicate: (node, old) =>
          old
            ? !sameJson(evictingTaints(node), evictingTaints(old))
            : evictingTaints(node).length > 0,
        keys: (node) => pods.byIndex(BY_NODE, keyOf(node)).map(keyOf),
      }),
    ],
    reconcile: (key, { signal }) => evictor.reconcile(key, signal),
  };
};
