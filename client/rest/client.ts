// Client and ResourceClient: typed verbs on kinds. What every controller, the scheduler, the node agent and the CLI use.
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeList, KubeObject, ObjectMeta } from '../../api/meta/object.ts';
import type { Transport } from '../transport/transport.ts';

/** Common to all calls. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Which objects. */
export interface ListOptions extends CallOptions {
  /** All namespaces when left out. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan' | undefined;
}

/** Which changes. */
export interface WatchOptions extends Omit<ListOptions, 'limit' | 'continue'> {
  readonly allowWatchBookmarks?: boolean | undefined;
  readonly sendInitialEvents?: boolean | undefined;
  readonly timeoutSeconds?: number | undefined;
}

/** How a write is made. */
export interface WriteOptions extends CallOptions {
  readonly dryRun?: boolean | undefined;
  readonly fieldManager?: string | undefined;
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict' | undefined;
  readonly subresource?: string | undefined;
}

/** How a delete is made. */
export interface DeleteOptions extends CallOptions {
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground' | undefined;
  readonly preconditions?: { uid?: string; resourceVersion?: string } | undefined;
  readonly dryRun?: boolean | undefined;
}

/** Which object. `namespace` is left out for cluster-scoped kinds. */
export interface ObjectRef {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** A patch and its kind. */
export type Patch =
  | { readonly type: 'merge'; readonly body: object }
  | { readonly type: 'strategic'; readonly body: object }
  | { readonly type: 'json'; readonly body: readonly object[] }
  | { readonly type: 'apply'; readonly body: object; readonly force?: boolean };

/** A value of which any part may be left out, at any depth. Elements of lists are partial too: their keys say which is meant. */
export type DeepPartial<V> = unknown extends V
  ? V
  : V extends readonly (infer E)[]
    ? DeepPartial<E>[]
    : V extends object
      ? { [K in keyof V]?: DeepPartial<V[K]> | undefined }
      : V;

/**
 * What an apply says: the fields that the caller wants to own, and no others. `apiVersion` and `kind` are the resource's
 * unless given; `namespace` is needed for kinds that have one.
 */
export type Applied<T extends KubeObject> = DeepPartial<
  Omit<T, 'apiVersion' | 'kind' | 'metadata'>
> & {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: Omit<DeepPartial<ObjectMeta>, 'name' | 'namespace' | 'managedFields'> & {
    readonly name: string;
    readonly namespace?: string | undefined;
  };
};

/** How an apply is made. */
export interface ApplyOptions extends WriteOptions {
  /** Takes fields that others own instead of failing with Conflict. */
  readonly force?: boolean | undefined;
}

/** What a watch yields, typed. */
export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: T;
}

/** The verbs on one kind. Objects it answers are to be treated as immutable. */
export interface ResourceClient<T extends KubeObject> {
  readonly ref: KindRef<T>;
  get(
    ref: ObjectRef,
    options?: CallOptions & { subresource?: string; resourceVersion?: string },
  ): Promise<T>;
  list(options?: ListOptions): Promise<KubeList<T>>;
  watch(options?: WatchOptions): AsyncIterable<readonly WatchEvent<T>[]>;
  /** With `subresource`, a POST to that of the object that is named; subresources.ts has those of the built-in kinds, typed. */
  create(object: T, options?: WriteOptions): Promise<T>;
  update(object: T, options?: WriteOptions): Promise<T>;
  updateStatus(object: T, options?: WriteOptions): Promise<T>;
  patch(ref: ObjectRef, patch: Patch, options?: WriteOptions): Promise<T>;
  /**
   * Server-side apply: makes the object, or those fields of it, as given; fields that this manager applied before and no
   * longer gives are removed. Needs a fieldManager, here or of the client. Throws Conflict where others own a field.
   */
  apply(object: Applied<T>, options?: ApplyOptions): Promise<T>;
  /** The answer is the object where it goes on existing (finalizers, grace), else a Status; of some kinds the object in either case. */
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<KubeObject>;
  deleteCollection(options?: ListOptions & DeleteOptions): Promise<void>;
}

/** What a client says with every call. */
export interface ClientOptions {
  /** Who owns the fields that are written, where a call names nobody; else the server goes by the user agent. */
  readonly fieldManager?: string | undefined;
  /** Told of each warning that an answer carries (deprecated versions, fields that are ignored). Must not throw. */
  readonly onWarning?: ((warning: ServerWarning) => void) | undefined;
}

/** A warning, and the request that was warned of. */
export interface ServerWarning {
  readonly text: string;
  readonly method: string;
  readonly path: string;
}

/** A way to every kind of one server. */
export interface Client {
  readonly transport: Transport;
  /** As it was made with: for whoever makes the same client on another transport. */
  readonly options?: ClientOptions | undefined;
  resource<T extends KubeObject>(ref: KindRef<T>): ResourceClient<T>;
}
