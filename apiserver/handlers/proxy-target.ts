// What a proxied request is for: `[scheme:]name[:port]` of a node, pod or Service, as an address to reach.
// Invariant: nothing but a node's own address and pods of the namespace is ever reached, and no loopback or link-local address.
import { BlockList } from 'node:net';
import type { Endpoints as EndpointsObject, Pod, Service } from '../../api/generated/types.ts';
import { Endpoints, Nodes, Pods, Services } from '../../api/kinds.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import { ipFamily } from '../../api/meta/ip.ts';
import { badRequest, notFound, StatusError } from '../../api/status.ts';
import type { Exchange } from '../exchange.ts';
import { objectKey } from '../registry/keys.ts';
import { agentAddress } from './agent-address.ts';
import type { ProxyTarget } from './node-dialer.ts';

/** Addresses that mean something else on each host, or no single host. */
const NOT_PROXIED = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
] as const)
  NOT_PROXIED.addSubnet(net, bits, 'ipv4');
NOT_PROXIED.addAddress('255.255.255.255', 'ipv4');
for (const [net, bits] of [
  ['::', 127],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  NOT_PROXIED.addSubnet(net, bits, 'ipv6');

/** The parts of `[scheme:]name[:port]`. */
interface Named {
  readonly secure: boolean;
  readonly name: string;
  readonly port: string;
}

/** The target of a request to a proxy. Throws BadRequest, NotFound, ServiceUnavailable. */
export function proxyTarget(exchange: Exchange): ProxyTarget {
  const { definition } = exchange;
  const named = namedIn(exchange);
  if (definition.ref === Nodes) return nodeTarget(exchange, named);
  if (definition.ref === Pods) return podTarget(exchange, named);
  return serviceTarget(exchange, named);
}

function namedIn({ definition, info }: Exchange): Named {
  const text = info.name ?? '';
  const parts = text.split(':');
  const [scheme = '', name = '', port = ''] = parts.length === 3 ? parts : ['', ...parts];
  if (parts.length <= 3 && name !== '' && ['', 'http', 'https'].includes(scheme))
    return { secure: scheme === 'https', name, port };
  throw badRequest(`invalid ${definition.singular} request "${text}"`);
}

function nodeTarget({ server: { store } }: Exchange, { name, port, secure }: Named): ProxyTarget {
  if (!store.get(objectKey(Nodes, '', name))) throw notFound(Nodes, name);
  const agent = agentAddress(store, name);
  if (port === '' || Number(port) === agent.port) return { kind: 'agent', agent };
  return { kind: 'node', host: proxied(agent.host), port: portNumber(port), secure };
}

function podTarget(exchange: Exchange, { name, port, secure }: Named): ProxyTarget {
  const pod = must<Pod>(exchange, Pods, name);
  const declared = pod.spec?.containers.find((container) => container.ports?.length)?.ports?.[0];
  const asked = port === '' ? String(declared?.containerPort ?? (secure ? 443 : 80)) : port;
  return targetIn(exchange, pod, { port: portNumber(asked), secure });
}

function serviceTarget(exchange: Exchange, { name, port, secure }: Named): ProxyTarget {
  const service = must<Service>(exchange, Services, name);
  const portName = /^\d+$/.test(port) ? portOf(service, Number(port)) : port;
  const endpoints = read<EndpointsObject>(exchange, Endpoints, name);
  const backends = (endpoints?.subsets ?? []).flatMap((subset) => {
    const fits = subset.ports?.find((each) => (each.name ?? '') === portName);
    return fits ? (subset.addresses ?? []).map((address) => ({ address, port: fits.port })) : [];
  });
  const first = Math.floor(exchange.server.random.next() * backends.length);
  // An endpoint without its pod is not believed: whoever writes Endpoints could reach anything.
  for (let i = 0; i < backends.length; i++) {
    const backend = backends[(first + i) % backends.length];
    const ref = backend?.address.targetRef;
    if (!backend || ref?.kind !== 'Pod' || ref.namespace !== exchange.info.namespace) continue;
    const pod = read<Pod>(exchange, Pods, ref.name ?? '');
    if (pod && addressesOf(pod).includes(backend.address.ip))
      return targetIn(exchange, pod, { port: backend.port, secure });
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

function targetIn(
  { server, info }: Exchange,
  pod: Pod,
  { port, secure }: { port: number; secure: boolean },
): ProxyTarget {
  const { name = '', uid = '' } = pod.metadata;
  const ip = proxied(addressesOf(pod)[0] ?? '');
  const agent = agentAddress(server.store, pod.spec?.nodeName ?? '');
  return { kind: 'pod', agent, namespace: info.namespace, name, uid, ip, port, secure };
}

function addressesOf({ status }: Pod): string[] {
  const all = status?.podIPs?.map(({ ip }) => ip) ?? [status?.podIP];
  return all.filter((ip) => ip !== undefined);
}

/** The address, if it may be reached by a proxy. Throws BadRequest. */
function proxied(address: string): string {
  const family = ipFamily(address);
  if (family && !NOT_PROXIED.check(address, family === 'IPv4' ? 'ipv4' : 'ipv6')) return address;
  throw badRequest(
    address === '' ? 'address not allowed: there is none yet' : 'address not allowed',
  );
}

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port > 0 && port < 65_536) return port;
  throw badRequest(`invalid port "${text}": must be a number between 1 and 65535`);
}

function read<T>({ server, info }: Exchange, ref: KindRef, name: string): T | undefined {
  return server.store.get(objectKey(ref, info.namespace, name))?.object() as unknown as T;
}

function must<T>(exchange: Exchange, ref: KindRef, name: string): T {
  const found = read<T>(exchange, ref, name);
  if (found) return found;
  throw notFound(ref, name);
}
