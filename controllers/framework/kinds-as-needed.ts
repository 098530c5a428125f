// Kinds that a controller of the builder finds out about while it runs: those of objects that users name, for instance.
// Invariant: a kind and scope is listened to once however often it is asked for, and no more once it is let go.
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { Informer, InformerScope } from '../../client/informer/informer.ts';
import { collectionId } from './informer-view.ts';
import type { ChangePredicate } from './predicates.ts';
import type { ControllerContext, Source } from './reconciler.ts';
import { source } from './reconciler.ts';

/** Which changes of such a kind wake which objects. */
export interface WatchAsNeeded<W extends KubeObject> {
  /** Keys of the controller's own kind that a changed object concerns, asked about its new state and its old one. */
  readonly map: (object: W) => readonly string[];
  /** All of the kind unless given. */
  readonly scope?: InformerScope;
  /** Which changes count; all unless given. */
  readonly where?: ChangePredicate<W>;
}

/** What a reconcile is given to watch more with. */
export interface KindsAsNeeded {
  /**
   * From the first call on, changes of objects of this kind wake what `map` says. Called again for a kind and scope that are watched it
   * changes nothing. Answers the cache, which is empty until `synced`; of a kind that the server does not have it never is.
   */
  readonly watch: <W extends KubeObject>(ref: KindRef<W>, options: WatchAsNeeded<W>) => Informer<W>;
  /** Lets the kind go. */
  readonly unwatch: (ref: KindRef, scope?: InformerScope) => void;
}

/** For one run of a controller: `connect` is its spec's `moreSources`. */
export function kindsAsNeeded(
  informers: ControllerContext['informers'],
): KindsAsNeeded & { readonly connect: (add: (source: Source) => () => void) => void } {
  const watched = new Map<string, () => void>();
  let add: (source: Source) => () => void = () => {
    throw new Error('kinds can be watched as needed while the controller runs, in its reconciles');
  };
  return {
    connect(given) {
      add = given;
    },
    watch<W extends KubeObject>(ref: KindRef<W>, { map, scope, where }: WatchAsNeeded<W>) {
      const id = collectionId(ref, scope);
      const keys = (object: W, old: W | undefined) =>
        old && old !== object ? [...new Set([...map(object), ...map(old)])] : map(object);
      const more = { ...(scope && { scope }), ...(where && { predicate: where }) };
      if (!watched.has(id)) watched.set(id, add(source<W>({ ref, keys, ...more })));
      return informers.informer(ref, scope) as Informer<W>;
    },
    unwatch(ref, scope) {
      const id = collectionId(ref, scope);
      watched.get(id)?.();
      watched.delete(id);
    },
  };
}
