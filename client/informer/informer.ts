// Informer: a local, indexed copy of one kind, kept by list and watch. The contract; the machine is beside it.
// Invariant: objects are shared and frozen; a key's state never goes back to an older revision.
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';

/** Told of each change, after the cache shows it. Must not block and must not throw. */
export interface InformerHandler<T> {
  onAdd?(object: T): void;
  onUpdate?(object: T, old: T): void;
  onDelete?(object: T): void;
}

/** What to copy. */
export interface InformerScope {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** A local copy. */
export interface Informer<T extends KubeObject> {
  readonly ref: KindRef<T>;
  /** By `namespace/name` (bare name for cluster-scoped kinds). */
  get(key: string): T | undefined;
  list(namespace?: string): T[];
  /** Adds an index; `values` gives the index keys of an object. Before or after start. */
  addIndex(name: string, values: (object: T) => readonly string[]): void;
  byIndex(name: string, value: string): T[];
  /** Subscribes; objects already known are told as adds at once. Answers the way to unsubscribe. */
  subscribe(handler: InformerHandler<T>): () => void;
  /** True once the first list is in. */
  readonly hasSynced: boolean;
  synced(signal?: AbortSignal): Promise<void>;
  /** Lets the cache know the outcome of this program's own write, so that a read after it never shows an older state. */
  observeWrite(object: T): void;
}

/** One informer per kind and scope, shared by everything in this program. */
export interface InformerFactory {
  informer<T extends KubeObject>(ref: KindRef<T>, scope?: InformerScope): Informer<T>;
  /** Ends the informer of a kind that is gone, unless somebody still listens to it. */
  release(ref: KindRef<KubeObject>, scope?: InformerScope): void;
  /** Starts those asked for so far, and later ones as they are asked for; all end with the signal. */
  start(signal: AbortSignal): void;
  synced(signal?: AbortSignal): Promise<void>;
}
