// Connections to webhooks: to the host of a URL, or to what answers at a Service's port, with TLS over it.
// Invariant: whichever way the bytes go, the certificate is verified for the name that was asked for (`NAME.NAMESPACE.svc`
// for a Service), so an endpoint that somebody else wrote down gets nothing.
import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type {
  AdmissionregistrationServiceReference as ServiceReference,
  Service,
} from '../../api/generated/types.ts';
import { Services } from '../../api/kinds.ts';
import { StatusError } from '../../api/status.ts';
import type { NodeDialer } from '../handlers/node-dialer.ts';
import { reachable } from '../handlers/reachable-address.ts';
import { type BackendParts, podTarget, serviceBackend } from '../handlers/service-backend.ts';
import { podConnection } from '../http/proxy-connection.ts';
import { objectKey } from '../registry/keys.ts';
import type { WebhookIdentity } from './webhook-identity.ts';

/** What connections are made with. */
export interface ConnectionParts extends BackendParts {
  /** The way to pods. */
  readonly nodeDialer: NodeDialer | undefined;
}

/** Whom to reach, and how to know it. */
export interface WebhookPeer {
  /** A Service, or undefined: the host itself is reached. */
  readonly service: ServiceReference | undefined;
  readonly host: string;
  readonly port: number;
  /** PEM; the system's own authorities where there is none. */
  readonly ca: string | undefined;
  /** What it is shown, where it asks for a certificate. */
  readonly identity: WebhookIdentity | undefined;
}

/** Port of Services that say none. */
export const DEFAULT_PORT = 443;

/** A connection that is being made; it may still fail, with an `error` event. Rejects where there is no way. */
export async function connectWebhook(
  parts: ConnectionParts,
  { service, host, port, ca, identity }: WebhookPeer,
): Promise<TLSSocket> {
  const socket = service ? await connectService(parts, service) : connectTcp({ host, port });
  const failed = (error: Error) => secured.destroy(error);
  const isName = !/^[\d.]+$|:/.test(host);
  const secured = connectTls({
    socket,
    host,
    ...(isName ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca }),
    ...(identity?.cert === undefined ? {} : { cert: identity.cert, key: identity.key }),
    ALPNProtocols: ['http/1.1'],
  });
  socket.once('error', failed);
  return secured;
}

/** Bytes to and from what answers at a Service's port; may still fail, with an `error` event. Rejects where there is no way. */
export async function connectService(
  parts: ConnectionParts,
  ref: ServiceReference,
): Promise<Duplex> {
  const { store, nodeDialer } = parts;
  const { namespace, name, port = DEFAULT_PORT } = ref;
  const service = store.get(objectKey(Services, namespace, name))?.object() as unknown as
    | Service
    | undefined;
  if (!service) throw new StatusError('NotFound', `service "${name}" not found`);
  const { type, externalName = '' } = service.spec ?? {};
  if (type === 'ExternalName') return connectTcp({ host: externalName, port });
  const backend = serviceBackend(parts, service, { port: String(port), withoutPods: true });
  if (backend.kind === 'address')
    return connectTcp({ host: reachable(backend.ip), port: backend.port });
  if (!nodeDialer)
    throw new StatusError('ServiceUnavailable', 'this server has no way to nodes, and so to pods');
  const target = podTarget(store, backend.pod, { port: backend.port, secure: true });
  return podConnection(target, (agent, path, headers) => nodeDialer.upgrade(agent, path, headers));
}
