// One pod as an endpoint of a Service: its addresses, its ports and how fit it is. Pure.
// Invariant: `ready` means that new traffic may come, so never while the pod terminates, unless the Service wants
// addresses that are not ready too.
import type {
  DiscoveryEndpointPort,
  Endpoint,
  Pod,
  Service,
  ServicePort,
} from '../../api/generated/types.ts';
import { ipFamily } from '../../api/meta/ip.ts';
import { isPodReady, isPodTerminal } from '../framework/pod-state.ts';

/** Address families that slices exist for. */
export type AddressType = 'IPv4' | 'IPv6';

/** A pod counts as soon as it has an address, until it has ended. */
export function hasEndpoint(pod: Pod): boolean {
  return !isPodTerminal(pod) && addressesOf(pod).length > 0;
}

function addressesOf(pod: Pod): string[] {
  const ips = (pod.status?.podIPs ?? []).map(({ ip }) => ip);
  return ips.length > 0 ? ips : pod.status?.podIP ? [pod.status.podIP] : [];
}

/** The pod's address of that family. */
export function addressOf(pod: Pod, type: AddressType): string | undefined {
  return addressesOf(pod).find((ip) => ipFamily(ip) === type);
}

/** The families the Service has slices for. */
export function addressTypesOf(service: Service): readonly AddressType[] {
  const families = (service.spec?.ipFamilies ?? []).filter(
    (family) => family === 'IPv4' || family === 'IPv6',
  );
  if (families.length > 0) return families;
  return ipFamily(service.spec?.clusterIP ?? '') === 'IPv6' ? ['IPv6'] : ['IPv4'];
}

/** The endpoint of a pod at one of its addresses; `zone` is the node's. */
export function endpointOf(
  pod: Pod,
  service: Service,
  at: { readonly address: string; readonly zone: string | undefined },
): Endpoint {
  const { namespace, name, uid } = pod.metadata;
  const serving = isPodReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const ready = (service.spec?.publishNotReadyAddresses ?? false) || (serving && !terminating);
  const hostname = hostnameOf(pod, service);
  return {
    addresses: [at.address],
    conditions: { ready, serving, terminating },
    ...(hostname ? { hostname } : {}),
    ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(at.zone ? { zone: at.zone } : {}),
  };
}

/** The name that DNS gives the pod under the Service, where it asked for one. */
export function hostnameOf(pod: Pod, service: Service): string | undefined {
  const { hostname, subdomain } = pod.spec ?? {};
  return hostname && subdomain === service.metadata.name ? hostname : undefined;
}

/** The Service's ports as this pod has them; a named target port that the pod lacks is left out. */
export function portsOf(service: Service, pod: Pod): DiscoveryEndpointPort[] {
  return (service.spec?.ports ?? []).flatMap((servicePort) => {
    const port = targetPort(servicePort, pod);
    if (port === undefined) return [];
    const { name = '', protocol = 'TCP', appProtocol } = servicePort;
    return [{ name, protocol, port, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
}

function targetPort(servicePort: ServicePort, pod: Pod): number | undefined {
  const target = servicePort.targetPort ?? servicePort.port;
  if (typeof target === 'number') return target === 0 ? servicePort.port : target;
  const sidecars = (pod.spec?.initContainers ?? []).filter(
    ({ restartPolicy }) => restartPolicy === 'Always',
  );
  const ports = [...(pod.spec?.containers ?? []), ...sidecars].flatMap(({ ports = [] }) => ports);
  return ports.find(
    ({ name, protocol = 'TCP' }) => name === target && protocol === (servicePort.protocol ?? 'TCP'),
  )?.containerPort;
}

/** Do the two states of a pod make the same endpoints? */
export function sameEndpoint(a: Pod, b: Pod): boolean {
  return (
    isPodReady(a) === isPodReady(b) &&
    isPodTerminal(a) === isPodTerminal(b) &&
    a.metadata.deletionTimestamp === b.metadata.deletionTimestamp &&
    a.spec?.nodeName === b.spec?.nodeName &&
    addressesOf(a).join() === addressesOf(b).join() &&
    JSON.stringify(a.metadata.labels) === JSON.stringify(b.metadata.labels)
  );
}
