// The objects of a kind by namespace, for plugins that ask for them at each write and mostly find none.
// Invariant: what is known is what the store has; any change of the kind makes all of it unknown.
import type { KindRef } from '../../api/kind-ref.ts';
import { collectionPrefix } from '../registry/keys.ts';
import type { ObjectStore } from '../watch/object-store.ts';

/** Namespaces whose lists are remembered; past it they are found anew. */
const MAX_REMEMBERED = 1_000;

/** Finds the objects of the kind in a namespace, once for as long as none of the kind changes. */
export function knownLists<T>(
  store: ObjectStore,
  ref: KindRef,
): (namespace: string) => readonly T[] {
  const known = new Map<string, readonly T[]>();
  store.subscribe(collectionPrefix(ref), () => known.clear());
  return (namespace) => {
    const found = known.get(namespace);
    if (found) return found;
    const { items } = store.list(collectionPrefix(ref, namespace));
    const objects = items.map((item) => item.object() as unknown as T);
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(namespace, objects);
    return objects;
  };
}
