// ResourceQuotas: what is used of them is counted anew when it may have become less, and now and then in any case.
// Invariants: what is made is charged by the API server as it is made; counting only ever follows it. What cannot be seen at
// the moment counts as it did before, never as nothing.
import type {
  PersistentVolumeClaim,
  Pod,
  ResourceQuota,
  Service,
} from '../../api/generated/types.ts';
import { countName, totalUsage } from '../../api/core/quota-usage.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import {
  CustomResourceDefinitions,
  PersistentVolumeClaims,
  Pods,
  ResourceQuotas,
  Services,
} from '../../api/kinds.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { keyOf } from '../../api/meta/object.ts';
import { builtInDefinitions } from '../../api/scheme.ts';
import { isNotFound } from '../../api/status.ts';
import type { Informer } from '../../client/informer/informer.ts';
import { followCustomKinds } from '../framework/custom-kinds.ts';
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
  const builtIn = countedKinds.map((ref) => [ref, informers.informer(ref)] as const);
  const definitions = informers.informer(CustomResourceDefinitions);
  const custom = new Map<KindRef, Informer<KubeObject>>();
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
    moreSources(add) {
      followCustomKinds(definitions, (ref) => {
        if (!ref.namespaced) return () => undefined;
        const informer = informers.informer<KubeObject>(ref);
        custom.set(ref, informer);
        const leave = add(freeing(ref, quotas, () => informer.hasSynced));
        return () => {
          custom.delete(ref);
          leave();
        };
      });
    },
    async reconcile(key, { signal }) {
      const quota = quotas.get(key);
      if (!quota || quota.metadata.deletionTimestamp !== undefined) return done;
      const { namespace = '' } = quota.metadata;
      try {
        await writeStatus({ resource, signal }, quota, (current) => ({
          hard: { ...current.spec?.hard },
          used: {
            ...totalUsage(current, objectsIn(namespace, [...builtIn, ...custom])),
            ...unseen(current, custom),
          },
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

/** What is known to be used of kinds whose objects are not listed yet: a quota must not look empty meanwhile. */
function unseen(
  { status }: ResourceQuota,
  custom: ReadonlyMap<KindRef, Informer<KubeObject>>,
): Record<string, string> {
  const names = [...custom].flatMap(([ref, { hasSynced }]) => (hasSynced ? [] : countName(ref)));
  return Object.fromEntries(
    names.flatMap((name) => {
      const used = status?.used?.[name];
      return used === undefined ? [] : [[name, used]];
    }),
  );
}

/**
 * Objects of the kind that go, or use less than before, wake the quotas of their namespace; so do those that are found when
 * the kind is listed first.
 */
function freeing(
  ref: KindRef,
  quotas: Informer<ResourceQuota>,
  isListed: () => boolean = () => true,
): Source {
  return source<KubeObject>({
    ref,
    predicate: (object, old, change) =>
      change === 'delete' ||
      (change === 'add' && !isListed()) ||
      (old !== undefined && mayUseLess(ref, object, old)),
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
