// One informer: a store that a reflector keeps, and the handlers that are told of what changes in it.
// Invariant: handlers are told after the cache shows the change, and no handler, index or transform can break another or the
// reflector.
import { breathe } from '../../base/breathe.ts';
import type { Timer } from '../../base/clock.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import { type FieldTerm, parseFieldSelector } from '../../api/meta/field-selector.ts';
import { parseLabelSelector } from '../../api/meta/labels.ts';
import type { Selector } from '../../api/meta/labels.ts';
import type { KubeObject, ObjectMeta } from '../../api/meta/object.ts';
import { keyOf } from '../../api/meta/object.ts';
import { partialMetadata } from '../../api/wire/table.ts';
import type { ResourceClient, WatchEvent } from '../rest/client.ts';
import { metadataClient } from '../rest/metadata-client.ts';
import { fieldVerdict } from './field-scope.ts';
import { cacheable } from './freeze.ts';
import { HandlerFeed } from './handler-feed.ts';
import type {
  DeletedObject,
  Informer,
  InformerHandler,
  InformerScope,
  SubscribeOptions,
} from './informer.ts';
import { newCounters, REPLACE_TURN } from './options.ts';
import type { InformerCounters, InformerFactoryOptions } from './options.ts';
import { runReflector } from './reflector.ts';
import type { ReflectorTarget } from './reflector.ts';
import { ObjectStore } from './store.ts';
import type { StoreChange } from './store.ts';

/** An informer that its factory runs and ends. `T` is what it holds: its kind's objects, or their metadata. */
export class CachedInformer<T extends KubeObject> implements Informer<T>, ReflectorTarget<T> {
  readonly ref: KindRef;
  readonly counters: InformerCounters = newCounters();
  readonly #scope: InformerScope;
  readonly #options: InformerFactoryOptions;
  readonly #store = new ObjectStore<T>();
  readonly #feeds = new Set<HandlerFeed<T>>();
  /** Which labels are within the scope. */
  readonly #labels: Selector;
  readonly #fields: readonly FieldTerm[];
  readonly #firstList = Promise.withResolvers<void>();
  readonly #ended = new AbortController();
  /** The ways to stop what is told again and again. */
  readonly #resyncs = new Set<() => void>();
  /** Aborted once nothing is followed any more. */
  #signal: AbortSignal = this.#ended.signal;
  #hasSynced = false;

  /** `options` with the tuning of the kind. */
  constructor(ref: KindRef, scope: InformerScope, options: InformerFactoryOptions) {
    this.ref = ref;
    this.#scope = scope;
    this.#labels = parseLabelSelector(scope.labelSelector ?? '');
    this.#fields = parseFieldSelector(scope.fieldSelector ?? '');
    this.#options = options;
  }

  run(signal: AbortSignal): Promise<void> {
    this.#signal = AbortSignal.any([signal, this.#ended.signal]);
    const { client } = this.#options;
    const { metadataOnly = false } = this.#scope;
    const resource = (metadataOnly ? metadataClient(client) : client).resource(this.ref);
    const parts = { target: this, scope: this.#scope, options: this.#options };
    return runReflector(
      {
        ...parts,
        resource: resource as ResourceClient<KubeObject> as ResourceClient<T>,
        counters: this.counters,
      },
      this.#signal,
    ).finally(() => {
      for (const stop of this.#resyncs) stop();
    });
  }

  /** Does anybody listen? */
  get isHeard(): boolean {
    return this.#feeds.size > 0;
  }

  /** Objects held. */
  get size(): number {
    return this.#store.size;
  }

  /** Objects that slow handlers are still to be told of, over all handlers. */
  get backlog(): number {
    let sum = 0;
    for (const { backlog } of this.#feeds) sum += backlog;
    return sum;
  }

  /** Ends it for good: its kind is gone. */
  end(): void {
    this.#ended.abort(new Error('the kind is gone'));
  }

  get(key: string): T | undefined {
    return this.#store.get(key);
  }

  list(namespace?: string): T[] {
    return this.#store.list(namespace);
  }

  addIndex(name: string, values: (object: T) => readonly string[]): void {
    this.#store.addIndex(name, (object) => {
      try {
        return values(object);
      } catch (err) {
        const about = { resource: this.ref.plural, key: keyOf(object), index: name, err };
        this.#options.logger.error('an object is left out of an index that cannot place it', about);
        return [];
      }
    });
  }

  byIndex(name: string, value: string): T[] {
    return this.#store.byIndex(name, value);
  }

  subscribe(handler: InformerHandler<T>, options: SubscribeOptions = {}): () => void {
    const feed = new HandlerFeed<T>(handler, (error) => this.#handlerFailed(error));
    this.#feeds.add(feed);
    for (const object of this.#store.list()) feed.take({ kind: 'add', object });
    feed.flush();
    const stopResync = this.#resync(feed, options.resyncMs ?? this.#options.resyncMs ?? 0);
    return () => {
      stopResync();
      this.#feeds.delete(feed);
      feed.end();
    };
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  async synced(signal?: AbortSignal): Promise<void> {
    if (this.#hasSynced) return;
    if (!signal) return this.#firstList.promise;
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([this.#firstList.promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  observeWrite(object: T): void {
    const { namespace } = this.#scope;
    if (namespace !== undefined && namespace !== '' && object.metadata.namespace !== namespace)
      return;
    const verdict = fieldVerdict(this.#fields, object);
    // It has never been within: names and namespaces do not change.
    if (verdict === 'outside') return;
    if (!this.#labels.matches(object.metadata.labels)) {
      // It may have been within the scope before: then it has left it.
      this.#tell(this.#store.observeLeft(object));
      return;
    }
    // Of other fields only the server knows whether a new object is within; its event will say.
    if (verdict === 'unknown' && this.#store.get(keyOf(object)) === undefined) return;
    this.#tell(this.#store.observe(this.kept(object)));
  }

  observeDelete(object: DeletedObject): void {
    const { namespace, labelSelector, fieldSelector } = this.#scope;
    if (namespace !== undefined && namespace !== '' && object.namespace !== namespace) return;
    const key = keyOf({ metadata: object as ObjectMeta });
    const narrowed = Boolean(labelSelector) || Boolean(fieldSelector);
    // Of an object outside of the selectors no event will say that it is gone.
    if (narrowed && this.#store.get(key)?.metadata.uid !== object.uid) return;
    this.#tell(this.#store.observeDelete(key, object.uid));
  }

  kept(object: T): T {
    const whole: KubeObject = this.#scope.metadataOnly ? metadataOf(object) : object;
    return cacheable(this.#transformed(whole) as T);
  }

  async replace(objects: readonly T[], resourceVersion: string): Promise<void> {
    const revision = Number(resourceVersion || Number.NaN);
    let first = true;
    for (const changes of this.#store.replace(objects, revision, REPLACE_TURN)) {
      if (!first) await breathe();
      first = false;
      this.#tell(changes);
    }
    this.#hasSynced = true;
    this.#firstList.resolve();
  }

  apply(events: readonly WatchEvent<T>[]): void {
    for (const { type, object } of events) {
      if (type === 'BOOKMARK') this.#store.advance(Number(object.metadata.resourceVersion));
      else if (type === 'DELETED') this.#tell(this.#store.remove(this.kept(object)));
      else this.#tell(this.#store.apply(this.kept(object)));
    }
  }

  #transformed(object: KubeObject): KubeObject {
    const { transform, logger } = this.#options;
    if (!transform) return object;
    try {
      return transform(this.ref, object);
    } catch (err) {
      const about = { resource: this.ref.plural, key: keyOf(object), err };
      logger.error('an object is kept whole, since it could not be transformed', about);
      return object;
    }
  }

  /** All handlers have what is to be told before the first is told: it may make changes in turn. */
  #tell(changes: readonly StoreChange<T>[]): void {
    for (const change of changes) {
      for (const feed of this.#feeds) feed.take(change);
      for (const feed of this.#feeds) feed.flush();
    }
  }

  /** Tells the handler of everything every so often; answers the way to stop. */
  #resync(feed: HandlerFeed<T>, everyMs: number): () => void {
    if (everyMs <= 0 || this.#signal.aborted) return () => undefined;
    const { clock } = this.#options;
    let timer: Timer;
    const arm = () => {
      timer = clock.timer(everyMs, () => {
        if (this.#signal.aborted) return;
        if (feed.backlog === 0) void this.#tellAgain(feed);
        arm();
      });
    };
    arm();
    const stop = () => {
      timer.cancel();
      this.#resyncs.delete(stop);
    };
    this.#resyncs.add(stop);
    return stop;
  }

  async #tellAgain(feed: HandlerFeed<T>): Promise<void> {
    let told = 0;
    for (const object of this.#store.list()) {
      if (++told % REPLACE_TURN === 0) await breathe();
      if (!this.#feeds.has(feed)) return;
      // What changed since this began was told as it changed.
      if (this.#store.get(keyOf(object)) !== object) continue;
      feed.take({ kind: 'update', object, old: object });
      feed.flush();
    }
  }

  #handlerFailed(err: unknown): void {
    this.counters.handlerErrors++;
    const about = { resource: this.ref.plural, err };
    this.#options.logger.error('an informer handler failed; the others go on', about);
  }
}

/** The metadata alone, where the server did not leave the rest out already. */
function metadataOf(object: KubeObject): KubeObject {
  return object.kind === 'PartialObjectMetadata' ? object : partialMetadata(object);
}
