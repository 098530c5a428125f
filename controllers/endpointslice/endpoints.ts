// The Endpoints object of a Service: the old form, for clients that still read it. Pure.
// Invariant: at most MAX_ADDRESSES addresses, ready ones first, and it says so where some are left out.
import type {
  EndpointAddress,
  Endpoints,
  EndpointSubset,
  Pod,
  Service,
} from '../../api/generated/types.ts';
import { isPodReady } from '../framework/pod-state.ts';
import { addressOf, addressTypesOf, hasEndpoint, hostnameOf, portsOf } from './pod-endpoint.ts';

/** Most addresses in an Endpoints object, as upstream. */
export const MAX_ADDRESSES = 1000;
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity';
/** The label of Endpoints that we keep, and our value of it. */
export const ENDPOINTS_MANAGED_BY = 'endpoints.kubernetes.io/managed-by';
export const ENDPOINTS_MANAGER = 'endpoint-controller';
const HEADLESS = 'service.kubernetes.io/headless';

interface Place {
  readonly pod: Pod;
  readonly ready: boolean;
  readonly address: EndpointAddress;
}

/** The object as it should be, on top of the one there is. */
export function endpointsOf(
  service: Service,
  pods: readonly Pod[],
  old: Endpoints | undefined,
): Endpoints {
  const places = pods
    .flatMap((pod) => placeOf(service, pod))
    .sort((a, b) => Number(b.ready) - Number(a.ready) || compare(a.address.ip, b.address.ip));
  const { [OVER_CAPACITY]: _, ...annotations } = old?.metadata.annotations ?? {};
  if (places.length > MAX_ADDRESSES) annotations[OVER_CAPACITY] = 'truncated';
  const { namespace, name = '' } = service.metadata;
  const { annotations: _old, ...metadata } = old?.metadata ?? {
    name,
    ...(namespace === undefined ? {} : { namespace }),
  };
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      ...metadata,
      labels: {
        ...service.metadata.labels,
        [ENDPOINTS_MANAGED_BY]: ENDPOINTS_MANAGER,
        ...(service.spec?.clusterIP === 'None' ? { [HEADLESS]: '' } : {}),
      },
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
    subsets: subsetsOf(service, places.slice(0, MAX_ADDRESSES)),
  };
}

function placeOf(service: Service, pod: Pod): Place[] {
  const type = addressTypesOf(service)[0] ?? 'IPv4';
  const ip = hasEndpoint(pod) ? addressOf(pod, type) : undefined;
  const publish = service.spec?.publishNotReadyAddresses ?? false;
  if (ip === undefined || (pod.metadata.deletionTimestamp !== undefined && !publish)) return [];
  const hostname = hostnameOf(pod, service);
  const { namespace, name, uid } = pod.metadata;
  const address = {
    ip,
    ...(hostname ? { hostname } : {}),
    ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
  };
  return [{ pod, ready: publish || isPodReady(pod), address }];
}

/** Addresses that share their ports make one subset. */
function subsetsOf(service: Service, places: readonly Place[]): EndpointSubset[] {
  const subsets = new Map<string, Required<Pick<EndpointSubset, 'ports'>> & Sides>();
  const portless = (service.spec?.ports ?? []).length === 0;
  for (const { pod, ready, address } of places) {
    const ports = portsOf(service, pod).map(({ name, port = 0, protocol, appProtocol }) => ({
      ...(name ? { name } : {}),
      port,
      protocol,
      ...(appProtocol === undefined ? {} : { appProtocol }),
    }));
    if (ports.length === 0 && !portless) continue;
    const key = JSON.stringify(ports);
    const subset = subsets.get(key) ?? { ports, ready: [], notReady: [] };
    (ready ? subset.ready : subset.notReady).push(address);
    subsets.set(key, subset);
  }
  return [...subsets]
    .sort(([a], [b]) => compare(a, b))
    .map(([, { ports, ready, notReady }]) => ({
      ...(ready.length > 0 ? { addresses: ready } : {}),
      ...(notReady.length > 0 ? { notReadyAddresses: notReady } : {}),
      ...(ports && ports.length > 0 ? { ports } : {}),
    }));
}

interface Sides {
  readonly ready: EndpointAddress[];
  readonly notReady: EndpointAddress[];
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
