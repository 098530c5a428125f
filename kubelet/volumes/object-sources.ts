// ConfigMaps and Secrets that the pods of this node use, each watched by name while somebody needs it.
// Invariant: a node reads no object that none of its pods names; a watch ends with its last user, and none begins after `close`.
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import { ConfigMaps, Secrets } from '../../api/kinds.ts';
import type { ConfigMap, Secret } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import type { Informer } from '../../client/informer/informer.ts';
import type { Client } from '../../client/rest/client.ts';
import { syncedWithin } from './synced-within.ts';
import { ConfigError } from './volume-error.ts';

/** What the sources need. */
export interface ObjectSourceOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** A kind of object and where it is. */
export interface SourceRef {
  readonly kind: 'configmap' | 'secret';
  readonly namespace: string;
  readonly name: string;
}

interface Watched {
  readonly informer: Informer<KubeObject>;
  readonly ending: AbortController;
  readonly users: Map<string, () => void>;
}

/** The objects in use, shared by all pods. */
export class ObjectSources {
  readonly #options: ObjectSourceOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #closed = new AbortController();

  constructor(options: ObjectSourceOptions) {
    this.#options = options;
  }

  /** Says that a pod needs exactly these objects; `onChange` is told when one of them changes. Nothing once closed. */
  use(podUid: string, refs: readonly SourceRef[], onChange: () => void): void {
    if (this.#closed.signal.aborted) return;
    const wanted = new Set(refs.map(idOf));
    for (const ref of refs) this.#watch(ref).users.set(podUid, onChange);
    for (const [id, watched] of this.#watched)
      if (!wanted.has(id) && watched.users.delete(podUid)) this.#endIfUnused(id, watched);
  }

  /** The pod needs none any more. */
  release(podUid: string): void {
    this.use(podUid, [], () => undefined);
  }

  /** Ends all watches; who reads from now on is refused with that reason. */
  close(): void {
    this.#closed.abort(new Error('the node agent ends'));
    for (const { ending } of this.#watched.values()) ending.abort(this.#closed.signal.reason);
    this.#watched.clear();
  }

  /** The object as it is now, or undefined when it is not there. Throws ConfigError when the API cannot be asked. */
  async configMap(namespace: string, name: string): Promise<ConfigMap | undefined> {
    return (await this.#read({ kind: 'configmap', namespace, name })) as ConfigMap | undefined;
  }

  /** As configMap. */
  async secret(namespace: string, name: string): Promise<Secret | undefined> {
    return (await this.#read({ kind: 'secret', namespace, name })) as Secret | undefined;
  }

  async #read(ref: SourceRef): Promise<KubeObject | undefined> {
    this.#closed.signal.throwIfAborted();
    const { informer, ending } = this.#watch(ref);
    if (!(await syncedWithin(informer, this.#options.clock, ending.signal)))
      throw new ConfigError(
        'CreateContainerConfigError',
        `failed to sync ${ref.kind} cache: timed out waiting for the condition`,
      );
    return informer.get(`${ref.namespace}/${ref.name}`);
  }

  #watch(ref: SourceRef): Watched {
    const id = idOf(ref);
    const known = this.#watched.get(id);
    if (known) return known;
    const factory = createInformerFactory(this.#options);
    const kind = (ref.kind === 'configmap' ? ConfigMaps : Secrets) as KindRef<KubeObject>;
    const informer = factory.informer(kind, {
      namespace: ref.namespace,
      fieldSelector: `metadata.name=${ref.name}`,
    });
    const watched: Watched = { informer, ending: new AbortController(), users: new Map() };
    const tell = () => {
      for (const onChange of watched.users.values()) onChange();
    };
    informer.subscribe({ onAdd: tell, onUpdate: tell, onDelete: tell });
    this.#watched.set(id, watched);
    factory.start(watched.ending.signal);
    return watched;
  }

  #endIfUnused(id: string, watched: Watched): void {
    if (watched.users.size > 0) return;
    watched.ending.abort(new Error('no pod of this node uses it any more'));
    this.#watched.delete(id);
  }
}

const idOf = (ref: SourceRef): string => `${ref.kind}/${ref.namespace}/${ref.name}`;
