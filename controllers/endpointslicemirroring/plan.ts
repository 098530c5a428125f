// Which slices show an Endpoints object that somebody else keeps, going out from those that show it already. Pure.
// Invariant: every address is shown once for its ports, up to MAX_MIRRORED; slices that are right stay untouched.
import type {
  DiscoveryEndpointPort,
  Endpoint,
  EndpointAddress,
  Endpoints,
  EndpointSlice,
  EndpointSubset,
  Service,
} from '../../api/generated/types.ts';
import { SERVICE_NAME_LABEL, SLICE_MANAGED_BY_LABEL } from '../../api/discovery/slice-labels.ts';
import { Endpoints as EndpointsKind } from '../../api/kinds.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import { ipFamily } from '../../api/meta/ip.ts';
import { ownerReferenceFor } from '../framework/owner.ts';

/** Most addresses shown of those that share their ports, as upstream; it is also what one slice may hold. */
export const MAX_MIRRORED = 1000;
/** Our value of the label that says who keeps a slice. */
export const MIRRORER = 'endpointslicemirroring-controller.k8s.io';
/** Endpoints with this label, true, are not shown. */
const SKIP_MIRROR = 'endpointslice.kubernetes.io/skip-mirror';
/** Endpoints that an election writes its leader into are no Service's. */
const LEADER = 'control-plane.alpha.kubernetes.io/leader';
/** Annotations that speak of the Endpoints object alone. */
const OWN_ANNOTATIONS = [
  'kubectl.kubernetes.io/last-applied-configuration',
  'endpoints.kubernetes.io/last-change-trigger-time',
];

/** What is to be written. */
export interface MirrorPlan {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly EndpointSlice[];
}

/** Is the object to be shown? Its Service must be there and leave the choice of endpoints to others. */
export function isMirrored(
  endpoints: Endpoints | undefined,
  service: Service | undefined,
): endpoints is Endpoints {
  if (!endpoints || !service || service.metadata.deletionTimestamp !== undefined) return false;
  const { labels = {}, annotations = {} } = endpoints.metadata;
  const selects = Object.keys(service.spec?.selector ?? {}).length > 0;
  return !selects && labels[SKIP_MIRROR] !== 'true' && annotations[LEADER] === undefined;
}

/** The writes after which `slices` show the object. */
export function planMirror(endpoints: Endpoints, slices: readonly EndpointSlice[]): MirrorPlan {
  const left = new Set(slices);
  const create: EndpointSlice[] = [];
  const update: EndpointSlice[] = [];
  for (const wanted of slicesOf(endpoints)) {
    const like = [...left].find(
      (slice) =>
        slice.addressType === wanted.addressType && deepEqual(slice.ports ?? [], wanted.ports),
    );
    if (!like) {
      create.push(wanted);
      continue;
    }
    left.delete(like);
    const { labels = {}, annotations, ownerReferences = [] } = wanted.metadata;
    const { annotations: _, ...kept } = like.metadata;
    const next: EndpointSlice = {
      ...wanted,
      metadata: { ...kept, labels, ownerReferences, ...(annotations ? { annotations } : {}) },
    };
    if (!sameMirror(like, next)) update.push(next);
  }
  return { create, update, remove: [...left] };
}

function sameMirror(a: EndpointSlice, b: EndpointSlice): boolean {
  return (
    deepEqual(a.endpoints ?? [], b.endpoints) &&
    deepEqual(a.metadata.labels, b.metadata.labels) &&
    deepEqual(a.metadata.annotations ?? {}, b.metadata.annotations ?? {}) &&
    deepEqual(a.metadata.ownerReferences, b.metadata.ownerReferences)
  );
}

/** One slice for each address family and each set of ports. */
function slicesOf(endpoints: Endpoints): EndpointSlice[] {
  const slices = new Map<string, EndpointSlice & { endpoints: Endpoint[] }>();
  for (const subset of endpoints.subsets ?? []) {
    const ports = (subset.ports ?? []).map(asSlicePort);
    for (const { address, ready } of addressesOf(subset)) {
      const addressType = ipFamily(address.ip);
      if (!addressType) continue;
      const key = JSON.stringify([addressType, ports]);
      const slice = slices.get(key) ?? { ...emptySlice(endpoints), addressType, ports };
      slices.set(key, slice);
      const known = slice.endpoints.some(({ addresses }) => addresses[0] === address.ip);
      if (known || slice.endpoints.length >= MAX_MIRRORED) continue;
      slice.endpoints.push(asEndpoint(address, ready));
    }
  }
  return [...slices.values()];
}

function addressesOf(subset: EndpointSubset): { address: EndpointAddress; ready: boolean }[] {
  const { addresses = [], notReadyAddresses = [] } = subset;
  return [
    ...addresses.map((address) => ({ address, ready: true })),
    ...notReadyAddresses.map((address) => ({ address, ready: false })),
  ];
}

function asSlicePort(port: NonNullable<EndpointSubset['ports']>[number]): DiscoveryEndpointPort {
  const { name = '', protocol = 'TCP', appProtocol } = port;
  return {
    name,
    protocol,
    port: port.port,
    ...(appProtocol === undefined ? {} : { appProtocol }),
  };
}

function asEndpoint(
  { ip, hostname, nodeName, targetRef }: EndpointAddress,
  ready: boolean,
): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    ...(targetRef ? { targetRef } : {}),
  };
}

function emptySlice(endpoints: Endpoints) {
  const { name = '', namespace, labels, annotations = {} } = endpoints.metadata;
  const shown = Object.entries(annotations).filter(([key]) => !OWN_ANNOTATIONS.includes(key));
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${name}-`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...labels, [SERVICE_NAME_LABEL]: name, [SLICE_MANAGED_BY_LABEL]: MIRRORER },
      ...(shown.length > 0 ? { annotations: Object.fromEntries(shown) } : {}),
      ownerReferences: [ownerReferenceFor(endpoints, EndpointsKind)],
    },
    endpoints: [] as Endpoint[],
  };
}
