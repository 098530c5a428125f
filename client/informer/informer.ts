// Informer: a local, indexed copy of one kind, kept by list and watch. The contract; the machine is beside it.
// Invariant: objects are shared and frozen; a key's state never goes back to an older revision.
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';

/**
 * Told of each change, after the cache shows it, in order. Whatever a handler throws is logged and counted, and nobody else
 * is held up. One that answers a promise is told of no further change until that has settled; what happens meanwhile is
 * told afterwards, one change for each object: from the state it was told last to the newest. So no more waits for a slow
 * handler than there are objects, and it never misses how an object ends up, but may miss states in between.
 * One that works on synchronously holds the event loop, as anything else would.
 */
export interface InformerHandler<T> {
  onAdd?(object: T): unknown;
  onUpdate?(object: T, old: T): unknown;
  /** `object`: as it was last; the deletion's revision where that is known. */
  onDelete?(object: T): unknown;
}

/** How a handler is told. */
export interface SubscribeOptions {
  /** In place of the informer's own `resyncMs` (options.ts); 0 for never. */
  readonly resyncMs?: number;
}

/** What to copy. */
export interface InformerScope {
  readonly namespace?: string | undefined;
  /** Several namespaces, and no others; in place of `namespace`. */
  readonly namespaces?: readonly string[] | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Only what every kind has: objects come and are kept as PartialObjectMetadata, a fraction of the whole. */
  readonly metadataOnly?: boolean | undefined;
}

/** What an informer of kind `T` and scope `S` holds. */
export type Cached<T extends KubeObject, S extends InformerScope> = S extends {
  readonly metadataOnly: true;
}
  ? KubeObject
  : T;

/** A local copy. */
export interface Informer<T extends KubeObject> {
  readonly ref: KindRef;
  /** By `namespace/name` (bare name for cluster-scoped kinds). */
  get(key: string): T | undefined;
  list(namespace?: string): T[];
  /** Adds an index; `values` gives the index keys of an object (indexes.ts has the usual ones). Before or after start. */
  addIndex(name: string, values: (object: T) => readonly string[]): void;
  byIndex(name: string, value: string): T[];
  /** Subscribes; objects already known are told as adds at once. Answers the way to unsubscribe. */
  subscribe(handler: InformerHandler<T>, options?: SubscribeOptions): () => void;
  /** True once the first list is in. */
  readonly hasSynced: boolean;
  synced(signal?: AbortSignal): Promise<void>;
  /** Lets the cache know the outcome of this program's own write, so that a read after it never shows an older state. */
  observeWrite(object: T): void;
  /** Lets the cache know that this program's own delete has removed the object for good: no read after it shows it. */
  observeDelete(object: DeletedObject): void;
}

/** Which object is gone. Another one of the same name has another uid. */
export interface DeletedObject {
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly uid: string;
}

/** One informer per kind and scope, shared by everything in this program. */
export interface InformerFactory {
  informer<T extends KubeObject, S extends InformerScope = InformerScope>(
    ref: KindRef<T>,
    scope?: S,
  ): Informer<Cached<T, S>>;
  /** Ends the informer of a kind that is gone, unless somebody still listens to it. */
  release(ref: KindRef, scope?: InformerScope): void;
  /** Tells every informer of the kind of an own write (observing-client.ts does it for every write of a client). */
  observeWrite(ref: KindRef, object: KubeObject): void;
  /** … of an own delete that removed the object. */
  observeDelete(ref: KindRef, object: DeletedObject): void;
  /** Starts those asked for so far, and later ones as they are asked for; all end with the signal. */
  start(signal: AbortSignal): void;
  synced(signal?: AbortSignal): Promise<void>;
}
