// Client and ResourceClient: typed verbs on kinds. What every controller, the scheduler, the node agent and the CLI use.
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeList, KubeObject } from '../../api/meta/object.ts';
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
  create(object: T, options?: WriteOptions): Promise<T>;
  update(object: T, options?: WriteOptions): Promise<T>;
  updateStatus(object: T, options?: WriteOptions): Promise<T>;
  patch(ref: ObjectRef, patch: Patch, options?: WriteOptions): Promise<T>;
  /** The answer is the object where it goes on existing (finalizers, grace), else a Status. */
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<KubeObject>;
  deleteCollection(options?: ListOptions & DeleteOptions): Promise<void>;
  /** POST to a subresource (binding, eviction, token). */
  createSubresource(ref: ObjectRef, subresource: string, body: KubeObject): Promise<KubeObject>;
}

/** A way to every kind of one server. */
export interface Client {
  readonly transport: Transport;
  resource<T extends KubeObject>(ref: KindRef<T>): ResourceClient<T>;
}
