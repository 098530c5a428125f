// Namespaces: what wakes them. Their own changes, and the end of objects in a namespace that is being deleted.
// Invariant: namespaces that live cost nothing but the look that finds them alive.
import type { Namespace } from '../../api/generated/types.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import { APIServices, CustomResourceDefinitions, Namespaces } from '../../api/kinds.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { builtInDefinitions } from '../../api/scheme.ts';
import { aggregatedKinds } from '../framework/aggregated-kinds.ts';
import { customKind } from '../framework/custom-kinds.ts';
import type { ControllerFactory } from '../framework/reconciler.ts';
import { source } from '../framework/reconciler.ts';
import { type EmptiedKind, NamespaceReconciler } from './reconcile.ts';

/** How many namespaces are emptied at once, as upstream. */
const CONCURRENT_NAMESPACES = 10;

/** Every kind that lives in namespaces and is stored. */
const namespacedKinds: readonly KindRef[] = builtInDefinitions
  .filter(({ ref, verbs }) => ref.namespaced && verbs.includes('deletecollection'))
  .map(({ ref }) => ref);

/** Empties namespaces that are being deleted, then lets them go. */
export const namespaceController: ControllerFactory = (context) => {
  const definitions = context.informers.informer(CustomResourceDefinitions);
  const services = context.informers.informer(APIServices);
  const own = () => [
    ...namespacedKinds,
    ...definitions.list().flatMap((each) => {
      const ref = customKind(each);
      return ref?.namespaced ? [ref] : [];
    }),
  ];
  const kinds = async (signal: AbortSignal) => {
    const others = await aggregatedKinds(context.client, services.list(), signal);
    const elsewhere = others.kinds.filter(
      ({ ref, verbs }) => ref.namespaced && verbs.includes('list') && verbs.includes('delete'),
    );
    const emptied: EmptiedKind[] = [
      ...own().map((ref) => ({ ref, oneByOne: false })),
      ...elsewhere.map(({ ref, verbs }) => ({
        ref,
        oneByOne: !verbs.includes('deletecollection'),
      })),
    ];
    return { kinds: emptied, stale: others.stale };
  };
  const reconciler = new NamespaceReconciler(context, kinds);
  return {
    name: 'namespace-controller',
    concurrency: CONCURRENT_NAMESPACES,
    sources: [
      source<Namespace>({
        ref: Namespaces,
        predicate: ({ metadata }, _old, change) =>
          change !== 'delete' && metadata.deletionTimestamp !== undefined,
      }),
      ...namespacedKinds
        // Events are many, and gone at the first attempt.
        .filter(({ plural }) => plural !== 'events')
        .map((ref) =>
          source<KubeObject>({
            ref,
            predicate: ({ metadata }, _old, change) =>
              change === 'delete' && reconciler.isEnding(metadata.namespace ?? ''),
            keys: ({ metadata }) => [metadata.namespace ?? ''],
          }),
        ),
    ],
    reconcile: (key, { signal }) => reconciler.reconcile(key, signal),
  };
};
