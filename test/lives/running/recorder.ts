// Records what the API tells of pods and events of all namespaces, each change as a moment, by two watches that go on for a world's life.
// Invariant: nothing that the watch tells is left out or told twice; a watch that ends is taken up where it ended.
import type { Event, Pod } from '../../../api/generated/types.ts';
import { Events, Pods } from '../../../api/kinds.ts';
import type { KindRef } from '../../../api/kind-ref.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import type { Client } from '../../../client/rest/client.ts';

/** A pod at the moment of a change. */
export interface Moment {
  readonly pod: Pod;
  readonly atMs: number;
  readonly deleted: boolean;
}

/** What was seen of all pods. */
export class Recorder {
  readonly #client: Client;
  readonly #now: () => number;
  readonly #moments = new Map<string, Moment[]>();
  readonly #events = new Map<string, Event[]>();
  readonly #listeners = new Set<() => void>();
  readonly #stop = new AbortController();
  readonly #runs: Promise<void>[] = [];
  #failure: unknown;

  constructor(client: Client, now: () => number) {
    this.#client = client;
    this.#now = now;
  }

  /** Begins to record, from this moment on. */
  async start(): Promise<void> {
    for (const run of [
      await this.#record(Pods, (deleted, pod) => {
        const { namespace = '', name } = pod.metadata;
        listIn(this.#moments, `${namespace}/${name}`).push({ pod, atMs: this.#now(), deleted });
      }),
      await this.#record(Events, (deleted, event) => {
        if (!deleted) listIn(this.#events, event.metadata.namespace ?? '').push(event);
      }),
    ])
      this.#runs.push(
        run().catch((error: unknown) => {
          if (!this.#stop.signal.aborted) this.#failure = error;
          this.wake();
        }),
      );
  }

  /** Everything seen of a pod, in order. */
  of(namespace: string, name: string): readonly Moment[] {
    return this.#moments.get(`${namespace}/${name}`) ?? [];
  }

  /** Names of all pods seen in a namespace. */
  namesIn(namespace: string): string[] {
    return [...this.#moments.keys()]
      .filter((key) => key.startsWith(`${namespace}/`))
      .map((key) => key.slice(namespace.length + 1));
  }

  /** Events of a namespace, in the order of their writes; one that is counted up is there again. */
  eventsIn(namespace: string): readonly Event[] {
    return this.#events.get(namespace) ?? [];
  }

  /** Calls back after each change until it is told no more. Throws where the recording has failed. */
  onChange(listener: () => void): () => void {
    if (this.#failure !== undefined)
      throw new Error('the recording failed', { cause: this.#failure });
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Has whoever waits look again. */
  wake(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Ends the watches. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('the recording is over'));
    await Promise.all(this.#runs);
  }

  async #record<T extends KubeObject>(
    kind: KindRef<T>,
    note: (deleted: boolean, object: T) => void,
  ): Promise<() => Promise<void>> {
    const { signal } = this.#stop;
    const resource = this.#client.resource(kind);
    const list = await resource.list({ limit: 1, signal });
    let resourceVersion = list.metadata?.resourceVersion;
    return async () => {
      while (!signal.aborted) {
        for await (const batch of resource.watch({ resourceVersion, signal }))
          for (const { type, object } of batch) {
            resourceVersion = object.metadata.resourceVersion;
            if (type === 'BOOKMARK') continue;
            note(type === 'DELETED', object);
            this.wake();
          }
      }
    };
  }
}

function listIn<T>(lists: Map<string, T[]>, key: string): T[] {
  const known = lists.get(key);
  if (known) return known;
  const made: T[] = [];
  lists.set(key, made);
  return made;
}
