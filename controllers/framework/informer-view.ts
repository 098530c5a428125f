// One controller's view of the shared informers: the same informers, but it waits only for those it asked for.
// Invariant: a kind that cannot be read holds up the controllers that read it, and no others; of kinds that have namespaces, a
// controller that is kept to some reads no others unless it names them itself.
import { apiVersionOf, type KindRef } from '../../api/kind-ref.ts';
import { dnsLabel } from '../../api/meta/names.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type {
  Cached,
  Informer,
  InformerFactory,
  InformerScope,
} from '../../client/informer/informer.ts';

/** What a view makes of what is asked. */
export interface ViewOptions {
  /** In these namespaces alone, where a scope names none; all unless given. */
  readonly namespaces?: readonly string[] | undefined;
  /** Told of each informer that is asked for, with the scope that it has. */
  readonly asked?: (ref: KindRef, scope: InformerScope) => void;
}

/**
 * A factory over `shared` whose `synced` waits for the informers asked through it. Starting stays with the owner. Throws
 * TypeError for namespaces that are none.
 */
export function informerView(shared: InformerFactory, options: ViewOptions = {}): InformerFactory {
  // By kind and scope, for a reconcile may ask each time.
  const asked = new Map<string, Pick<Informer<KubeObject>, 'synced'>>();
  const namespaces = checked(options.namespaces);
  const within = <S extends InformerScope>(ref: KindRef, scope?: S): S | undefined =>
    keptTo(namespaces, ref, scope) as S | undefined;
  return {
    informer<T extends KubeObject, S extends InformerScope = InformerScope>(
      ref: KindRef<T>,
      scope?: S,
    ): Informer<Cached<T, S>> {
      const kind = ref as unknown as KindRef;
      const narrowed = within(kind, scope);
      const informer = shared.informer(ref, narrowed);
      asked.set(collectionId(kind, narrowed), informer);
      options.asked?.(kind, narrowed ?? {});
      return informer;
    },
    release: (ref, scope) => shared.release(ref, within(ref, scope)),
    observeWrite: (ref, object) => shared.observeWrite(ref, object),
    observeDelete: (ref, object) => shared.observeDelete(ref, object),
    start: (signal) => shared.start(signal),
    async synced(signal) {
      await Promise.all(Array.from(asked.values(), (informer) => informer.synced(signal)));
    },
  };
}

/** None named would be a controller that never does anything. */
function checked(namespaces: readonly string[] | undefined): readonly string[] | undefined {
  if (namespaces === undefined) return undefined;
  if (!Array.isArray(namespaces) || namespaces.length === 0)
    throw new TypeError(
      'namespaces must be a list of one namespace or more; leave it out for all of them',
    );
  for (const each of namespaces as readonly unknown[])
    if (typeof each !== 'string' || dnsLabel(each) !== undefined)
      throw new TypeError(
        `namespaces: ${JSON.stringify(each)} is no name of a namespace; leave namespaces out for all of them`,
      );
  return namespaces;
}

function keptTo(
  namespaces: readonly string[] | undefined,
  { namespaced }: KindRef,
  scope: InformerScope | undefined,
): InformerScope | undefined {
  if (!namespaces || !namespaced || scope?.namespace || scope?.namespaces) return scope;
  const { namespace: _, ...rest } = scope ?? {};
  return { ...rest, namespaces };
}

/** The same for the same kind and scope. */
export function collectionId(ref: KindRef, scope: InformerScope = {}): string {
  const { namespace, namespaces, labelSelector, fieldSelector, metadataOnly } = scope;
  const narrowed = [namespace, namespaces, labelSelector, fieldSelector, metadataOnly];
  return JSON.stringify([apiVersionOf(ref), ref.plural, ...narrowed]);
}
