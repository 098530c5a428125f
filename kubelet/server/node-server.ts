// The node's own HTTPS server, for the API server only: logs, commands in containers, figures, health.
// Invariants: nothing is answered without a client certificate of an allowed name; every connection ends with the agent.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import { StatusError } from '../../api/status.ts';
import {
  answerNodeRequest,
  JSON_TYPE,
  type NodeRequestParts,
  type NodeServer,
  type ServeNode,
} from './node-requests.ts';
import { NodeUpgrades } from './node-upgrades.ts';
import { RequestFailure } from './request-failure.ts';
import type { UpgradeRequest } from './spdy-upgrade.ts';

/** Where the agent's own server listens, and whom it lets in. */
export interface NodeServerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly cert: string; readonly key: string; readonly clientCa: string };
  /** Common names of client certificates that may ask for logs and exec. */
  readonly allowedClientCommonNames: readonly string[];
}

/** What the server is made from. */
interface ServerParts extends NodeRequestParts {
  readonly server: NodeServerOptions;
}

/** An agent that is asked over HTTPS; its start rejects when the port is taken. */
export function overHttps(server: NodeServerOptions): ServeNode {
  return (parts) => startNodeServer({ ...parts, server });
}

/** Longest wait for a request's headers. */
const HEADERS_TIMEOUT_MS = 10_000;
/** Sockets at once; each followed log and each command takes one. */
const MAX_CONNECTIONS = 1024;

async function startNodeServer(parts: ServerParts): Promise<NodeServer> {
  const upgrades = new NodeUpgrades(parts);
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
    upgrade(parts, upgrades, { request, socket, head }).catch((error: unknown) =>
      refuse(error, socket),
    );
  });
  await listen(server, host, port);
  const close = async () => {
    upgrades.close();
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
function authenticate(parts: ServerParts, request: IncomingMessage): void {
  const socket = request.socket as TLSSocket;
  if (!socket.authorized) throw new RequestFailure(401, 'Unauthorized');
  const subject = socket.getPeerCertificate().subject?.CN;
  const name = Array.isArray(subject) ? subject[0] : subject;
  if (name === undefined || !parts.server.allowedClientCommonNames.includes(name))
    throw new RequestFailure(403, 'Forbidden: this certificate may not ask a node');
}

async function answer(
  parts: ServerParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  authenticate(parts, request);
  if (request.method !== 'GET') throw new RequestFailure(405, 'Method Not Allowed');
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the caller is gone')));
  const { contentType, body } = await answerNodeRequest(parts, request.url ?? '/', gone.signal);
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
  authenticate(parts, connection.request);
  await upgrades.serve(connection);
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
