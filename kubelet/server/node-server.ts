// The node's own HTTPS server: logs, commands in containers, figures, health. Mostly the API server asks, and whoever it lets.
// Invariants: nothing is answered before it is known who asks and that they may; every connection ends with the agent.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { Readable } from 'node:stream';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import { StatusError } from '../../api/status.ts';
import { arrivalWithin, listen } from '../../base/listening.ts';
import type { Caller } from '../../client/access/delegated-access.ts';
import {
  answerNodeRequest,
  countedPath,
  JSON_TYPE,
  type NodeRequestParts,
  type NodeServer,
  nodeTarget,
  type ServeNode,
} from './node-requests.ts';
import { NodeAccess } from './node-access.ts';
import { NodeUpgrades } from './node-upgrades.ts';
import { RequestFailure } from './request-failure.ts';
import { MAX_LOG_STREAMS, MAX_POD_CONNECTIONS, SharedPlaces } from './shared-places.ts';
import type { UpgradeRequest } from './spdy-upgrade.ts';

/** Where the agent's own server listens, and whom it lets in. */
export interface NodeServerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly cert: string; readonly key: string; readonly clientCa: string };
  /** Common names of client certificates that may ask for everything: the API server's own. Others are asked about there. */
  readonly allowedClientCommonNames: readonly string[];
  /** ARRIVAL_MS unless given. */
  readonly arrivalMs?: number;
}

/** What the server is made from. */
interface ServerParts extends NodeRequestParts {
  readonly server: NodeServerOptions;
  readonly access: NodeAccess;
  readonly logStreams: SharedPlaces;
  readonly podConnections: SharedPlaces;
}

/** An agent that is asked over HTTPS; its start rejects when the port is taken. */
export function overHttps(server: NodeServerOptions): ServeNode {
  return (parts) => {
    const access = new NodeAccess({ ...parts, trusted: server.allowedClientCommonNames });
    const logStreams = new SharedPlaces(MAX_LOG_STREAMS, 'logs');
    const podConnections = new SharedPlaces(MAX_POD_CONNECTIONS, 'commands and connections');
    return startNodeServer({ ...parts, server, access, logStreams, podConnections });
  };
}

/** How long a handshake may take, and a request to arrive, each; looked at as often. */
const ARRIVAL_MS = 10_000;
/** Sockets at once; each log that is streamed, each command and each connection to a pod takes one of those that they share. */
const MAX_CONNECTIONS = 1024;

async function startNodeServer(parts: ServerParts): Promise<NodeServer> {
  const upgrades = new NodeUpgrades(parts);
  const { tls, host, port, arrivalMs = ARRIVAL_MS } = parts.server;
  const server = createServer(
    {
      cert: tls.cert,
      key: tls.key,
      ca: tls.clientCa,
      requestCert: true,
      // Refused below, with words, rather than in the handshake.
      rejectUnauthorized: false,
      ...arrivalWithin(arrivalMs),
    },
    (request, response) => {
      answer(parts, request, response).catch((error: unknown) => fail(parts, error, response));
    },
  );
  server.on('upgrade', (request, socket, head) => {
    // A caller that breaks off before anybody listens must not end the agent.
    socket.on('error', () => socket.destroy());
    upgrade(parts, upgrades, { request, socket, head }).catch((error: unknown) =>
      refuse(error, socket),
    );
  });
  const { logger } = parts;
  const at = { host, port, maxConnections: MAX_CONNECTIONS, logger };
  const listening = await listen(server, at);
  const close = () => {
    upgrades.close();
    return listening.close();
  };
  return { port: listening.port, close };
}

/** Throws RequestFailure unless the caller may. */
function authorize({ access }: ServerParts, request: IncomingMessage): Promise<void> {
  const socket = request.socket as TLSSocket;
  const { authorization } = request.headers;
  const caller: Caller = socket.authorized ? certified(socket) : { authorization };
  return access.check(caller, request.method ?? 'GET', request.url ?? '/');
}

function certified(socket: TLSSocket): Caller {
  const { CN, O } = socket.getPeerCertificate().subject ?? {};
  const all = (value: string | string[] | undefined) => [value ?? []].flat();
  const [commonName] = all(CN);
  return commonName ? { certificate: { commonName, organizations: all(O) } } : {};
}

async function answer(
  parts: ServerParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const begun = parts.clock.monotonic();
  const { method = 'GET', url = '/' } = request;
  const note = () => {
    const path = countedPath(url);
    const ms = parts.clock.monotonic() - begun;
    parts.figures.requested(method, path, { long: path === 'containerLogs', ms });
  };
  response.once('close', note);
  // From here on: who goes while it is asked who they are must not be streamed to.
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the caller is gone')));
  await authorize(parts, request);
  if (method !== 'GET') throw new RequestFailure(405, 'Method Not Allowed');
  gone.signal.throwIfAborted();
  const { path } = nodeTarget(url);
  const leave = path[0] === 'containerLogs' ? parts.logStreams.take(podOf(path)) : undefined;
  try {
    await respond(parts, { url, response, signal: gone.signal });
  } finally {
    leave?.();
  }
}

/** The pod that a path names, if any; whether there is such a pod is told later. */
const podOf = ([, namespace = '', name = '']: readonly string[]): string => `${namespace}/${name}`;

async function respond(
  parts: ServerParts,
  { url, response, signal }: { url: string; response: ServerResponse; signal: AbortSignal },
): Promise<void> {
  const { contentType, body } = await answerNodeRequest(parts, url, signal);
  response.setHeader('content-type', contentType);
  if (typeof body === 'string') {
    response.end(body);
    return;
  }
  response.flushHeaders();
  await pipeline(Readable.from(body, { objectMode: false }), response);
}

async function upgrade(
  parts: ServerParts,
  upgrades: NodeUpgrades,
  connection: UpgradeRequest,
): Promise<void> {
  const { request, socket } = connection;
  await authorize(parts, request);
  const leave = parts.podConnections.take(podOf(nodeTarget(request.url ?? '/').path));
  // Some are handed over, and last longer than the call; who has gone while it was asked who they are holds nothing.
  socket.once('close', leave);
  if (socket.destroyed) leave();
  else await upgrades.serve(connection);
}

/** A Status, so that the API server can pass it on to its caller as it is. */
function fail(parts: ServerParts, error: unknown, response: ServerResponse): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const known = error instanceof RequestFailure;
  if (!known) parts.logger.error('a request to the node failed', { err: error });
  const code = known ? error.code : 500;
  const status = StatusError.fromStatus({ code, message: (error as Error).message }).toStatus();
  response.statusCode = code;
  response.setHeader('content-type', JSON_TYPE).end(JSON.stringify(status));
}

function refuse(error: unknown, socket: Duplex): void {
  const known = error instanceof RequestFailure;
  const text = (error as Error).message;
  const head = `HTTP/1.1 ${known ? error.code : 500} Refused\r\ncontent-type: text/plain`;
  socket.on('error', () => socket.destroy());
  socket.end(
    `${head}\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  );
}
