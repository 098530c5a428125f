// One controller's view of the shared informers: the same informers, but it waits only for those it asked for.
// Invariant: a kind that cannot be read holds up the controllers that read it, and no others.
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type {
  Cached,
  Informer,
  InformerFactory,
  InformerScope,
} from '../../client/informer/informer.ts';

/** A factory over `shared` whose `synced` waits for the informers asked through it. Starting stays with the owner. */
export function informerView(shared: InformerFactory): InformerFactory {
  const asked = new Set<Pick<Informer<KubeObject>, 'synced'>>();
  return {
    informer<T extends KubeObject, S extends InformerScope = InformerScope>(
      ref: KindRef<T>,
      scope?: S,
    ): Informer<Cached<T, S>> {
      const informer = shared.informer(ref, scope);
      asked.add(informer);
      return informer;
    },
    release: (ref, scope) => shared.release(ref, scope),
    observeWrite: (ref, object) => shared.observeWrite(ref, object),
    observeDelete: (ref, object) => shared.observeDelete(ref, object),
    start: (signal) => shared.start(signal),
    async synced(signal) {
      await Promise.all(Array.from(asked, (informer) => informer.synced(signal)));
    },
  };
}
