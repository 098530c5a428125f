// Names in buckets, each bucket in order of size: the smallest that is large enough, or the largest that is small enough, is found
// without a look at the others. Invariant: a name is in one bucket at most; of equal sizes the one that came first counts.

interface Place {
  readonly bucket: string;
  readonly size: bigint;
  readonly order: number;
}

interface Entry {
  readonly name: string;
  readonly place: Place;
}

/** Names by bucket and size. */
export class SizeOrdered {
  readonly #places = new Map<string, Place>();
  readonly #buckets = new Map<string, Entry[]>();
  #order = 0;

  /** Puts a name where it belongs; one that is there already keeps its place where nothing has changed. */
  put(name: string, { bucket, size }: { readonly bucket: string; readonly size: bigint }): void {
    const known = this.#places.get(name);
    if (known?.bucket === bucket && known.size === size) return;
    this.remove(name);
    const place = { bucket, size, order: this.#order++ };
    this.#places.set(name, place);
    const entries = this.#buckets.get(bucket) ?? [];
    entries.splice(indexOf(entries, place), 0, { name, place });
    this.#buckets.set(bucket, entries);
  }

  /** Quiet when it is not there. */
  remove(name: string): void {
    const place = this.#places.get(name);
    if (!place) return;
    this.#places.delete(name);
    const entries = this.#buckets.get(place.bucket) ?? [];
    entries.splice(indexOf(entries, place), 1);
    if (entries.length === 0) this.#buckets.delete(place.bucket);
  }

  /** Names of a bucket from that size on, the smallest first. The bucket must not change while they are gone through. */
  *atLeast(bucket: string, size: bigint): Iterable<string> {
    const entries = this.#buckets.get(bucket) ?? [];
    for (let at = indexOf(entries, { size, order: -1 }); at < entries.length; at++)
      yield (entries[at] as Entry).name;
  }

  /** Names of a bucket up to that size, the largest first. The bucket must not change while they are gone through. */
  *atMost(bucket: string, size: bigint): Iterable<string> {
    const entries = this.#buckets.get(bucket) ?? [];
    for (let at = indexOf(entries, { size, order: this.#order }) - 1; at >= 0; at--)
      yield (entries[at] as Entry).name;
  }
}

type Point = Pick<Place, 'size' | 'order'>;

const isBefore = (a: Point, b: Point): boolean =>
  a.size === b.size ? a.order < b.order : a.size < b.size;

/** Where it is, or would stand. */
function indexOf(entries: readonly Entry[], point: Point): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore((entries[middle] as Entry).place, point)) low = middle + 1;
    else high = middle;
  }
  return low;
}
