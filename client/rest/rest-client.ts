// The typed verbs over a transport: paths, queries and bodies as the API conventions have them.
// Invariant: no retries here and no state; a failure is the transport's StatusError, unchanged.
// A call for one object never becomes one for its whole collection: a name that is empty is refused unsent.
import { apiVersionOf, resourcePath } from '../../api/kind-ref.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeList, KubeObject, LooseObject } from '../../api/meta/object.ts';
import type { Method } from '../../api/wire/exchange.ts';
import type { Transport, TransportReply } from '../transport/transport.ts';
import type {
  Applied,
  ApplyOptions,
  CallOptions,
  Client,
  ClientOptions,
  DeleteOptions,
  ListOptions,
  ObjectRef,
  Patch,
  ResourceClient,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './client.ts';

/** A client of the server behind `transport`. */
export function createClient(transport: Transport, options: ClientOptions = {}): Client {
  return {
    transport,
    options,
    resource: <T extends KubeObject>(ref: KindRef<T>): ResourceClient<T> =>
      new RestResource({ transport, ...options }, ref),
  };
}

interface Setting extends ClientOptions {
  readonly transport: Transport;
}

type Query = Record<string, string | undefined>;

/** One call, before its path is made. */
interface Call extends CallOptions {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
  readonly query?: Query;
  readonly body?: object | undefined;
  readonly contentType?: string;
}

const PATCH_TYPES: Readonly<Record<Patch['type'], string>> = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
};

class RestResource<T extends KubeObject> implements ResourceClient<T> {
  readonly ref: KindRef<T>;
  readonly #setting: Setting;

  constructor(setting: Setting, ref: KindRef<T>) {
    this.#setting = setting;
    this.ref = ref;
  }

  get(
    ref: ObjectRef,
    options: CallOptions & { subresource?: string; resourceVersion?: string } = {},
  ): Promise<T> {
    const query = { resourceVersion: options.resourceVersion };
    return this.#named('GET', { ...ref, ...pick(options), query });
  }

  async list(options: ListOptions = {}): Promise<KubeList<T>> {
    const { signal, namespace } = options;
    const reply = await this.#call('GET', { signal, namespace, query: listQuery(options) });
    return this.#withKinds(reply.object() as unknown as KubeList<T>);
  }

  watch(options: WatchOptions = {}): AsyncIterable<readonly WatchEvent<T>[]> {
    const query = {
      ...listQuery(options),
      watch: 'true',
      allowWatchBookmarks: flag(options.allowWatchBookmarks),
      sendInitialEvents: flag(options.sendInitialEvents),
      timeoutSeconds: figure(options.timeoutSeconds),
    };
    const path = resourcePath(this.ref, { namespace: options.namespace });
    const { signal } = options;
    return this.#setting.transport.watch({
      method: 'GET',
      path,
      query,
      signal,
    }) as unknown as AsyncIterable<readonly WatchEvent<T>[]>;
  }

  create(object: T, options: WriteOptions = {}): Promise<T> {
    const { namespace, name } = object.metadata;
    const subresource = options.subresource;
    const call = { namespace, ...pick(options), ...this.#write(object, options) };
    if (subresource === undefined) return this.#object('POST', call);
    return this.#named('POST', { ...call, name });
  }

  update(object: T, options: WriteOptions = {}): Promise<T> {
    const { namespace, name } = object.metadata;
    const at = { namespace, name };
    return this.#named('PUT', { ...at, ...pick(options), ...this.#write(object, options) });
  }

  updateStatus(object: T, options: WriteOptions = {}): Promise<T> {
    return this.update(object, { ...options, subresource: 'status' });
  }

  patch(ref: ObjectRef, patch: Patch, options: WriteOptions = {}): Promise<T> {
    const force = patch.type === 'apply' ? flag(patch.force) : undefined;
    return this.#named('PATCH', {
      ...ref,
      ...pick(options),
      query: { ...this.#writeQuery(options), force },
      body: patch.body,
      contentType: PATCH_TYPES[patch.type],
    });
  }

  async apply(object: Applied<T>, { force, ...options }: ApplyOptions = {}): Promise<T> {
    const { name, namespace } = object.metadata;
    if (this.ref.namespaced && !namespace)
      throw new TypeError(`${this.ref.kind} ${name}: metadata.namespace has to be given`);
    if (!options.fieldManager && !this.#setting.fieldManager)
      throw new TypeError('an apply needs a fieldManager, of its own or of its client');
    const { kind } = this.ref;
    const given: object = object;
    const body = { apiVersion: apiVersionOf(this.ref), kind, ...given };
    const patch = { type: 'apply' as const, body, force: force ?? false };
    return this.patch({ name, namespace }, patch, options);
  }

  async delete(ref: ObjectRef, options: DeleteOptions = {}): Promise<KubeObject> {
    const body = deleteBody(options);
    const reply = await this.#call('DELETE', named({ ...ref, signal: options.signal, body }));
    return reply.object();
  }

  async deleteCollection(options: ListOptions & DeleteOptions = {}): Promise<void> {
    const { signal, namespace } = options;
    const query = listQuery(options);
    await this.#call('DELETE', { signal, namespace, query, body: deleteBody(options) });
  }

  async #named(method: Method, call: Call): Promise<T> {
    return this.#object(method, named(call));
  }

  async #object(method: Method, call: Call): Promise<T> {
    const reply = await this.#call(method, call);
    return reply.object() as unknown as T;
  }

  async #call(method: Method, call: Call): Promise<TransportReply> {
    const path = resourcePath(this.ref, call);
    const { transport, onWarning } = this.#setting;
    const reply = await transport.request({
      method,
      path,
      ...(call.query ? { query: call.query } : {}),
      ...(call.body ? { body: call.body as LooseObject } : {}),
      ...(call.contentType ? { contentType: call.contentType } : {}),
      signal: call.signal,
    });
    if (onWarning) for (const text of reply.warnings) onWarning({ text, method, path });
    return reply;
  }

  #write(object: KubeObject, options: WriteOptions): Pick<Call, 'query' | 'body'> {
    return { query: this.#writeQuery(options), body: object };
  }

  #writeQuery(options: WriteOptions): Query {
    return {
      dryRun: options.dryRun ? 'All' : undefined,
      fieldManager: options.fieldManager ?? this.#setting.fieldManager,
      fieldValidation: options.fieldValidation,
    };
  }

  /** Servers may leave apiVersion and kind out of a list's items; callers always find them. */
  #withKinds(list: KubeList<T>): KubeList<T> {
    const items = list.items ?? [];
    if (items.every((item) => item.kind !== undefined)) return { ...list, items };
    const { kind } = this.ref;
    const apiVersion = apiVersionOf(this.ref);
    return { ...list, items: items.map((item) => ({ ...item, apiVersion, kind })) };
  }
}

/** The call, where it names its object: without a name its path would be the whole collection's. */
function named(call: Call): Call {
  if (!call.name) throw new TypeError('resource name may not be empty');
  return call;
}

const flag = (value: boolean | undefined): string | undefined =>
  value === undefined ? undefined : String(value);
const figure = (value: number | undefined): string | undefined =>
  value === undefined ? undefined : String(value);

function pick(options: CallOptions & { subresource?: string | undefined }): Partial<Call> {
  return { signal: options.signal, subresource: options.subresource };
}

function listQuery(options: ListOptions): Query {
  return {
    labelSelector: options.labelSelector || undefined,
    fieldSelector: options.fieldSelector || undefined,
    limit: figure(options.limit),
    continue: options.continue,
    resourceVersion: options.resourceVersion,
    resourceVersionMatch: options.resourceVersionMatch,
  };
}

function deleteBody(options: DeleteOptions): object {
  const { gracePeriodSeconds, propagationPolicy, preconditions, dryRun } = options;
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(preconditions === undefined ? {} : { preconditions }),
    ...(dryRun ? { dryRun: ['All'] } : {}),
  };
}
