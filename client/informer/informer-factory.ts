// Informers over reflectors: one per kind and scope, shared by everything in a program.
// Invariant: whoever asks for the same kind and scope is given the same informer, and the server is read once for all of them.
import { invariant } from '../../base/invariant.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import { apiVersionOf } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { CachedInformer } from './cached-informer.ts';
import type {
  Cached,
  DeletedObject,
  Informer,
  InformerFactory,
  InformerScope,
} from './informer.ts';
import { NamespacesInformer } from './namespaces-informer.ts';
import type { InformerCounters, InformerFactoryOptions } from './options.ts';

/** What one informer is doing. */
export interface InformerReport {
  /** `plural`, or `plural.group`. */
  readonly resource: string;
  readonly scope: InformerScope;
  /** As they are now. */
  readonly counters: InformerCounters;
  readonly objects: number;
  /** Objects that slow handlers are still to be told of. */
  readonly backlog: number;
  readonly synced: boolean;
}

/** A factory whose end can be waited for, and whose counters can be read. */
export interface OwnedInformerFactory extends InformerFactory {
  /** Resolves when every reflector has ended, which they do once the signal given to `start` aborts. */
  finished(): Promise<void>;
  counters(): readonly InformerReport[];
}

/** A factory of informers on one client. Nothing is read before `start`. */
export function createInformerFactory(options: InformerFactoryOptions): OwnedInformerFactory {
  return new SharedInformers(options);
}

interface Shared {
  readonly informer: CachedInformer<KubeObject>;
  readonly scope: InformerScope;
}

class SharedInformers implements OwnedInformerFactory {
  readonly #options: InformerFactoryOptions;
  readonly #informers = new Map<string, Shared>();
  readonly #running = new Set<Promise<void>>();
  #signal: AbortSignal | undefined;

  constructor(options: InformerFactoryOptions) {
    this.#options = options;
  }

  informer<T extends KubeObject, S extends InformerScope = InformerScope>(
    ref: KindRef<T>,
    scope?: S,
  ): Informer<Cached<T, S>> {
    const parts = oneEach(scope ?? {}).map((each) => this.#shared(ref, each));
    const [only] = parts;
    const informer = only && parts.length === 1 ? only : new NamespacesInformer(ref, parts);
    return informer as unknown as Informer<Cached<T, S>>;
  }

  release(ref: KindRef, scope: InformerScope = {}): void {
    for (const each of oneEach(scope)) {
      const id = idOf(ref, each);
      const shared = this.#informers.get(id);
      if (!shared || shared.informer.isHeard) continue;
      this.#informers.delete(id);
      shared.informer.end();
    }
  }

  observeWrite(ref: KindRef, object: KubeObject): void {
    for (const { informer } of this.#informers.values())
      if (isSameKind(informer.ref, ref)) informer.observeWrite(object);
  }

  observeDelete(ref: KindRef, object: DeletedObject): void {
    for (const { informer } of this.#informers.values())
      if (isSameKind(informer.ref, ref)) informer.observeDelete(object);
  }

  start(signal: AbortSignal): void {
    invariant(this.#signal === undefined, 'an informer factory is started once');
    this.#signal = signal;
    for (const { informer } of this.#informers.values()) this.#run(informer, signal);
  }

  async synced(signal?: AbortSignal): Promise<void> {
    await Promise.all(Array.from(this.#informers.values(), (each) => each.informer.synced(signal)));
  }

  async finished(): Promise<void> {
    await Promise.all(this.#running);
  }

  counters(): readonly InformerReport[] {
    return Array.from(this.#informers.values(), ({ informer, scope }) => ({
      resource: resourceOf(informer.ref),
      scope,
      counters: { ...informer.counters, transitions: { ...informer.counters.transitions } },
      objects: informer.size,
      backlog: informer.backlog,
      synced: informer.hasSynced,
    }));
  }

  #shared(ref: KindRef, scope: InformerScope): CachedInformer<KubeObject> {
    const id = idOf(ref, scope);
    const known = this.#informers.get(id);
    if (known) return known.informer;
    const options = { ...this.#options, ...given(this.#options.forKind?.(ref)) };
    const informer = new CachedInformer<KubeObject>(ref, scope, options);
    this.#informers.set(id, { informer, scope });
    if (this.#signal) this.#run(informer, this.#signal);
    return informer;
  }

  #run(informer: CachedInformer<KubeObject>, signal: AbortSignal): void {
    const running = informer.run(signal).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }
}

/** One scope for each namespace. */
function oneEach({ namespaces, ...scope }: InformerScope): readonly InformerScope[] {
  if (namespaces === undefined) return [scope];
  return [...new Set(namespaces)].map((namespace) => ({ ...scope, namespace }));
}

/** What was given, without what was left undefined. */
function given<T extends object>(options: T | undefined): Partial<T> {
  const entries = Object.entries(options ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<T>;
}

const isSameKind = (one: KindRef, other: KindRef): boolean =>
  one.plural === other.plural && one.group === other.group && one.version === other.version;

const resourceOf = ({ group, plural }: KindRef): string => (group ? `${plural}.${group}` : plural);

function idOf(ref: KindRef, scope: InformerScope): string {
  const { namespace = '', labelSelector = '', fieldSelector = '', metadataOnly = false } = scope;
  const form = metadataOnly ? 'metadata' : 'object';
  return [apiVersionOf(ref), ref.plural, form, namespace, labelSelector, fieldSelector].join('|');
}
