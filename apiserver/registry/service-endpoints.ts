// What is behind Services: the ready endpoints of their EndpointSlices, found by Service without looking at any other slice.
// For calls from the server to Services (proxies, webhooks, further API servers).
// Invariants: follows the store's events in the turn in which they become visible; a slice belongs to the Service of its
// namespace that its label names now; Endpoints count only for a Service that has no slice (nobody may be there to mirror them).
import type {
  Endpoints as EndpointsObject,
  EndpointSlice,
  EndpointSubset,
  ObjectReference,
} from '../../api/generated/types.ts';
import { SERVICE_NAME_LABEL } from '../../api/discovery/slice-labels.ts';
import { Endpoints, EndpointSlices } from '../../api/kinds.ts';
import type { ObjectStore, StoreEvent } from '../watch/object-store.ts';
import type { VisibleObject } from '../watch/visible-object.ts';
import { collectionPrefix, objectKey } from './keys.ts';

/** An endpoint that takes connections. */
export interface ReadyEndpoint {
  readonly ip: string;
  /** What it says that it is. */
  readonly targetRef?: ObjectReference | undefined;
}

/** Endpoints that have the same ports: a slice, or a subset of Endpoints. */
export interface EndpointGroup {
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly ready: readonly ReadyEndpoint[];
}

/** Told `NAMESPACE/NAME` of a Service behind which something may have changed. */
export type EndpointsListener = (service: string) => void;

/** Follows EndpointSlices and Endpoints as long as its store is open. */
export class ServiceEndpoints {
  readonly #store: ObjectStore;
  /** Keys of slices, by `NAMESPACE/NAME` of their Service. */
  readonly #slices = new Map<string, Set<string>>();
  readonly #serviceOf = new Map<string, string>();
  readonly #listeners = new Set<EndpointsListener>();

  constructor(store: ObjectStore) {
    this.#store = store;
    const slices = collectionPrefix(EndpointSlices);
    for (const item of store.list(slices).items) this.#add(item.key, serviceOf(item));
    store.subscribe(slices, (event) => this.#sliceChanged(event));
    const endpoints = collectionPrefix(Endpoints);
    store.subscribe(endpoints, ({ key }) => this.#tell(key.slice(endpoints.length)));
  }

  /** What is behind a Service; undefined where neither slices nor Endpoints speak of it. */
  of(namespace: string, name: string): readonly EndpointGroup[] | undefined {
    const slices = this.#slices.get(`${namespace}/${name}`);
    if (slices) return [...slices].flatMap((key) => groupOfSlice(this.#object(key)));
    const endpoints = this.#object<EndpointsObject>(objectKey(Endpoints, namespace, name));
    return endpoints && (endpoints.subsets ?? []).map(groupOfSubset);
  }

  /** Calls `listener` after each change, when `of` shows it already; the answer ends it. */
  subscribe(listener: EndpointsListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #object<T = EndpointSlice>(key: string): T | undefined {
    return this.#store.get(key)?.object() as T | undefined;
  }

  #sliceChanged({ type, key, value }: StoreEvent): void {
    const before = this.#serviceOf.get(key);
    const now = type === 'put' ? serviceOf(value) : undefined;
    if (now !== before) {
      this.#remove(key, before);
      this.#add(key, now);
      if (before !== undefined) this.#tell(before);
    }
    if (now !== undefined) this.#tell(now);
  }

  #add(key: string, service: string | undefined): void {
    if (service === undefined) return;
    const slices = this.#slices.get(service) ?? new Set();
    this.#slices.set(service, slices.add(key));
    this.#serviceOf.set(key, service);
  }

  #remove(key: string, service: string | undefined): void {
    if (service === undefined) return;
    const slices = this.#slices.get(service);
    slices?.delete(key);
    if (slices?.size === 0) this.#slices.delete(service);
    this.#serviceOf.delete(key);
  }

  #tell(service: string): void {
    for (const listener of this.#listeners) listener(service);
  }
}

/** The ready endpoints with a port of that name, each with the port's number. */
export function readyAt(
  groups: readonly EndpointGroup[],
  portName: string,
): readonly { readonly endpoint: ReadyEndpoint; readonly port: number }[] {
  return groups.flatMap(({ ports, ready }) => {
    const fits = ports.find(({ name }) => name === portName);
    return fits ? ready.map((endpoint) => ({ endpoint, port: fits.port })) : [];
  });
}

function serviceOf(slice: VisibleObject): string | undefined {
  const { namespace = '', labels } = slice.object().metadata;
  const name = labels?.[SERVICE_NAME_LABEL];
  return name === undefined ? undefined : `${namespace}/${name}`;
}

/**
 * Names in place of addresses are left out: whoever writes slices could lead the server anywhere. An endpoint that does
 * not say whether it is ready is; of several addresses, which are the same endpoint, the first one counts; a port without
 * a number has no one place to connect to.
 */
function groupOfSlice(slice: EndpointSlice | undefined): EndpointGroup[] {
  if (!slice || slice.addressType === 'FQDN') return [];
  const ports = (slice.ports ?? []).flatMap(({ name = '', port }) =>
    port === undefined ? [] : [{ name, port }],
  );
  const ready = (slice.endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false)
    .flatMap(({ addresses, targetRef }) =>
      addresses.slice(0, 1).map((ip): ReadyEndpoint => ({ ip, targetRef })),
    );
  return [{ ports, ready }];
}

function groupOfSubset({ addresses = [], ports = [] }: EndpointSubset): EndpointGroup {
  return { ports: ports.map(({ name = '', port }) => ({ name, port })), ready: addresses };
}
