// ConfigMaps, Secrets, claims and their volumes that the pods of this node use, each watched by name while somebody needs it.
// Invariant: a node reads no object that none of its pods names; a watch ends with its last user, and none begins after `close`.
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import { ConfigMaps, PersistentVolumeClaims, PersistentVolumes, Secrets } from '../../api/kinds.ts';
import type {
  ConfigMap,
  PersistentVolume,
  PersistentVolumeClaim,
  Secret,
} from '../../api/generated/types.ts';
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

/** A kind of object and where it is; volumes are in no namespace. */
export interface SourceRef extends SourceAt {
  readonly kind: 'configmap' | 'secret' | 'persistentvolumeclaim' | 'persistentvolume';
}

/** Where an object is. */
export interface SourceAt {
  readonly namespace: string;
  readonly name: string;
}

const KINDS = {
  configmap: ConfigMaps,
  secret: Secrets,
  persistentvolumeclaim: PersistentVolumeClaims,
  persistentvolume: PersistentVolumes,
} as unknown as Readonly<Record<SourceRef['kind'], KindRef<KubeObject>>>;

/** What is known to be needed once it is read, and until its pod is over. */
const LEARNT_LATE: ReadonlySet<SourceRef['kind']> = new Set([
  'persistentvolumeclaim',
  'persistentvolume',
]);

interface Watched {
  readonly ref: SourceRef;
  readonly informer: Informer<KubeObject>;
  readonly ending: AbortController;
  /** Uids of pods. */
  readonly users: Set<string>;
  /** As it was read, where it says that it never changes (`immutable`): nobody watches it any more. */
  frozen?: KubeObject;
}

/** The objects in use, shared by all pods. */
export class ObjectSources {
  readonly #options: ObjectSourceOptions;
  readonly #watched = new Map<string, Watched>();
  /** How pods are told, by uid. */
  readonly #changes = new Map<string, () => void>();
  readonly #closed = new AbortController();

  constructor(options: ObjectSourceOptions) {
    this.#options = options;
  }

  /**
   * Says that a pod needs exactly these objects, besides claims and volumes that were read for it; `onChange` is told when one of them
   * changes. Nothing once closed.
   */
  use(podUid: string, refs: readonly SourceRef[], onChange: () => void): void {
    if (this.#closed.signal.aborted) return;
    this.#changes.set(podUid, onChange);
    const wanted = new Set(refs.map(idOf));
    for (const ref of refs) this.#watch(ref).users.add(podUid);
    this.#leave(podUid, (id, { ref }) => !wanted.has(id) && !LEARNT_LATE.has(ref.kind));
  }

  /** The pod needs none any more. */
  release(podUid: string): void {
    this.#changes.delete(podUid);
    this.#leave(podUid, () => true);
  }

  /** Something else that the pod waits for may have changed. */
  changed(podUid: string): void {
    this.#changes.get(podUid)?.();
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

  /** As configMap; the pod that it is read for is told when it changes. */
  async claim(at: SourceAt, podUid: string): Promise<PersistentVolumeClaim | undefined> {
    const ref: SourceRef = { kind: 'persistentvolumeclaim', ...at };
    return (await this.#readFor(podUid, ref)) as PersistentVolumeClaim | undefined;
  }

  /** As claim. */
  async volume(name: string, podUid: string): Promise<PersistentVolume | undefined> {
    const ref: SourceRef = { kind: 'persistentvolume', namespace: '', name };
    return (await this.#readFor(podUid, ref)) as PersistentVolume | undefined;
  }

  #readFor(podUid: string, ref: SourceRef): Promise<KubeObject | undefined> {
    this.#closed.signal.throwIfAborted();
    if (this.#changes.has(podUid)) this.#watch(ref).users.add(podUid);
    return this.#read(ref);
  }

  async #read(ref: SourceRef): Promise<KubeObject | undefined> {
    this.#closed.signal.throwIfAborted();
    const watched = this.#watch(ref);
    const { informer, ending } = watched;
    if (watched.frozen) return watched.frozen;
    if (!(await syncedWithin(informer, this.#options.clock, ending.signal)))
      throw new ConfigError(
        'CreateContainerConfigError',
        `failed to sync ${ref.kind} cache: timed out waiting for the condition`,
      );
    const object = informer.get(ref.namespace === '' ? ref.name : `${ref.namespace}/${ref.name}`);
    if (isImmutable(object)) {
      watched.frozen = object;
      ending.abort(new Error('it never changes'));
    }
    return object;
  }

  #watch(ref: SourceRef): Watched {
    const id = idOf(ref);
    const known = this.#watched.get(id);
    if (known) return known;
    const factory = createInformerFactory(this.#options);
    const informer = factory.informer(KINDS[ref.kind], {
      ...(ref.namespace === '' ? {} : { namespace: ref.namespace }),
      fieldSelector: `metadata.name=${ref.name}`,
    });
    const watched: Watched = { ref, informer, ending: new AbortController(), users: new Set() };
    const tell = () => {
      for (const uid of watched.users) this.changed(uid);
    };
    informer.subscribe({ onAdd: tell, onUpdate: tell, onDelete: tell });
    this.#watched.set(id, watched);
    factory.start(watched.ending.signal);
    return watched;
  }

  #leave(podUid: string, from: (id: string, watched: Watched) => boolean): void {
    for (const [id, watched] of this.#watched)
      if (watched.users.has(podUid) && from(id, watched)) {
        watched.users.delete(podUid);
        this.#endIfUnused(id, watched);
      }
  }

  #endIfUnused(id: string, watched: Watched): void {
    if (watched.users.size > 0) return;
    watched.ending.abort(new Error('no pod of this node uses it any more'));
    this.#watched.delete(id);
  }
}

/** ConfigMaps and Secrets may say so; nothing else does. */
const isImmutable = (object: KubeObject | undefined): object is KubeObject =>
  (object as ConfigMap | undefined)?.immutable === true;

const idOf = (ref: SourceRef): string => `${ref.kind}/${ref.namespace}/${ref.name}`;
