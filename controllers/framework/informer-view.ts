// One controller's view of the shared informers: the same informers, but it waits only for those it asked for.
// Invariant: a kind that cannot be read holds up the controllers that read it, and no others.
import { apiVersionOf, type KindRef } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type {
  Cached,
  Informer,
  InformerFactory,
  InformerScope,
} from '../../client/informer/informer.ts';

/** Told of each informer that is asked for. */
export type InformerAsked = (ref: KindRef, scope: InformerScope) => void;

/** A factory over `shared` whose `synced` waits for the informers asked through it. Starting stays with the owner. */
export function informerView(shared: InformerFactory, told?: InformerAsked): InformerFactory {
  // By kind and scope, for a reconcile may ask each time.
  const asked = new Map<string, Pick<Informer<KubeObject>, 'synced'>>();
  return {
    informer<T extends KubeObject, S extends InformerScope = InformerScope>(
      ref: KindRef<T>,
      scope?: S,
    ): Informer<Cached<T, S>> {
      const informer = shared.informer(ref, scope);
      asked.set(collectionId(ref, scope), informer);
      told?.(ref as unknown as KindRef, scope ?? {});
      return informer;
    },
    release: (ref, scope) => shared.release(ref, scope),
    observeWrite: (ref, object) => shared.observeWrite(ref, object),
    observeDelete: (ref, object) => shared.observeDelete(ref, object),
    start: (signal) => shared.start(signal),
    async synced(signal) {
      await Promise.all(Array.from(asked.values(), (informer) => informer.synced(signal)));
    },
  };
}

/** The same for the same kind and scope. */
export function collectionId(ref: KindRef, scope: InformerScope = {}): string {
  const { namespace, namespaces, labelSelector, fieldSelector, metadataOnly } = scope;
  const narrowed = [namespace, namespaces, labelSelector, fieldSelector, metadataOnly];
  return JSON.stringify([apiVersionOf(ref), ref.plural, ...narrowed]);
}
