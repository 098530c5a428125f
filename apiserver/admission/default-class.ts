// Which object of a kind is marked as the one for those that name none: classes of Ingresses and of storage.
// Invariant: of several the newest counts; of equally new ones the first by name.
import type { KindRef } from '../../api/kind-ref.ts';
import { collectionPrefix } from '../registry/keys.ts';
import type { ObjectStore } from '../watch/object-store.ts';

/** The name of the object that carries one of the marks. */
export function newestDefault(
  store: ObjectStore,
  ref: KindRef,
  ...marks: readonly string[]
): string | undefined {
  const [chosen] = store
    .list(collectionPrefix(ref))
    .items.map((item) => item.object().metadata)
    .filter(({ annotations }) => marks.some((mark) => annotations?.[mark] === 'true'))
    .toSorted((a, b) => {
      const [ours = '', theirs = ''] = [a.creationTimestamp, b.creationTimestamp];
      if (ours !== theirs) return ours < theirs ? 1 : -1;
      return (a.name ?? '') < (b.name ?? '') ? -1 : 1;
    });
  return chosen?.name;
}
