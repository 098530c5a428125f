// Which EndpointSlices a Service is to have, going out from those it has. Pure.
// Invariant: each endpoint is in one slice; a slice holds at most MAX_ENDPOINTS; slices that are right stay untouched.
import type {
  DiscoveryEndpointPort,
  Endpoint,
  EndpointSlice,
  Pod,
  Service,
} from '../../api/generated/types.ts';
import { SERVICE_NAME_LABEL, SLICE_MANAGED_BY_LABEL } from '../../api/discovery/slice-labels.ts';
import { Services } from '../../api/kinds.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import { ownerReferenceFor } from '../framework/owner.ts';
import type { AddressType } from './pod-endpoint.ts';
import { addressOf, addressTypesOf, endpointOf, hasEndpoint, portsOf } from './pod-endpoint.ts';

/** Most endpoints in a slice, as upstream: an update then sends a small object to every node. */
export const MAX_ENDPOINTS = 100;
/** Our value of the label that says who keeps a slice. */
export const MANAGER = 'endpointslice-controller.k8s.io';
/** The label of slices of Services that have no address of their own. */
const HEADLESS = 'service.kubernetes.io/headless';

/** What is to be written. */
export interface SlicePlan {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly EndpointSlice[];
}

/** What a Service's slices are worked out from. */
export interface SliceInput {
  readonly service: Service;
  /** Those that its selector matches. */
  readonly pods: readonly Pod[];
  /** Those we keep for it. */
  readonly slices: readonly EndpointSlice[];
  /** What is known of a node; undefined where there is none of that name. */
  nodeOf(name: string): { readonly zone: string | undefined } | undefined;
}

/** Endpoints that share their ports, by pod. */
interface Group {
  readonly ports: readonly DiscoveryEndpointPort[];
  readonly endpoints: Map<string, Endpoint>;
}

/** The writes that bring the slices up to date. */
export function planSlices(input: SliceInput): SlicePlan {
  const plan = {
    create: [] as EndpointSlice[],
    update: [] as EndpointSlice[],
    remove: [] as EndpointSlice[],
  };
  const types = addressTypesOf(input.service);
  const known = new Set<string>(types);
  plan.remove.push(...input.slices.filter((slice) => !known.has(slice.addressType)));
  for (const type of types) planFamily(input, type, plan);
  return plan;
}

type Draft = { [K in keyof SlicePlan]: EndpointSlice[] };

function planFamily(input: SliceInput, type: AddressType, plan: Draft): void {
  const groups = groupsOf(input, type);
  // A Service without endpoints has one empty slice, so that readers tell "none" from "not looked at yet".
  if (groups.size === 0) groups.set('[]', { ports: [], endpoints: new Map() });
  const existing = new Map<string, EndpointSlice[]>();
  for (const slice of input.slices) {
    if (slice.addressType !== type) continue;
    const key = portsKey(slice.ports ?? []);
    existing.set(key, [...(existing.get(key) ?? []), slice]);
  }
  for (const [key, slices] of existing) if (!groups.has(key)) plan.remove.push(...slices);
  for (const [key, group] of groups) {
    const slices = existing.get(key) ?? [];
    planGroup({ group, slices, type, service: input.service }, plan);
  }
}

function groupsOf(input: SliceInput, type: AddressType): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const pod of input.pods) {
    const address = hasEndpoint(pod) ? addressOf(pod, type) : undefined;
    if (address === undefined) continue;
    const { nodeName } = pod.spec ?? {};
    const node = nodeName ? input.nodeOf(nodeName) : undefined;
    // Nobody can tell any more how a pod is whose node is gone.
    if (nodeName && !node && !input.service.spec?.publishNotReadyAddresses) continue;
    const ports = portsOf(input.service, pod);
    const key = portsKey(ports);
    let group = groups.get(key);
    if (!group) groups.set(key, (group = { ports, endpoints: new Map() }));
    const endpoint = endpointOf(pod, input.service, { address, zone: node?.zone });
    group.endpoints.set(endpointKey(endpoint), endpoint);
  }
  return groups;
}

function planGroup(
  work: { group: Group; slices: readonly EndpointSlice[]; type: AddressType; service: Service },
  plan: Draft,
): void {
  const { group, slices, type, service } = work;
  const missing = new Map(group.endpoints);
  const kept = slices.map((slice) => {
    const endpoints: Endpoint[] = [];
    for (const endpoint of slice.endpoints ?? []) {
      const wanted = missing.get(endpointKey(endpoint));
      if (!wanted || endpoints.length >= MAX_ENDPOINTS) continue;
      endpoints.push(wanted);
      missing.delete(endpointKey(endpoint));
    }
    return { slice, endpoints };
  });
  const rest = [...missing.values()];
  // The fullest first, so that few slices stay and those emptied can go.
  for (const { endpoints } of kept.toSorted((a, b) => b.endpoints.length - a.endpoints.length))
    endpoints.push(...rest.splice(0, MAX_ENDPOINTS - endpoints.length));
  const full = kept.filter(({ endpoints }) => endpoints.length > 0);
  const staying = full.length > 0 || rest.length > 0 ? full : kept.slice(0, 1);
  for (const each of kept) {
    if (!staying.includes(each)) plan.remove.push(each.slice);
    else {
      const next = withContent(each.slice, service, { type, ports: group.ports, ...each });
      if (!sameSlice(each.slice, next)) plan.update.push(next);
    }
  }
  while (rest.length > 0 || (staying.length === 0 && plan.create.length === 0)) {
    const endpoints = rest.splice(0, MAX_ENDPOINTS);
    plan.create.push(withContent(undefined, service, { type, ports: group.ports, endpoints }));
    if (rest.length === 0) break;
  }
}

interface Content {
  readonly type: AddressType;
  readonly ports: readonly DiscoveryEndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

function withContent(
  slice: EndpointSlice | undefined,
  service: Service,
  { type, ports, endpoints }: Content,
): EndpointSlice {
  const { namespace, name = '' } = service.metadata;
  const metadata = slice?.metadata ?? {
    generateName: `${name}-`,
    ...(namespace === undefined ? {} : { namespace }),
  };
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      ...metadata,
      labels: labelsOf(service),
      ownerReferences: [ownerReferenceFor(service, Services)],
    },
    addressType: type,
    endpoints: [...endpoints],
    ports: [...ports],
  };
}

function labelsOf(service: Service): Record<string, string> {
  const { [HEADLESS]: _, ...labels } = service.metadata.labels ?? {};
  return {
    ...labels,
    [SERVICE_NAME_LABEL]: service.metadata.name ?? '',
    [SLICE_MANAGED_BY_LABEL]: MANAGER,
    ...(service.spec?.clusterIP === 'None' ? { [HEADLESS]: '' } : {}),
  };
}

function sameSlice(a: EndpointSlice, b: EndpointSlice): boolean {
  return (
    deepEqual(a.endpoints ?? [], b.endpoints) &&
    deepEqual(a.metadata.labels, b.metadata.labels) &&
    deepEqual(a.metadata.ownerReferences, b.metadata.ownerReferences)
  );
}

function endpointKey({ targetRef, addresses }: Endpoint): string {
  return `${targetRef?.uid ?? ''} ${addresses[0] ?? ''}`;
}

/** Ports in a fixed order of ports and fields. */
function portsKey(ports: readonly DiscoveryEndpointPort[]): string {
  const texts = ports.map(({ name = '', protocol = 'TCP', port, appProtocol }) =>
    JSON.stringify([name, protocol, port ?? null, appProtocol ?? null]),
  );
  return `[${texts.sort().join()}]`;
}
