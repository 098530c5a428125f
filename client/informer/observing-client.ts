// Read your own writes: a client that lets the informers beside it know what each of its writes came to.
// Invariant: a read of an informer after a write through this client has settled never shows an older state of that object.
// Not covered, and shown once the watch does: deleteCollection, subresources whose answer is another kind (scale, binding, eviction),
// and a new object in a cache with a selector of other fields than name and namespace.
import { apiVersionOf } from '../../api/kind-ref.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeList, KubeObject } from '../../api/meta/object.ts';
import type { Status } from '../../api/status.ts';
import type {
  Applied,
  ApplyOptions,
  Client,
  DeleteOptions,
  ListOptions,
  ObjectRef,
  Patch,
  ResourceClient,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '../rest/client.ts';
import type { InformerFactory } from './informer.ts';

/** Who is told of writes. */
export type WriteObserver = Pick<InformerFactory, 'observeWrite' | 'observeDelete'>;

/**
 * The same client, whose writes the informers know of before their callers do. For programs with informers of their own:
 * `runControllers` and what stands on it give controllers such a client already.
 */
export function observingClient(client: Client, informers: WriteObserver): Client {
  return {
    transport: client.transport,
    options: client.options,
    resource: <T extends KubeObject>(ref: KindRef<T>): ResourceClient<T> =>
      new ObservingResource(client.resource(ref), informers),
  };
}

class ObservingResource<T extends KubeObject> implements ResourceClient<T> {
  readonly ref: KindRef<T>;
  readonly #inner: ResourceClient<T>;
  readonly #informers: WriteObserver;

  constructor(inner: ResourceClient<T>, informers: WriteObserver) {
    this.ref = inner.ref;
    this.#inner = inner;
    this.#informers = informers;
  }

  get(ref: ObjectRef, options?: Parameters<ResourceClient<T>['get']>[1]): Promise<T> {
    return this.#inner.get(ref, options);
  }

  list(options?: ListOptions): Promise<KubeList<T>> {
    return this.#inner.list(options);
  }

  watch(options?: WatchOptions): AsyncIterable<readonly WatchEvent<T>[]> {
    return this.#inner.watch(options);
  }

  create(object: T, options?: WriteOptions): Promise<T> {
    return this.#written(this.#inner.create(object, options), options);
  }

  update(object: T, options?: WriteOptions): Promise<T> {
    return this.#written(this.#inner.update(object, options), options);
  }

  updateStatus(object: T, options?: WriteOptions): Promise<T> {
    return this.#written(this.#inner.updateStatus(object, options), options);
  }

  patch(ref: ObjectRef, patch: Patch, options?: WriteOptions): Promise<T> {
    return this.#written(this.#inner.patch(ref, patch, options), options);
  }

  apply(object: Applied<T>, options?: ApplyOptions): Promise<T> {
    return this.#written(this.#inner.apply(object, options), options);
  }

  async delete(ref: ObjectRef, options?: DeleteOptions): Promise<KubeObject> {
    const answer = await this.#inner.delete(ref, options);
    if (options?.dryRun) return answer;
    const uid = goneUid(answer, this.#isOwn(answer));
    if (uid === undefined) this.#observe(answer);
    else this.#informers.observeDelete(this.ref, { ...ref, uid });
    return answer;
  }

  deleteCollection(options?: ListOptions & DeleteOptions): Promise<void> {
    return this.#inner.deleteCollection(options);
  }

  async #written(answer: Promise<T>, options: WriteOptions | undefined): Promise<T> {
    const object = await answer;
    if (!options?.dryRun) this.#observe(object);
    return object;
  }

  /** What is answered may be another kind: a Scale, a Status. */
  #observe(object: KubeObject): void {
    const { uid, resourceVersion } = object.metadata ?? {};
    if (this.#isOwn(object) && uid && resourceVersion)
      this.#informers.observeWrite(this.ref, object);
  }

  #isOwn({ kind, apiVersion }: KubeObject): boolean {
    return kind === this.ref.kind && apiVersion === apiVersionOf(this.ref);
  }
}

/**
 * Uid of the object that a delete removed; undefined where it goes on existing for a while. The answer is a Status, or, as upstream's
 * for pods, services and some others, the object as it was last.
 */
function goneUid(answer: KubeObject, isOwn: boolean): string | undefined {
  if (isOwn) return goesOn(answer) ? undefined : answer.metadata.uid;
  const { kind, status, details } = answer as unknown as Partial<Status>;
  return kind === 'Status' && status === 'Success' ? details?.uid : undefined;
}

/** Whether something holds a deleted object still: finalizers (of namespaces in the spec), or a time of grace. */
function goesOn({ metadata, ...rest }: KubeObject): boolean {
  const { finalizers = [], deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  const { spec } = rest as { readonly spec?: { readonly finalizers?: unknown } };
  if (finalizers.length > 0 || spec?.finalizers !== undefined) return true;
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds !== 0;
}
