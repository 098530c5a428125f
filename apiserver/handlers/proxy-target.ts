// What a proxied request is for: `[scheme:]name[:port]` of a node, pod or Service, as an address to reach.
// Invariant: nothing but a node's own address and pods of the namespace is ever reached, and no loopback or link-local address.
import type { Pod, Service } from '../../api/generated/types.ts';
import { Nodes, Pods, Services } from '../../api/kinds.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import { badRequest, notFound, StatusError } from '../../api/status.ts';
import type { Exchange } from '../exchange.ts';
import { objectKey } from '../registry/keys.ts';
import { agentAddress } from './agent-address.ts';
import type { ProxyTarget } from './node-dialer.ts';
import { reachable } from './reachable-address.ts';
import { podTarget, serviceBackend } from './service-backend.ts';

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
  if (definition.ref === Pods) return namedPodTarget(exchange, named);
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
  return { kind: 'node', host: reachable(agent.host), port: portNumber(port), secure };
}

function namedPodTarget(exchange: Exchange, { name, port, secure }: Named): ProxyTarget {
  const pod = must<Pod>(exchange, Pods, name);
  const declared = pod.spec?.containers.find((container) => container.ports?.length)?.ports?.[0];
  const asked = port === '' ? String(declared?.containerPort ?? (secure ? 443 : 80)) : port;
  return podTarget(exchange.server.store, pod, { port: portNumber(asked), secure });
}

function serviceTarget(exchange: Exchange, { name, port, secure }: Named): ProxyTarget {
  const { server } = exchange;
  const service = must<Service>(exchange, Services, name);
  // An endpoint without its pod is not believed: whoever writes slices could reach anything.
  const backend = serviceBackend(server, service, { port, withoutPods: false });
  if (backend.kind === 'pod')
    return podTarget(server.store, backend.pod, { port: backend.port, secure });
  throw new StatusError('ServiceUnavailable', `no endpoints available for service "${name}"`);
}

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port > 0 && port < 65_536) return port;
  throw badRequest(`invalid port "${text}": must be a number between 1 and 65535`);
}

function must<T>({ server, info }: Exchange, ref: KindRef, name: string): T {
  const found = server.store.get(objectKey(ref, info.namespace, name))?.object();
  if (found) return found as unknown as T;
  throw notFound(ref, name);
}
