// The node's own HTTPS server, for the API server only: logs, commands in containers, figures, health.
// Invariants: nothing is answered without a client certificate of an allowed name; every connection ends with the agent.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import type { Pod } from '../../api/generated/types.ts';
import { StatusError } from '../../api/status.ts';
import { isTrue } from '../../api/wire/query-flag.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { NodeServerOptions } from '../options.ts';
import type { ContainerRuntime, ExecSession } from '../runtime/runtime.ts';
import { containerLogs } from './container-logs.ts';
import { type ContainerPath, runningContainer } from './container-lookup.ts';
import type { NodePods } from './node-pods.ts';
import { PodTunnels } from './pod-tunnel.ts';
import { PortForwards } from './port-forward.ts';
import { RemoteCommands } from './remote-command.ts';
import { RequestFailure } from './request-failure.ts';
import { serveSpdyCommand } from './spdy-command.ts';
import { asksForSpdy, type UpgradeRequest } from './spdy-upgrade.ts';
import { statsSummary } from './stats-summary.ts';

/** What the server is made from. */
export interface NodeServerParts {
  readonly server: NodeServerOptions;
  readonly nodeName: string;
  readonly pods: NodePods;
  readonly runtime: ContainerRuntime;
  /** Connects to a port on the loopback of a pod. Rejects with a message for people. */
  connect(pod: Pod, port: number): Promise<Duplex>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A server that listens. */
export interface NodeServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Longest wait for a request's headers. */
const HEADERS_TIMEOUT_MS = 10_000;
/** Sockets at once; each followed log and each command takes one. */
const MAX_CONNECTIONS = 1024;

/** Begins to listen. Rejects when the port is taken. */
export async function startNodeServer(parts: NodeServerParts): Promise<NodeServer> {
  const streams = {
    commands: new RemoteCommands(),
    forwards: new PortForwards(parts.clock),
    tunnels: new PodTunnels(),
  };
  const { tls, host, port } = parts.server;
  const server = createServer(
    {
      cert: tls.cert,
      key: tls.key,
      ca: tls.clientCa,
      requestCert: true,
      // Refused below, with words, rather than in the handshake.
      rejectUnauthorized: false,
      headersTimeout: HEADERS_TIMEOUT_MS,
    },
    (request, response) => {
      answer(parts, request, response).catch((error: unknown) => fail(parts, error, response));
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.on('upgrade', (request, socket, head) => {
    // A caller that breaks off before anybody listens must not end the agent.
    socket.on('error', () => socket.destroy());
    upgrade(parts, streams, { request, socket, head }).catch((error: unknown) =>
      refuse(error, socket),
    );
  });
  await listen(server, host, port);
  const close = async () => {
    streams.commands.close();
    streams.forwards.close();
    streams.tunnels.close();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  };
  return { port: (server.address() as AddressInfo).port, close };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Throws RequestFailure unless the caller is one of those that may ask. */
function authenticate(parts: NodeServerParts, request: IncomingMessage): void {
  const socket = request.socket as TLSSocket;
  if (!socket.authorized) throw new RequestFailure(401, 'Unauthorized');
  const subject = socket.getPeerCertificate().subject?.CN;
  const name = Array.isArray(subject) ? subject[0] : subject;
  if (name === undefined || !parts.server.allowedClientCommonNames.includes(name))
    throw new RequestFailure(403, 'Forbidden: this certificate may not ask a node');
}

async function answer(
  parts: NodeServerParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  authenticate(parts, request);
  if (request.method !== 'GET') throw new RequestFailure(405, 'Method Not Allowed');
  const { path, query } = target(request);
  const { pods, clock, nodeName, runtime } = parts;
  switch (path[0]) {
    case 'healthz':
      response.setHeader('content-type', 'text/plain').end('ok');
      return;
    case 'pods':
      sendJson(response, { apiVersion: 'v1', kind: 'PodList', metadata: {}, items: pods.list() });
      return;
    case 'stats':
      if (path[1] !== 'summary') break;
      sendJson(
        response,
        statsSummary({ name: nodeName, ...runtime.nodeStats() }, pods.list(), pods.stats()),
      );
      return;
    case 'containerLogs': {
      const gone = new AbortController();
      response.once('close', () => gone.abort(new Error('the caller is gone')));
      const from = { pods, clock, signal: gone.signal };
      const chunks = await containerLogs(containerPath(path), query, from);
      response.setHeader('content-type', 'text/plain');
      response.flushHeaders();
      await pipeline(Readable.from(chunks, { objectMode: false }), response);
      return;
    }
    default:
  }
  throw new RequestFailure(404, '404 page not found');
}

interface Streams {
  readonly commands: RemoteCommands;
  readonly forwards: PortForwards;
  readonly tunnels: PodTunnels;
}

async function upgrade(
  parts: NodeServerParts,
  streams: Streams,
  connection: UpgradeRequest,
): Promise<void> {
  const { request } = connection;
  authenticate(parts, request);
  const { path, query } = target(request);
  const [verb] = path;
  if (verb === 'exec' || verb === 'attach')
    await serveCommand(parts, streams.commands, { ...connection, path, query });
  else if (verb === 'portForward')
    await forwardPorts(parts, streams.forwards, { ...connection, path, query });
  else if (verb === 'podConnection') await streams.tunnels.serve(connection, parts.pods, path);
  else throw new RequestFailure(404, '404 page not found');
}

type Asked = UpgradeRequest & { readonly path: readonly string[]; readonly query: URLSearchParams };

async function serveCommand(
  parts: NodeServerParts,
  commands: RemoteCommands,
  asked: Asked,
): Promise<void> {
  const { request, path, query } = asked;
  const [verb] = path;
  const { id } = runningContainer(parts.pods, containerPath(path));
  const command = query.getAll('command');
  if (verb === 'exec' && command.length === 0)
    throw new RequestFailure(400, 'you must specify at least 1 command for the exec');
  const flag = (...names: string[]) => names.some((name) => isTrue(query.get(name)));
  const wanted = {
    stdin: flag('stdin', 'input'),
    stdout: flag('stdout', 'output'),
    stderr: flag('stderr', 'error'),
    tty: flag('tty'),
  };
  const { stdin, tty } = wanted;
  const begin = (): Promise<ExecSession> =>
    verb === 'exec'
      ? parts.runtime.exec(id, { command, tty, stdin })
      : parts.runtime.attach(id, { stdin });
  if (asksForSpdy(request)) await serveSpdyCommand(asked, wanted, { clock: parts.clock, begin });
  else if (commands.speaks(asked)) await commands.serve(asked, wanted, begin);
  else
    throw new RequestFailure(
      400,
      'this node speaks v4.channel.k8s.io and v5.channel.k8s.io over WebSocket, and SPDY/3.1',
    );
}

async function forwardPorts(
  parts: NodeServerParts,
  forwards: PortForwards,
  asked: Asked,
): Promise<void> {
  const [, namespace, name, ...more] = asked.path;
  if (!namespace || !name || more.length > 0) throw new RequestFailure(404, '404 page not found');
  const found = parts.pods.find(namespace, name);
  if (!found) throw new RequestFailure(404, `pod "${namespace}/${name}" is not on this node`);
  const { pod } = found;
  await forwards.serve(asked, asked.query.getAll('ports'), {
    name: `pod ${name}, uid ${pod.metadata.uid ?? ''}`,
    connect: (port) => parts.connect(pod, port),
  });
}

function target(request: IncomingMessage): { path: string[]; query: URLSearchParams } {
  const url = new URL(request.url ?? '/', 'https://node');
  try {
    const path = url.pathname.split('/').slice(1).map(decodeURIComponent);
    return { path, query: url.searchParams };
  } catch {
    throw new RequestFailure(400, 'the path cannot be decoded');
  }
}

function containerPath(path: readonly string[]): ContainerPath {
  const [, namespace, pod, container] = path;
  if (!namespace || !pod || !container || path.length !== 4)
    throw new RequestFailure(404, '404 page not found');
  return { namespace, pod, container };
}

function sendJson(response: ServerResponse, value: object): void {
  response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
}

/** A Status, so that the API server can pass it on to its caller as it is. */
function fail(parts: NodeServerParts, error: unknown, response: ServerResponse): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const known = error instanceof RequestFailure;
  if (!known) parts.logger.error('a request to the node failed', { err: error });
  const code = known ? error.code : 500;
  const status = StatusError.fromStatus({ code, message: (error as Error).message }).toStatus();
  response.statusCode = code;
  sendJson(response, status);
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
