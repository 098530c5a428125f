// Informers over reflectors: one per kind and scope, shared by everything in a program.
// Invariant: handlers are told after the cache shows the change, and no handler or index can break another or the reflector.
import { invariant } from '../../base/invariant.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import { apiVersionOf } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { keyOf } from '../../api/meta/object.ts';
import type { WatchEvent } from '../rest/client.ts';
import { cacheable } from './freeze.ts';
import type { Informer, InformerFactory, InformerHandler, InformerScope } from './informer.ts';
import type { InformerCounters, InformerFactoryOptions } from './options.ts';
import { runReflector } from './reflector.ts';
import type { ReflectorTarget } from './reflector.ts';
import { ObjectStore } from './store.ts';
import type { StoreChange } from './store.ts';

/** A factory whose end can be waited for, and whose counters can be read. */
export interface OwnedInformerFactory extends InformerFactory {
  /** Resolves when every reflector has ended, which they do once the signal given to `start` aborts. */
  finished(): Promise<void>;
  counters(): readonly { readonly resource: string; readonly counters: InformerCounters }[];
}

/** A factory of informers on one client. Nothing is read before `start`. */
export function createInformerFactory(options: InformerFactoryOptions): OwnedInformerFactory {
  return new SharedInformers(options);
}

class SharedInformers implements OwnedInformerFactory {
  readonly #options: InformerFactoryOptions;
  readonly #informers = new Map<string, CachedInformer<KubeObject>>();
  readonly #running: Promise<void>[] = [];
  #signal: AbortSignal | undefined;

  constructor(options: InformerFactoryOptions) {
    this.#options = options;
  }

  informer<T extends KubeObject>(ref: KindRef<T>, scope: InformerScope = {}): Informer<T> {
    const id = idOf(ref, scope);
    let informer = this.#informers.get(id) as CachedInformer<T> | undefined;
    if (!informer) {
      informer = new CachedInformer(ref, scope, this.#options);
      this.#informers.set(id, informer as unknown as CachedInformer<KubeObject>);
      if (this.#signal) this.#running.push(informer.run(this.#signal));
    }
    return informer;
  }

  release(ref: KindRef<KubeObject>, scope: InformerScope = {}): void {
    const id = idOf(ref, scope);
    const informer = this.#informers.get(id);
    if (!informer || informer.isHeard) return;
    this.#informers.delete(id);
    informer.end();
  }

  start(signal: AbortSignal): void {
    invariant(this.#signal === undefined, 'an informer factory is started once');
    this.#signal = signal;
    for (const informer of this.#informers.values()) this.#running.push(informer.run(signal));
  }

  async synced(signal?: AbortSignal): Promise<void> {
    await Promise.all(Array.from(this.#informers.values(), (each) => each.synced(signal)));
  }

  async finished(): Promise<void> {
    await Promise.all(this.#running);
  }

  counters(): readonly { readonly resource: string; readonly counters: InformerCounters }[] {
    return Array.from(this.#informers.values(), (informer) => ({
      resource: informer.ref.group
        ? `${informer.ref.plural}.${informer.ref.group}`
        : informer.ref.plural,
      counters: { ...informer.counters },
    }));
  }
}

function idOf(ref: Pick<KindRef, 'group' | 'plural' | 'version'>, scope: InformerScope): string {
  const { namespace = '', labelSelector = '', fieldSelector = '' } = scope;
  return [apiVersionOf(ref), ref.plural, namespace, labelSelector, fieldSelector].join('|');
}

class CachedInformer<T extends KubeObject> implements Informer<T>, ReflectorTarget<T> {
  readonly ref: KindRef<T>;
  readonly counters: InformerCounters = {
    lists: 0,
    watches: 0,
    events: 0,
    failures: 0,
    malformed: 0,
  };
  readonly #scope: InformerScope;
  readonly #options: InformerFactoryOptions;
  readonly #store = new ObjectStore<T>();
  readonly #handlers = new Set<InformerHandler<T>>();
  readonly #firstList = Promise.withResolvers<void>();
  readonly #ended = new AbortController();
  #hasSynced = false;

  constructor(ref: KindRef<T>, scope: InformerScope, options: InformerFactoryOptions) {
    this.ref = ref;
    this.#scope = scope;
    this.#options = options;
  }

  run(signal: AbortSignal): Promise<void> {
    return runReflector(
      {
        resource: this.#options.client.resource(this.ref),
        scope: this.#scope,
        target: this,
        options: this.#options,
        counters: this.counters,
      },
      AbortSignal.any([signal, this.#ended.signal]),
    );
  }

  /** Does anybody listen? */
  get isHeard(): boolean {
    return this.#handlers.size > 0;
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

  subscribe(handler: InformerHandler<T>): () => void {
    // A copy of its own, so that the same handler subscribed twice is told twice and leaves once.
    const own: InformerHandler<T> = {
      onAdd: (object) => handler.onAdd?.(object),
      onUpdate: (object, old) => handler.onUpdate?.(object, old),
      onDelete: (object) => handler.onDelete?.(object),
    };
    this.#handlers.add(own);
    for (const object of this.#store.list()) this.#tell(own, { kind: 'add', object });
    return () => {
      this.#handlers.delete(own);
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
    const { namespace, labelSelector, fieldSelector } = this.#scope;
    if (namespace !== undefined && namespace !== '' && object.metadata.namespace !== namespace)
      return;
    const narrowed = Boolean(labelSelector) || Boolean(fieldSelector);
    // Whether a new object is within the selectors only the server knows; its event will say.
    const known = this.#store.get(keyOf(object)) !== undefined;
    if (narrowed && !known) return;
    this.#tellAll(this.#store.observe(this.#kept(object)));
  }

  replace(objects: readonly T[], resourceVersion: string): void {
    this.#tellAll(
      this.#store.replace(
        objects.map((each) => this.#kept(each)),
        Number(resourceVersion) || 0,
      ),
    );
    this.#hasSynced = true;
    this.#firstList.resolve();
  }

  apply(events: readonly WatchEvent<T>[]): void {
    for (const { type, object } of events) {
      if (type === 'BOOKMARK') this.#store.advance(Number(object.metadata.resourceVersion) || 0);
      else if (type === 'DELETED') this.#tellAll(this.#store.remove(this.#kept(object)));
      else this.#tellAll(this.#store.apply(this.#kept(object)));
    }
  }

  #kept(object: T): T {
    const { kept } = this.#options;
    return cacheable(kept ? (kept(this.ref, object) as T) : object);
  }

  #tellAll(changes: readonly StoreChange<T>[]): void {
    for (const change of changes) for (const each of this.#handlers) this.#tell(each, change);
  }

  #tell(handler: InformerHandler<T>, change: StoreChange<T>): void {
    try {
      if (change.kind === 'add') handler.onAdd?.(change.object);
      else if (change.kind === 'update') handler.onUpdate?.(change.object, change.old);
      else handler.onDelete?.(change.object);
    } catch (error) {
      this.#options.logger.error('an informer handler threw; the others go on', {
        resource: this.ref.plural,
        err: error,
      });
    }
  }
}
