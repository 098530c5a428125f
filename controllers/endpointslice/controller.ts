// Endpoints of Services: what wakes them. Changes of a Service, of pods it selects or selected, of what we wrote; and
// nodes that come, go or move to another zone.
// Invariant: a pod wakes only Services of its namespace, and only when something changed that endpoints show.
import type { Endpoints, EndpointSlice, Node, Pod, Service } from '../../api/generated/types.ts';
import {
  EndpointSlices,
  Endpoints as EndpointsKind,
  Nodes,
  Pods,
  Services,
} from '../../api/kinds.ts';
import { keyOf } from '../../api/meta/object.ts';
import type { Labels } from '../../api/meta/labels.ts';
import type { Informer } from '../../client/informer/informer.ts';
import type { ControllerFactory } from '../framework/reconciler.ts';
import { source } from '../framework/reconciler.ts';
import { sameEndpoint } from './pod-endpoint.ts';
import { EndpointReconciler, isOurs, serviceKeyOf, zoneOf } from './reconcile.ts';

/** How many Services are seen to at once, as upstream. */
const CONCURRENT_SERVICES = 5;
/** The index of pods by the node they are on. */
const BY_NODE = 'endpoints.node';

/** Keeps EndpointSlices and Endpoints of Services that have a selector. */
export const endpointSliceController: ControllerFactory = (context) => {
  const services = context.informers.informer(Services);
  const reconciler = new EndpointReconciler(context);
  const pods = context.informers.informer(Pods);
  pods.addIndex(BY_NODE, ({ spec }) => (spec?.nodeName ? [spec.nodeName] : []));
  return {
    name: 'endpoint-slice-controller',
    concurrency: CONCURRENT_SERVICES,
    sources: [
      source<Service>({
        ref: Services,
        predicate(service, _old, change) {
          if (change === 'delete') reconciler.noteEnd(service);
          return true;
        },
      }),
      source<Pod>({
        ref: Pods,
        predicate: (pod, old) => !old || !sameEndpoint(pod, old),
        keys: (pod, old) => [
          ...new Set([...selecting(services, pod), ...(old ? selecting(services, old) : [])]),
        ],
      }),
      source<Node>({
        ref: Nodes,
        predicate: (node, old) => !old || zoneOf(node) !== zoneOf(old),
        keys: (node) => [
          ...new Set(pods.byIndex(BY_NODE, keyOf(node)).flatMap((pod) => selecting(services, pod))),
        ],
      }),
      // What has lost our mark is ours no more, but its Service wants another, or it back.
      source<EndpointSlice>({
        ref: EndpointSlices,
        keys: (slice, old) => [
          ...new Set([...serviceKeyOf(slice), ...(old ? serviceKeyOf(old) : [])]),
        ],
      }),
      source<Endpoints>({
        ref: EndpointsKind,
        predicate: (endpoints, old) => isOurs(endpoints) || (old !== undefined && isOurs(old)),
      }),
    ],
    reconcile: (key) => reconciler.reconcile(key),
  };
};

function selecting(services: Informer<Service>, { metadata }: Pod): readonly string[] {
  return services
    .list(metadata.namespace ?? '')
    .filter(({ spec }) => selects(spec?.selector, metadata.labels))
    .map(keyOf);
}

/** Equality of every label of the selector; written out since it runs for each change of each pod. */
function selects(selector: Labels | undefined, labels: Labels | undefined): boolean {
  let some = false;
  for (const label in selector) {
    if (labels?.[label] !== selector[label]) return false;
    some = true;
  }
  return some;
}
