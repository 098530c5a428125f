// One look at a Service: its slices and its Endpoints object are brought in line with the pods it selects.
// Invariant: only objects that carry our mark are written or removed; what others keep for a Service stays. But the
// Endpoints of a Service go with it, whoever keeps them: they are of the same name, and nobody else would remove them.
import type { Endpoints, EndpointSlice, Node, Pod, Service } from '../../api/generated/types.ts';
import { SERVICE_NAME_LABEL, SLICE_MANAGED_BY_LABEL } from '../../api/discovery/slice-labels.ts';
import {
  EndpointSlices,
  Endpoints as EndpointsKind,
  Nodes,
  Pods,
  Services,
} from '../../api/kinds.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import { selectorFromMap } from '../../api/meta/labels.ts';
import { keyOf } from '../../api/meta/object.ts';
import { isNotFound } from '../../api/status.ts';
import type { Informer } from '../../client/informer/informer.ts';
import type { ResourceClient } from '../../client/rest/client.ts';
import type { ControllerContext, Result } from '../framework/reconciler.ts';
import { done } from '../framework/reconciler.ts';
import { ENDPOINTS_MANAGED_BY, ENDPOINTS_MANAGER, endpointsOf } from './endpoints.ts';
import { MANAGER, planSlices } from './plan.ts';

/** The index of our slices by their Service's key. */
const BY_SERVICE = 'service';
const ZONE = 'topology.kubernetes.io/zone';

/** The key of the Service a slice of ours belongs to. */
export function serviceKeyOf(slice: EndpointSlice): readonly string[] {
  const { labels = {}, namespace = '' } = slice.metadata;
  const name = labels[SERVICE_NAME_LABEL];
  return name && labels[SLICE_MANAGED_BY_LABEL] === MANAGER ? [`${namespace}/${name}`] : [];
}

/** Where the node says it is. */
export function zoneOf({ metadata }: Node): string | undefined {
  return metadata.labels?.[ZONE];
}

/** Is the object one that this controller keeps? */
export function isOurs(endpoints: Endpoints): boolean {
  return endpoints.metadata.labels?.[ENDPOINTS_MANAGED_BY] === ENDPOINTS_MANAGER;
}

/** Reconciles the endpoints of Services. */
export class EndpointReconciler {
  readonly #services: Informer<Service>;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #slices: Informer<EndpointSlice>;
  readonly #endpoints: Informer<Endpoints>;
  readonly #sliceClient: ResourceClient<EndpointSlice>;
  readonly #endpointsClient: ResourceClient<Endpoints>;
  /** Keys of Services that were seen to go and whose Endpoints were not looked at since. */
  readonly #ended = new Set<string>();

  constructor({ client, informers }: ControllerContext) {
    this.#services = informers.informer(Services);
    this.#pods = informers.informer(Pods);
    this.#nodes = informers.informer(Nodes);
    this.#slices = informers.informer(EndpointSlices);
    this.#slices.addIndex(BY_SERVICE, serviceKeyOf);
    this.#endpoints = informers.informer(EndpointsKind);
    this.#sliceClient = client.resource(EndpointSlices);
    this.#endpointsClient = client.resource(EndpointsKind);
  }

  /** A Service was seen to go. */
  noteEnd(service: Service): void {
    this.#ended.add(keyOf(service));
  }

  /** Brings one Service's endpoints up to date. */
  async reconcile(key: string): Promise<Result> {
    const service = this.#services.get(key);
    if (!service) {
      await this.#removeEndpoints(key);
      this.#ended.delete(key);
      return done;
    }
    this.#ended.delete(key);
    const { selector, type } = service.spec ?? {};
    const selects = Object.keys(selector ?? {}).length > 0;
    if (!selects || type === 'ExternalName' || service.metadata.deletionTimestamp !== undefined)
      return done;
    const matcher = selectorFromMap(selector);
    const pods = this.#pods
      .list(service.metadata.namespace ?? '')
      .filter((pod) => matcher.matches(pod.metadata.labels));
    await this.#writeSlices(service, pods);
    await this.#writeEndpoints(service, pods);
    return done;
  }

  async #writeSlices(service: Service, pods: readonly Pod[]): Promise<void> {
    const plan = planSlices({
      service,
      pods,
      slices: this.#slices.byIndex(BY_SERVICE, keyOf(service)),
      nodeOf: (name) => {
        const node = this.#nodes.get(name);
        return node && { zone: zoneOf(node) };
      },
    });
    for (const slice of plan.create) await this.#sliceClient.create(slice);
    for (const slice of plan.update) await this.#sliceClient.update(slice);
    for (const { metadata } of plan.remove)
      await ifThere(
        this.#sliceClient.delete({ namespace: metadata.namespace, name: metadata.name ?? '' }),
      );
  }

  async #writeEndpoints(service: Service, pods: readonly Pod[]): Promise<void> {
    const old = this.#endpoints.get(keyOf(service));
    const next = endpointsOf(service, pods, old);
    if (old && deepEqual(old.subsets ?? [], next.subsets) && sameMeta(old, next)) return;
    if (old) await this.#endpointsClient.update(next);
    else await this.#endpointsClient.create(next);
  }

  async #removeEndpoints(key: string): Promise<void> {
    const left = this.#endpoints.get(key);
    if (!left || !(isOurs(left) || this.#ended.has(key))) return;
    const { namespace, name = '' } = left.metadata;
    await ifThere(this.#endpointsClient.delete({ namespace, name }));
  }
}

function sameMeta(a: Endpoints, b: Endpoints): boolean {
  return (
    deepEqual(a.metadata.labels, b.metadata.labels) &&
    deepEqual(a.metadata.annotations ?? {}, b.metadata.annotations ?? {})
  );
}

async function ifThere(deletion: Promise<unknown>): Promise<void> {
  try {
    await deletion;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
