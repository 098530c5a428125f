// The cluster as conditions see it: what the server has now, and what was written so far. Reads are synchronous.
// Invariant: it shows committed states only, each whole; everything in it is frozen.
import type { KindRef } from '../../api/kind-ref.ts';
import { parseLabelSelector } from '../../api/meta/labels.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { collectionPrefix, objectKey } from '../../apiserver/registry/keys.ts';
import type { ObjectStore, StoreEvent } from '../../apiserver/watch/object-store.ts';

/** A committed write. */
export interface Write {
  /** Virtual milliseconds since the run began. */
  readonly atMs: number;
  /** Whose request it was: a program, `story`, or a part of the cluster. */
  readonly by: string;
  readonly type: 'created' | 'updated' | 'deleted';
  /** The object after the write; its last state where it was deleted. */
  readonly object: KubeObject;
  readonly previous: KubeObject | undefined;
}

/** What conditions are given. */
export interface ClusterState {
  /** Wall time of the server, milliseconds since 1970-01-01 UTC. */
  readonly now: number;
  /** The objects of a kind, in order of their keys. */
  list<T extends KubeObject>(
    ref: KindRef<T>,
    options?: { readonly namespace?: string; readonly labelSelector?: string },
  ): T[];
  get<T extends KubeObject>(
    ref: KindRef<T>,
    at: { readonly namespace?: string; readonly name: string },
  ): T | undefined;
  /** Every write since the run began, oldest first. */
  readonly writes: readonly Write[];
  /** How many requests the program has made so far, its restarts included. */
  requests(program: string): number;
}

/** What a state is read from. */
export interface StateParts {
  readonly store: ObjectStore;
  now(): number;
  /** Whose request the server is at. */
  writer(): string;
  requests(program: string): number;
}

/** The state of a run's cluster, which follows its store until `close`. */
export class LiveState implements ClusterState {
  readonly writes: Write[] = [];
  readonly #parts: StateParts;
  readonly #startMs: number;
  readonly #leave: () => void;

  constructor(parts: StateParts) {
    this.#parts = parts;
    this.#startMs = parts.now();
    this.#leave = parts.store.subscribe('', (event) => this.#note(event));
  }

  get now(): number {
    return this.#parts.now();
  }

  list<T extends KubeObject>(
    ref: KindRef<T>,
    { namespace, labelSelector = '' }: { namespace?: string; labelSelector?: string } = {},
  ): T[] {
    const { items } = this.#parts.store.list(collectionPrefix(ref, namespace));
    const objects = items.map((item) => item.object() as unknown as T);
    if (labelSelector === '') return objects;
    const selector = parseLabelSelector(labelSelector);
    return objects.filter(({ metadata }) => selector.matches(metadata.labels ?? {}));
  }

  get<T extends KubeObject>(
    ref: KindRef<T>,
    { namespace = '', name }: { namespace?: string; name: string },
  ): T | undefined {
    const key = objectKey(ref, namespace, name);
    return this.#parts.store.get(key)?.object() as unknown as T | undefined;
  }

  requests(program: string): number {
    return this.#parts.requests(program);
  }

  /** Stops following. */
  close(): void {
    this.#leave();
  }

  #note({ type, value, previous }: StoreEvent): void {
    this.writes.push({
      atMs: this.now - this.#startMs,
      by: this.#parts.writer(),
      type: type === 'delete' ? 'deleted' : previous === undefined ? 'created' : 'updated',
      get object() {
        return value.object() as unknown as KubeObject;
      },
      get previous() {
        return previous?.object() as unknown as KubeObject | undefined;
      },
    });
  }
}
