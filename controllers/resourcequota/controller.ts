// ResourceQuotas: what is used of them is counted anew when it may have become less, and now and then in any case.
// Invariant: what is made is charged by the API server as it is made; counting only ever follows it.
import type {
  PersistentVolumeClaim,
  Pod,
  ResourceQuota,
  Service,
} from '../../api/generated/types.ts';
import { totalUsage } from '../../api/core/quota-usage.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import { PersistentVolumeClaims, Pods, ResourceQuotas, Services } from '../../api/kinds.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { keyOf } from '../../api/meta/object.ts';
import { builtInDefinitions } from '../../api/scheme.ts';
import { isNotFound } from '../../api/status.ts';
import type { Informer } from '../../client/informer/informer.ts';
import type { ControllerFactory, Source } from '../framework/reconciler.ts';
import { done, requeueAfter, source } from '../framework/reconciler.ts';
import { writeStatus } from '../framework/status-writer.ts';

/** How often all is counted anew though nothing was heard of, as upstream. */
const RESYNC_MS = 5 * 60_000;

/** Kinds that quotas can count. Events come and go by themselves. */
const countedKinds: readonly KindRef[] = builtInDefinitions
  .filter(({ ref, verbs }) => ref.namespaced && verbs.includes('delete') && ref.plural !== 'events')
  .map(({ ref }) => ref);

/** Keeps the status of ResourceQuotas. */
export const resourceQuotaController: ControllerFactory = ({ client, informers }) => {
  const quotas = informers.informer(ResourceQuotas);
  const counted = countedKinds.map((ref) => [ref, informers.informer(ref)] as const);
  const resource = client.resource(ResourceQuotas);
  return {
    name: 'resource-quota-controller',
    sources: [
      // Its status is written by the API server and by us; only what it asks for counts.
      source<ResourceQuota>({
        ref: ResourceQuotas,
        predicate: (quota, old) => !old || !deepEqual(quota.spec, old.spec),
      }),
      ...countedKinds.map((ref) => freeing(ref, quotas)),
    ],
    async reconcile(key, { signal }) {
      const quota = quotas.get(key);
      if (!quota || quota.metadata.deletionTimestamp !== undefined) return done;
      const { namespace = '' } = quota.metadata;
      try {
        await writeStatus({ resource, informer: quotas, signal }, quota, (current) => ({
          hard: { ...current.spec?.hard },
          used: totalUsage(current, objectsIn(namespace, counted)),
        }));
      } catch (error) {
        // It went meanwhile.
        if (!isNotFound(error)) throw error;
        return done;
      }
      return requeueAfter(RESYNC_MS);
    },
  };
};

function* objectsIn(
  namespace: string,
  counted: readonly (readonly [KindRef, Informer<KubeObject>])[],
): Iterable<readonly [KindRef, KubeObject]> {
  for (const [ref, informer] of counted) {
    for (const object of informer.list(namespace)) yield [ref, object];
  }
}

/** Objects of the kind that go, or use less than before, wake the quotas of their namespace. */
function freeing(ref: KindRef, quotas: Informer<ResourceQuota>): Source {
  return source<KubeObject>({
    ref,
    predicate: (object, old, change) =>
      change === 'delete' || (old !== undefined && mayUseLess(ref, object, old)),
    keys: ({ metadata }) => quotas.list(metadata.namespace ?? '').map(keyOf),
  });
}

/** Only these kinds use more or less while they are there. */
function mayUseLess(ref: KindRef, object: KubeObject, old: KubeObject): boolean {
  switch (ref as KindRef<never>) {
    case Pods:
      return (object as Pod).status?.phase !== (old as Pod).status?.phase;
    case Services:
    case PersistentVolumeClaims:
      return !deepEqual(
        (object as Service | PersistentVolumeClaim).spec,
        (old as Service | PersistentVolumeClaim).spec,
      );
    default:
      return false;
  }
}
