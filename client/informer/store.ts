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
  /** Under which values each key stands. */
  readonly entered: Map<string, readonly string[]>;
}

/** Where an object stands in one index. */
interface Place<T> {
  readonly key: string;
  readonly object: T;
  readonly values: readonly string[];
}

type Places<T> = readonly { readonly index: Index<T>; readonly place: Place<T> }[];

/** The built-in index by namespace. */
const NAMESPACE = 'metadata.namespace';

/** What own writes took away and the stream has not shown yet is remembered up to this number; beyond it the oldest is forgotten. */
export const MAX_GONE = 10_000;

/** Objects of one kind. */
export class ObjectStore<T extends KubeObject> {
  #objects = new Map<string, T>();
  readonly #indexes = new Map<string, Index<T>>();
  /**
   * Uids of objects that this program took away before the stream has shown so, each with the revision up to which its states
   * are over: every one where it was removed for good.
   */
  readonly #gone = new Map<string, number>();
  /** The collection that is being taken in, by key: part of what the stream has shown. */
  #coming: ReadonlyMap<string, T> | undefined;
  /** The newest revision the server's stream has shown: everything up to it is in, or `#coming`. */
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
    const index: Index<T> = { values, buckets: new Map(), entered: new Map() };
    for (const [key, object] of this.#objects)
      enter(index, { key, object, values: values(object) });
    this.#indexes.set(name, index);
  }

  byIndex(name: string, value: string): T[] {
    const index = this.#indexes.get(name);
    if (!index) throw new RangeError(this.#without(name));
    return [...(index.buckets.get(value)?.values() ?? [])];
  }

  #without(name: string): string {
    const there = [...this.#indexes.keys()].filter((known) => known !== NAMESPACE);
    const known = there.length > 0 ? `there are ${there.join(', ')}` : 'there is none';
    return `no index named ${JSON.stringify(name)}: ${known}; addIndex makes one, of a controller's own kind .index(…)`;
  }

  /**
   * Takes a state from the stream. Passed over where the stream is past it already, as with a line that comes twice: what
   * is missing then was deleted since.
   */
  apply(object: T): StoreChange<T>[] {
    const revision = revisionOf(object);
    if (revision <= this.#revision) return [];
    const changes = this.#put(object);
    this.advance(revision);
    return changes;
  }

  /** Takes a deletion from the stream; likewise passed over where it comes again. */
  remove(object: T): StoreChange<T>[] {
    const revision = revisionOf(object);
    if (revision <= this.#revision) return [];
    this.advance(revision);
    this.#shown(object.metadata.uid ?? '', revision);
    const old = this.#objects.get(keyOf(object));
    if (!old || revisionOf(old) > revision) return [];
    this.#drop(keyOf(object));
    return [{ kind: 'delete', object }];
  }

  /**
   * Takes the outcome of this program's own write. Passed over where the stream is past it already:
   * then a missing object was deleted since, and a present one is newer. So is one whose revision is no number.
   * One that is past in a collection whose turn has not come yet comes now.
   */
  observe(object: T): StoreChange<T>[] {
    if (revisionOf(object) > this.#revision) return this.#put(object);
    const listed = this.#coming?.get(keyOf(object));
    return listed ? this.#put(listed) : [];
  }

  /** Takes an own write by which the object left the scope; passed over as `observe` passes over, and where it was not here. */
  observeLeft(object: T): StoreChange<T>[] {
    const revision = revisionOf(object);
    const old = this.#objects.get(keyOf(object));
    if (!(revision > this.#revision) || !old || old.metadata.uid !== object.metadata.uid) return [];
    if (revisionOf(old) > revision) return [];
    this.#takeAway(object.metadata.uid ?? '', revision);
    this.#drop(keyOf(object));
    return [{ kind: 'delete', object }];
  }

  /**
   * Takes an own delete that removed the object of that uid. What the stream still has to tell of it is passed over, for uids
   * are never given again.
   */
  observeDelete(key: string, uid: string): StoreChange<T>[] {
    this.#takeAway(uid, Number.POSITIVE_INFINITY);
    const old = this.#objects.get(key);
    if (old?.metadata.uid !== uid) return [];
    this.#drop(key);
    return [{ kind: 'delete', object: old }];
  }

  /** Notes that the stream has shown everything up to `revision`; one that is no number says nothing. */
  advance(revision: number): void {
    if (revision > this.#revision) this.#revision = revision;
  }

  /**
   * Takes a whole collection as it was at `revision`, some objects at each step, so that others get their turn between: what
   * is no longer there goes first. Own writes newer than it stay. A revision below what was seen before means another
   * history (a store put back): then nothing of before stays.
   */
  *replace(
    objects: readonly T[],
    revision: number,
    perStep = Number.POSITIVE_INFINITY,
  ): Generator<StoreChange<T>[]> {
    const otherHistory = revision < this.#revision;
    if (otherHistory) this.#gone.clear();
    const before = new Map(this.#objects);
    const listed = new Map(before.size === 0 ? [] : objects.map((each) => [keyOf(each), each]));
    this.#coming = listed;
    // What has changed since this began is an own write, and so is what is newer than the list.
    const stays = (key: string, old: T | undefined) =>
      this.#objects.get(key) !== old ||
      (old !== undefined && !otherHistory && revisionOf(old) > revision);
    this.#revision = Number.isNaN(revision) ? 0 : revision;
    let changes: StoreChange<T>[] = [];
    let taken = 0;
    for (const [key, old] of before) {
      if (listed.has(key) || stays(key, old)) continue;
      this.#drop(key);
      changes.push({ kind: 'delete', object: old });
      if (++taken % perStep !== 0) continue;
      yield changes;
      changes = [];
    }
    for (const object of objects) {
      const key = keyOf(object);
      if (!stays(key, before.get(key))) changes.push(...this.#put(object, true));
      if (++taken % perStep !== 0) continue;
      yield changes;
      changes = [];
    }
    this.#coming = undefined;
    yield changes;
  }

  #takeAway(uid: string, upTo: number): void {
    const [oldest] = this.#gone.keys();
    if (oldest !== undefined && this.#gone.size >= MAX_GONE) this.#gone.delete(oldest);
    this.#gone.set(uid, upTo);
  }

  /** The stream has come to where the object was taken away. */
  #shown(uid: string, revision: number): void {
    const upTo = this.#gone.get(uid);
    if (upTo === Number.POSITIVE_INFINITY || (upTo !== undefined && revision >= upTo))
      this.#gone.delete(uid);
  }

  #put(object: T, evenIfOlder = false): StoreChange<T>[] {
    const key = keyOf(object);
    const goneUpTo = this.#gone.get(object.metadata.uid ?? '');
    if (goneUpTo !== undefined && !(revisionOf(object) > goneUpTo)) return [];
    const old = this.#objects.get(key);
    const places = this.#placesOf(object);
    if (!old) {
      this.#set(key, object, places);
      return [{ kind: 'add', object }];
    }
    const { resourceVersion, uid } = old.metadata;
    if (resourceVersion === object.metadata.resourceVersion && uid === object.metadata.uid)
      return [];
    if (!evenIfOlder && revisionOf(old) > revisionOf(object)) return [];
    this.#set(key, object, places);
    if (uid === object.metadata.uid) return [{ kind: 'update', object, old }];
    return [
      { kind: 'delete', object: old },
      { kind: 'add', object },
    ];
  }

  /** Where the object is to stand. An index function that throws does so here, before anything has changed. */
  #placesOf(object: T): Places<T> {
    const key = keyOf(object);
    return Array.from(this.#indexes.values(), (index) => ({
      index,
      place: { key, object, values: index.values(object) },
    }));
  }

  /** Takes the object in, in place of what stands under its key. */
  #set(key: string, object: T, places: Places<T>): void {
    this.#drop(key);
    this.#objects.set(key, object);
    for (const { index, place } of places) enter(index, place);
  }

  #drop(key: string): void {
    this.#objects.delete(key);
    for (const index of this.#indexes.values()) leave(index, key);
  }
}

function enter<T>(index: Index<T>, place: Place<T>): void {
  index.entered.set(place.key, place.values);
  for (const value of place.values) {
    const bucket = index.buckets.get(value);
    if (bucket) bucket.set(place.key, place.object);
    else index.buckets.set(value, new Map([[place.key, place.object]]));
  }
}

function leave<T>(index: Index<T>, key: string): void {
  for (const value of index.entered.get(key) ?? []) {
    const bucket = index.buckets.get(value);
    bucket?.delete(key);
    if (bucket?.size === 0) index.buckets.delete(value);
  }
  index.entered.delete(key);
}

/**
 * An object's revision as a number (revisions are far below 2^53). NaN where it has none, or one that is no number, as servers
 * behind the API server may have: neither older nor newer than any other, so that the last one that came counts.
 */
function revisionOf(object: KubeObject): number {
  return Number(object.metadata.resourceVersion || Number.NaN);
}
