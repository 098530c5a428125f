// What answers at a port of a Service: one of its ready endpoints, another one each time. For proxies and for calls out of
// the server (webhooks, further API servers), which reach pods the same way.
// Invariant: an endpoint that says it is a pod is believed only if that pod is there, in the namespace, with that address.
import type { Pod, Service } from '../../api/generated/types.ts';
import { Pods } from '../../api/kinds.ts';
import { StatusError } from '../../api/status.ts';
import type { Random } from '../../base/random.ts';
import { objectKey } from '../registry/keys.ts';
import {
  type ReadyEndpoint,
  readyAt,
  type ServiceEndpoints,
} from '../registry/service-endpoints.ts';
import type { ObjectStore } from '../watch/object-store.ts';
import { agentAddress } from './agent-address.ts';
import type { ProxyTarget } from './node-dialer.ts';
import { reachable } from './reachable-address.ts';

/** What backends are looked up in. */
export interface BackendParts {
  readonly store: ObjectStore;
  readonly endpoints: ServiceEndpoints;
  readonly random: Random;
}

/** A port of an endpoint: of a pod, or of an address that somebody wrote down. */
export type Backend =
  | { readonly kind: 'pod'; readonly pod: Pod; readonly port: number }
  | { readonly kind: 'address'; readonly ip: string; readonly port: number };

/** Which port, by its name or number; and whether endpoints that are no pods may answer. */
export interface BackendChoice {
  readonly port: string;
  readonly withoutPods: boolean;
}

/** A backend of a Service. Throws ServiceUnavailable where it has no such port, or nothing is behind it. */
export function serviceBackend(
  { store, endpoints, random }: BackendParts,
  service: Service,
  { port, withoutPods }: BackendChoice,
): Backend {
  const { name = '', namespace = '' } = service.metadata;
  const portName = /^\d+$/.test(port) ? portOf(service, Number(port)) : port;
  const found = readyAt(endpoints.of(namespace, name) ?? [], portName);
  const first = Math.floor(random.next() * found.length);
  for (let i = 0; i < found.length; i++) {
    const each = found[(first + i) % found.length];
    if (!each) continue;
    const pod = podBehind(store, namespace, each.endpoint);
    if (pod) return { kind: 'pod', pod, port: each.port };
    if (withoutPods && !each.endpoint.targetRef)
      return { kind: 'address', ip: each.endpoint.ip, port: each.port };
  }
  throw new StatusError('ServiceUnavailable', `no endpoints available for service "${name}"`);
}

/** The name of a Service's port by its number. */
function portOf({ metadata, spec }: Service, number: number): string {
  const port = spec?.ports?.find((each) => each.port === number);
  if (port) return port.name ?? '';
  throw new StatusError(
    'ServiceUnavailable',
    `no service port ${number} found for service "${metadata.name}"`,
  );
}

function podBehind(store: ObjectStore, namespace: string, endpoint: ReadyEndpoint) {
  const { targetRef: ref, ip } = endpoint;
  if (ref?.kind !== 'Pod' || ref.namespace !== namespace) return undefined;
  const pod = store.get(objectKey(Pods, namespace, ref.name ?? ''))?.object() as unknown as
    | Pod
    | undefined;
  return pod && addressesOf(pod).includes(ip) ? pod : undefined;
}

/** The way to a port of a pod. Throws BadRequest for an address that is not to be reached, ServiceUnavailable without its node. */
export function podTarget(
  store: ObjectStore,
  pod: Pod,
  { port, secure }: { port: number; secure: boolean },
): ProxyTarget & { readonly kind: 'pod' } {
  const { name = '', namespace = '', uid = '' } = pod.metadata;
  const ip = reachable(addressesOf(pod)[0] ?? '');
  const agent = agentAddress(store, pod.spec?.nodeName ?? '');
  return { kind: 'pod', agent, namespace, name, uid, ip, port, secure };
}

function addressesOf({ status }: Pod): string[] {
  const all = status?.podIPs?.map(({ ip }) => ip) ?? [status?.podIP];
  return all.filter((ip) => ip !== undefined);
}
