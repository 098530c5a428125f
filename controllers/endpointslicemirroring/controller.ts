// Shows Endpoints that somebody else keeps, for a Service without selector, as EndpointSlices: what carries traffic reads
// only those. Woken by the Endpoints, their Service and our slices, whose names are one and the same key.
// Invariant: only slices that carry our mark are written or removed.
import type { EndpointSlice } from '../../api/generated/types.ts';
import { SERVICE_NAME_LABEL, SLICE_MANAGED_BY_LABEL } from '../../api/discovery/slice-labels.ts';
import { Endpoints, EndpointSlices, Services } from '../../api/kinds.ts';
import { isNotFound } from '../../api/status.ts';
import type { ControllerFactory } from '../framework/reconciler.ts';
import { done, source } from '../framework/reconciler.ts';
import { isMirrored, MIRRORER, planMirror } from './plan.ts';

/** How many Services are seen to at once, as upstream. */
const CONCURRENT_SERVICES = 5;
/** The index of our slices by their Service's key. */
const BY_SERVICE = 'mirrored-service';

function serviceKeysOf({ metadata }: EndpointSlice): readonly string[] {
  const { labels = {}, namespace = '' } = metadata;
  const name = labels[SERVICE_NAME_LABEL];
  return name && labels[SLICE_MANAGED_BY_LABEL] === MIRRORER ? [`${namespace}/${name}`] : [];
}

/** Keeps EndpointSlices of Endpoints that are not made from a selector. */
export const endpointSliceMirroringController: ControllerFactory = ({ client, informers }) => {
  const services = informers.informer(Services);
  const endpoints = informers.informer(Endpoints);
  const slices = informers.informer(EndpointSlices);
  slices.addIndex(BY_SERVICE, serviceKeysOf);
  const resource = client.resource(EndpointSlices);
  return {
    name: 'endpoint-slice-mirroring-controller',
    concurrency: CONCURRENT_SERVICES,
    sources: [
      source({ ref: Endpoints }),
      source({ ref: Services }),
      source<EndpointSlice>({
        ref: EndpointSlices,
        keys: (slice, old) => [
          ...new Set([...serviceKeysOf(slice), ...(old ? serviceKeysOf(old) : [])]),
        ],
      }),
    ],
    async reconcile(key, { signal }) {
      const ours = slices.byIndex(BY_SERVICE, key);
      const shown = endpoints.get(key);
      const plan = isMirrored(shown, services.get(key))
        ? planMirror(shown, ours)
        : { create: [], update: [], remove: ours };
      for (const slice of plan.create) await resource.create(slice, { signal });
      for (const slice of plan.update) await resource.update(slice, { signal });
      for (const { metadata } of plan.remove)
        await resource
          .delete({ namespace: metadata.namespace, name: metadata.name ?? '' }, { signal })
          .catch((error: unknown) => {
            if (!isNotFound(error)) throw error;
          });
      return done;
    },
  };
};
