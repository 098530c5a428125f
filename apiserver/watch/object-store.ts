// What the server reads: every live object as bytes in key order, the newest history, and the watchers; all of it fed
// by one watch of Storage. Invariants: only durable states are seen; `revision` and the index change together, so a
// list is consistent; once commit has answered, its write is in the index and on its way to every watcher.
// Costs: get O(1); list O(log n + page); an event O(log n + watchers of its prefixes).
import type { LooseObject } from '../../api/meta/object.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { BatchReader, EventBuffer } from '../storage/event-buffer.ts';
import { OrderedMap } from '../storage/ordered-map.ts';
import type {
  CommitResult,
  NewValue,
  Page,
  PageOptions,
  Storage,
  StorageEvent,
  Stored,
} from '../storage/storage.ts';
import { StorageError } from '../storage/storage.ts';
import { HistoryRing } from './history-ring.ts';
import type { StoreEvent } from './visible-object.ts';
import { VisibleObject } from './visible-object.ts';
import { covers, WatchHub } from './watch-hub.ts';

export type { StoreEvent } from './visible-object.ts';
export { VisibleObject } from './visible-object.ts';

/** Events of history kept in memory for watches that resume. */
export const RING_MAX_EVENTS = 10_000;
/** Bytes of history kept in memory: 32 MiB. */
export const RING_MAX_BYTES = 32 * 1024 * 1024;
/** Events that a watcher may leave unread before it is ended with Expired. */
export const WATCHER_MAX_EVENTS = 10_000;
/** Bytes that a watcher may leave unread: 32 MiB, shared with the other watchers of the prefix. */
export const WATCHER_MAX_BYTES = 32 * 1024 * 1024;
/** Events handed to a watcher at once while it catches up. */
const REPLAY_BATCH = 500;
/** Objects read from storage at once when the index is filled. */
const LOAD_PAGE = 1_000;

/** What an ObjectStore needs, and its limits. */
export interface ObjectStoreOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ringMaxEvents?: number;
  readonly ringMaxBytes?: number;
  readonly watcherMaxEvents?: number;
  readonly watcherMaxBytes?: number;
}

/** Which part of a list. */
export interface ListOptions {
  readonly limit?: number;
  /** Exclusive start key. */
  readonly after?: string;
}

/** A consistent list of the present. */
export interface ObjectList {
  readonly items: readonly VisibleObject[];
  readonly revision: bigint;
  readonly more: boolean;
  /** How many further objects the prefix has after this page. */
  readonly remaining: number;
}

/** Where a watch starts. */
export interface WatchOptions {
  /** Events after this revision; from now on when absent. */
  readonly from?: bigint;
  /** 'list': the present objects come first, as puts with no previous state; `from` is then not used. */
  readonly initial?: 'none' | 'list';
  readonly signal: AbortSignal;
}

/** A new value, and what its bytes were made of: nobody changes it after it was handed in. Readers of large values get it as it is. */
export interface WrittenValue extends NewValue {
  readonly object?: LooseObject;
}

/** A watch: batches of events, in order, each once. */
export interface StoreWatch {
  /** Tells the reader of what waits, or once of what comes next; of Expired, where it fell behind: the watch is then over. */
  read(reader: BatchReader<StoreEvent>): void;
  /** The same as a promise. */
  next(): Promise<readonly StoreEvent[] | undefined>;
  /** Events that came and were not read yet. */
  readonly unread: number;
  /** Tells a reader that waits of an empty batch. */
  nudge(): void;
  /** Ends it; for a reader that goes before it ever iterated. */
  close(): void;
}

/** The visible state of a Storage. */
export class ObjectStore {
  readonly #storage: Storage;
  readonly #byKey = new Map<string, VisibleObject>();
  readonly #ordered = new OrderedMap<VisibleObject>();
  readonly #hub: WatchHub;
  readonly #ring: HistoryRing;
  readonly #logger: Logger;
  readonly #stop = new AbortController();
  /** What bytes that are not visible yet were made of. */
  readonly #written = new WeakMap<Uint8Array, LooseObject>();
  #revision: bigint;
  #waiting: { readonly revision: bigint; readonly wake: () => void }[] = [];
  #failed: StorageError | undefined;
  #feeding: Promise<void> = Promise.resolve();

  private constructor(storage: Storage, start: bigint, options: ObjectStoreOptions) {
    this.#storage = storage;
    this.#revision = start;
    this.#logger = options.logger;
    this.#ring = new HistoryRing(start, {
      maxEvents: options.ringMaxEvents ?? RING_MAX_EVENTS,
      maxBytes: options.ringMaxBytes ?? RING_MAX_BYTES,
    });
    const limits = {
      maxEvents: options.watcherMaxEvents ?? WATCHER_MAX_EVENTS,
      maxBytes: options.watcherMaxBytes ?? WATCHER_MAX_BYTES,
    };
    this.#hub = new WatchHub(limits, options.clock);
  }

  /** Reads the objects as they were where the ring begins, then follows the history up to now and on. */
  static async open(storage: Storage, options: ObjectStoreOptions): Promise<ObjectStore> {
    const { oldest, newest } = storage.range();
    const ring = BigInt(options.ringMaxEvents ?? RING_MAX_EVENTS);
    const start = newest - ring > oldest ? newest - ring : oldest;
    const store = new ObjectStore(storage, start, options);
    await store.#load(start);
    store.#feeding = store.#feed();
    await store.#visible(storage.range().newest);
    return store;
  }

  /** The revision that reads show. */
  get revision(): bigint {
    return this.#revision;
  }

  /** How many objects there are. */
  get size(): number {
    return this.#byKey.size;
  }

  /** How many watches are open. */
  get watchers(): number {
    return this.#hub.watchers;
  }

  /** The visible state of a key. */
  get(key: string): VisibleObject | undefined {
    return this.#byKey.get(key);
  }

  /** The newest state of a key, writes not yet durable included: for read-modify-write, never to be shown. */
  latest(key: string): Stored | undefined {
    const pending = this.#storage.pending(key);
    const visible = this.#byKey.get(key);
    return pending && visible?.revision === pending.revision ? visible : pending;
  }

  /** Objects of a prefix (see watch-hub.ts) in key order. */
  list(prefix: string, options: ListOptions = {}): ObjectList {
    const revision = this.#revision;
    if (prefix !== '' && !prefix.endsWith('/')) {
      const object = this.#byKey.get(prefix);
      return { items: object ? [object] : [], revision, more: false, remaining: 0 };
    }
    const { limit = Infinity, after } = options;
    const { values, remaining } = this.#ordered.slice({ prefix, after }, limit);
    return { items: values, revision, more: remaining > 0, remaining };
  }

  /** A page of a past revision; of the present when `at` is the present one. Throws Expired. */
  async pageAt(prefix: string, options: PageOptions): Promise<Page> {
    const { at, ...rest } = options;
    if (at === undefined || at === this.#revision) return this.list(prefix, rest);
    if (at > this.#revision) await this.#visible(at);
    return this.#storage.page(prefix, options);
  }

  /** Compare-and-set; when it answers, the write (or the conflicting one) is visible. */
  async commit(
    key: string,
    expected: bigint | 'absent' | 'any',
    value: WrittenValue | 'delete',
  ): Promise<CommitResult> {
    if (value !== 'delete' && value.object) this.#written.set(value.bytes, value.object);
    const result = await this.#storage.commit(key, expected, value);
    await this.#visible(
      result.kind === 'committed' ? result.revision : this.#storage.range().newest,
    );
    return result;
  }

  /** Resolves with a revision, visible by then, that is at least every write answered before the call. */
  async barrier(signal?: AbortSignal): Promise<bigint> {
    const revision = await this.#storage.barrier(signal);
    await this.#visible(revision);
    signal?.throwIfAborted();
    return this.#revision;
  }

  /**
   * Events of a prefix from the moment of the call, or after `from`. Throws Expired at once when history no longer
   * covers `from`, and when read where the reader falls behind. Ends on abort and on close.
   */
  watch(prefix: string, options: WatchOptions): StoreWatch {
    if (this.#failed) throw this.#failed;
    const { from, initial, signal } = options;
    const first = initial === 'list' ? this.#present(prefix) : this.#replay(prefix, from);
    const position = from !== undefined && from > this.#revision ? from : this.#revision;
    const { buffer, release } = this.#hub.open(prefix);
    if (signal.aborted) release();
    signal.addEventListener('abort', release, { once: true });
    const done = () => {
      signal.removeEventListener('abort', release);
      release();
    };
    const read = readingOf({ first, position, buffer });
    return {
      read,
      next: () => new Promise((resolve, reject) => read({ resolve, reject })),
      get unread() {
        return buffer.unread;
      },
      nudge: () => buffer.nudge(),
      close: done,
    };
  }

  /** Calls the handler in the same turn in which an event becomes visible; the answer ends the subscription. */
  subscribe(prefix: string, handler: (event: StoreEvent) => void): () => void {
    return this.#hub.subscribe(prefix, (event) => {
      try {
        handler(event);
      } catch (error) {
        this.#logger.error('a view of the object store threw', { err: error, key: event.key });
      }
    });
  }

  /** Ends the watchers and stops following the storage, which stays open. */
  async close(): Promise<void> {
    this.#failed ??= new StorageError('Unavailable', 'the object store is closed');
    this.#stop.abort();
    await this.#feeding;
    this.#hub.end();
    this.#wake();
  }

  async #load(at: bigint): Promise<void> {
    for (let after: string | undefined; ; ) {
      const options = { at, limit: LOAD_PAGE, ...(after === undefined ? {} : { after }) };
      const page = await this.#storage.page('', options);
      for (const stored of page.items) this.#set(visible(stored));
      after = page.items.at(-1)?.key;
      if (!page.more) return;
    }
  }

  async #feed(): Promise<void> {
    try {
      const changes = this.#storage.watch('', this.#revision, this.#stop.signal);
      for await (const batch of changes) this.#apply(batch);
      this.#failed ??= new StorageError('Unavailable', 'the store is closed');
    } catch (error) {
      this.#logger.error('the object store lost its storage', { err: error });
      this.#failed =
        error instanceof StorageError
          ? error
          : new StorageError('Unavailable', 'the object store failed', error);
    }
    this.#hub.end(this.#stop.signal.aborted ? undefined : this.#failed);
    this.#wake();
  }

  #apply(batch: readonly StorageEvent[]): void {
    const changes = batch.map((event) => this.#change(event));
    const last = changes.at(-1);
    if (!last) return;
    this.#revision = last.revision;
    this.#ring.add(changes);
    this.#hub.publish(changes);
    this.#wake();
  }

  #change({ type, key, revision, value, previous: before }: StorageEvent): StoreEvent {
    const visible = this.#byKey.get(key);
    const previous =
      before && visible?.revision !== before.revision ? new VisibleObject(before) : visible;
    const object = new VisibleObject(value, this.#written.get(value.bytes));
    this.#written.delete(value.bytes);
    if (type === 'put') this.#set(object);
    else {
      this.#byKey.delete(key);
      this.#ordered.delete(key);
    }
    return { type, key, revision, value: object, previous };
  }

  #set(object: VisibleObject): void {
    this.#byKey.set(object.key, object);
    this.#ordered.set(object.key, object);
  }

  async #visible(revision: bigint): Promise<void> {
    while (this.#revision < revision) {
      if (this.#failed) throw this.#failed;
      await new Promise<void>((wake) => {
        this.#waiting.push({ revision, wake });
      });
    }
  }

  #wake(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting)
      if (waiter.revision <= this.#revision || this.#failed) waiter.wake();
      else this.#waiting.push(waiter);
  }

  #present(prefix: string): StoreEvent[] {
    return this.list(prefix).items.map((value) => asPut(value));
  }

  #replay(prefix: string, from: bigint | undefined): StoreEvent[] {
    if (from === undefined || from >= this.#revision) return [];
    if (from < this.#ring.floor)
      throw new StorageError('Expired', `too old resource version: ${from} (${this.#ring.floor})`);
    return this.#ring.after(from, ({ key }) => covers(prefix, key));
  }
}

/** The state with its value; one that another store has read already is shared, as neither changes it. */
const visible = (stored: Stored): VisibleObject =>
  stored instanceof VisibleObject ? stored : new VisibleObject(stored);

/** A present object as the event that would have made it. */
export function asPut(value: VisibleObject): StoreEvent {
  return { type: 'put', key: value.key, revision: value.revision, value, previous: undefined };
}

interface Source {
  readonly first: readonly StoreEvent[];
  readonly position: bigint;
  readonly buffer: EventBuffer<StoreEvent>;
}

/** The first events in pieces, then what comes after `position`. */
function readingOf({ first, position, buffer }: Source): StoreWatch['read'] {
  let left = first;
  let isPast = false;
  const fresh = (batch: readonly StoreEvent[] | undefined) => {
    isPast = (batch?.[0]?.revision ?? position) > position;
    return isPast ? batch : batch?.filter(({ revision }) => revision > position);
  };
  return (reader) => {
    if (left.length > 0 && !buffer.ended) {
      const piece = left.slice(0, REPLAY_BATCH);
      left = left.slice(REPLAY_BATCH);
      reader.resolve(piece);
    } else if (isPast) buffer.read(reader);
    else
      buffer.read({
        resolve: (batch) => reader.resolve(fresh(batch)),
        reject: (error) => reader.reject(error),
      });
  };
}
