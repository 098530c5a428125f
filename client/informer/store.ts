// The local copy itself: objects by key, with indexes, and the rules by which a newer state replaces an older one.
// Invariant: a key's state never goes back to an older revision; a change costs the same however many objects there are.
import type { KubeObject } from '../../api/meta/object.ts';
import { keyOf } from '../../api/meta/object.ts';

/** What a change came to; undefined where nothing changed. A replaced object of another uid is two changes. */
export type StoreChange<T> =
  | { readonly kind: 'add'; readonly object: T }
  | { readonly kind: 'update'; readonly object: T; readonly old: T }
  | { readonly kind: 'delete'; readonly object: T };

interface Index<T> {
  readonly values: (object: T) => readonly string[];
  readonly buckets: Map<string, Map<string, T>>;
}

/** The built-in index by namespace. */
const NAMESPACE = 'metadata.namespace';

/** Objects of one kind. */
export class ObjectStore<T extends KubeObject> {
  #objects = new Map<string, T>();
  readonly #indexes = new Map<string, Index<T>>();
  /** The newest revision the server's stream has shown: everything up to it is in. */
  #revision = 0;

  constructor() {
    this.addIndex(NAMESPACE, (object) => [object.metadata.namespace ?? '']);
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(namespace?: string): T[] {
    return namespace === undefined
      ? [...this.#objects.values()]
      : this.byIndex(NAMESPACE, namespace);
  }

  /** Adds an index over what is here and what will come; a name is given once. */
  addIndex(name: string, values: (object: T) => readonly string[]): void {
    if (this.#indexes.has(name)) return;
    const index: Index<T> = { values, buckets: new Map() };
    this.#indexes.set(name, index);
    for (const [key, object] of this.#objects) enter(index, key, object);
  }

  byIndex(name: string, value: string): T[] {
    const index = this.#indexes.get(name);
    if (!index) throw new RangeError(`no index named ${JSON.stringify(name)}`);
    return [...(index.buckets.get(value)?.values() ?? [])];
  }

  /** Takes a state from the stream; older states than the known one are passed over. */
  apply(object: T): StoreChange<T>[] {
    this.advance(revisionOf(object));
    return this.#put(object);
  }

  /** Takes a deletion from the stream. */
  remove(object: T): StoreChange<T>[] {
    const revision = revisionOf(object);
    this.advance(revision);
    const old = this.#objects.get(keyOf(object));
    if (!old || revisionOf(old) > revision) return [];
    this.#drop(keyOf(object), old);
    return [{ kind: 'delete', object }];
  }

  /**
   * Takes the outcome of this program's own write. Passed over where the stream is past it already:
   * then a missing object was deleted since, and a present one is newer.
   */
  observe(object: T): StoreChange<T>[] {
    return revisionOf(object) <= this.#revision ? [] : this.#put(object);
  }

  /** Notes that the stream has shown everything up to `revision`. */
  advance(revision: number): void {
    if (revision > this.#revision) this.#revision = revision;
  }

  /**
   * Takes a whole collection as it was at `revision`. Own writes newer than it stay. A revision below
   * what was seen before means another history (a store put back): then nothing of before stays.
   */
  replace(objects: readonly T[], revision: number): StoreChange<T>[] {
    const otherHistory = revision < this.#revision;
    this.#revision = revision;
    const changes: StoreChange<T>[] = [];
    const listed = new Set(objects.map(keyOf));
    for (const [key, old] of this.#objects) {
      if (listed.has(key) || (!otherHistory && revisionOf(old) > revision)) continue;
      this.#drop(key, old);
      changes.push({ kind: 'delete', object: old });
    }
    for (const object of objects) changes.push(...this.#put(object, otherHistory));
    return changes;
  }

  #put(object: T, evenIfOlder = false): StoreChange<T>[] {
    const key = keyOf(object);
    const old = this.#objects.get(key);
    if (!old) {
      this.#set(key, object);
      return [{ kind: 'add', object }];
    }
    if (revisionOf(old) === revisionOf(object) && old.metadata.uid === object.metadata.uid)
      return [];
    if (!evenIfOlder && revisionOf(old) > revisionOf(object)) return [];
    this.#drop(key, old);
    this.#set(key, object);
    if (old.metadata.uid === object.metadata.uid) return [{ kind: 'update', object, old }];
    return [
      { kind: 'delete', object: old },
      { kind: 'add', object },
    ];
  }

  #set(key: string, object: T): void {
    this.#objects.set(key, object);
    for (const index of this.#indexes.values()) enter(index, key, object);
  }

  #drop(key: string, old: T): void {
    this.#objects.delete(key);
    for (const index of this.#indexes.values()) leave(index, key, old);
  }
}

function enter<T>(index: Index<T>, key: string, object: T): void {
  for (const value of index.values(object)) {
    const bucket = index.buckets.get(value);
    if (bucket) bucket.set(key, object);
    else index.buckets.set(value, new Map([[key, object]]));
  }
}

function leave<T>(index: Index<T>, key: string, object: T): void {
  for (const value of index.values(object)) {
    const bucket = index.buckets.get(value);
    bucket?.delete(key);
    if (bucket?.size === 0) index.buckets.delete(value);
  }
}

/** An object's revision as a number (revisions are far below 2^53); 0 where it has none. */
function revisionOf(object: KubeObject): number {
  return Number(object.metadata.resourceVersion ?? 0) || 0;
}
