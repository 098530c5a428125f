// The HTTPS server of webhooks: POSTs of reviews come in, answers go out; and two paths for probes.
// Invariant: a certificate is changed without closing a connection; close() lets what is being answered end first, and leaves no
// socket.
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { KeyPair } from '../../../base/certificates.ts';
import type { Clock } from '../../../base/clock.ts';
import { arrivalWithin, listen } from '../../../base/listening.ts';
import type { Logger } from '../../../base/logger.ts';
import { BodyReader } from './request-body.ts';
import {
  type DeskDoors,
  reply,
  ReviewDesk,
  type ReviewReply,
  type Webhook,
} from './review-desk.ts';
import { handlerFault, messageOf, WebhookFault } from './webhook-fault.ts';

/** Connections at once; further ones are closed as they come. */
export const MAX_CONNECTIONS = 1_000;
/** How long close() waits for answers that are under way; as long as the longest call may take. */
export const MAX_STOP_MS = 30_000;
/** The port that webhooks of operators are usually served on. */
export const DEFAULT_PORT = 9443;
/** How long a request may take to arrive, and its head and a connection's hello. */
const ARRIVAL_MS = { whole: 30_000, head: 10_000 };
/** Longer than API servers keep idle connections (a minute to 90 s), so that none is closed under a request. */
const KEEP_ALIVE_MS = 120_000;

/** What is served, and where. */
export interface ServeOptions extends DeskDoors {
  readonly webhooks: readonly Webhook[];
  /** PEM; `replaceCertificate` changes it later. */
  readonly certificate: KeyPair;
  /** All addresses unless given. */
  readonly host?: string | undefined;
  /** DEFAULT_PORT unless given; 0 picks a free one. */
  readonly port?: number | undefined;
  /** What `/readyz` tells; that it is, unless given. */
  readonly isReady?: () => boolean;
  /** How long a request may take to arrive, and its head; half a minute and ten seconds unless given. */
  readonly arrivalMs?: { readonly whole: number; readonly head: number } | undefined;
}

/** A server that listens. */
export interface WebhookServer {
  readonly port: number;
  /** New connections see it from now on. Throws where the halves cannot be read or do not belong together. */
  readonly replaceCertificate: (certificate: KeyPair) => void;
  /** Takes no more connections, lets calls end for MAX_STOP_MS at most, and closes. May be called again. */
  close(): Promise<void>;
}

/** Starts a server. Rejects where it cannot listen, and with TypeError where two webhooks have one name. */
export async function serveWebhooks(options: ServeOptions): Promise<WebhookServer> {
  const { certificate, host, port = DEFAULT_PORT, logger, arrivalMs = ARRIVAL_MS } = options;
  const site: Site = {
    desk: new ReviewDesk(options.webhooks, options),
    bodies: new BodyReader(),
    logger,
    isReady: options.isReady ?? (() => true),
    underWay: new Set(),
    stopping: false,
    givenUp: new AbortController(),
  };
  const server = createServer({
    ...certificate,
    minVersion: 'TLSv1.2',
    ...arrivalWithin(arrivalMs.head, arrivalMs.whole),
    keepAliveTimeout: KEEP_ALIVE_MS,
  });
  server.on('request', (request, response) => void serve(site, request, response));
  server.on('tlsClientError', (error) =>
    logger.debug('a connection did not come about', { why: error.message }),
  );
  const sockets = followSockets(server);
  const at = { host, port, maxConnections: MAX_CONNECTIONS, logger };
  const listening = await listen(server, at);
  let closed: Promise<void> | undefined;
  return {
    port: listening.port,
    replaceCertificate: (next) => server.setSecureContext({ ...next, minVersion: 'TLSv1.2' }),
    close: () => (closed ??= closeServer({ server, sockets, site, clock: options.clock })),
  };
}

interface Site {
  readonly desk: ReviewDesk;
  readonly bodies: BodyReader;
  readonly logger: Logger;
  readonly isReady: () => boolean;
  /** Requests whose answers are not out yet. */
  readonly underWay: Set<ServerResponse>;
  stopping: boolean;
  /** Aborted once a server that stops waits for no answer any longer. */
  readonly givenUp: AbortController;
}

/** Connections before and after their handshake: Node's own close() knows of the latter alone. */
function followSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  return sockets;
}

async function closeServer(parts: {
  server: Server;
  sockets: ReadonlySet<Socket>;
  site: Site;
  clock: Clock;
}): Promise<void> {
  const { server, sockets, site, clock } = parts;
  site.stopping = true;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const timer = clock.timer(MAX_STOP_MS, () => {
    site.logger.warn('the webhook server is closed while calls are under way');
    site.givenUp.abort(new Error('the webhook server is stopped'));
    for (const response of site.underWay) response.destroy();
  });
  await Promise.all(Array.from(site.underWay, (response) => once(response, 'close')));
  timer.cancel();
  // Those that said nothing yet, and those that wait for the next question.
  for (const socket of sockets) socket.destroy();
  await closed;
}

async function serve(
  site: Site,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  site.underWay.add(response);
  response.on('close', () => {
    site.underWay.delete(response);
    gone.abort(new Error('the connection is closed'));
  });
  const answer = await answerTo(site, request, gone.signal).catch((error: unknown) => {
    // A body that breaks off: there is nobody to tell.
    if (request.destroyed && !request.complete) return undefined;
    return reply(error instanceof WebhookFault ? error : handlerFault(messageOf(error), error));
  });
  if (answer === undefined || response.destroyed) return void response.destroy();
  const { code, contentType, body } = answer;
  response.statusCode = code;
  response.setHeader('content-type', contentType);
  if (code === 405) response.setHeader('allow', 'POST');
  if (site.stopping) response.setHeader('connection', 'close');
  response.end(body);
  // What is left of a body that was refused is let pass, so that the answer is read; Node ends those that take too long.
  if (!request.complete) request.resume();
}

const PROBES = new Set(['/healthz', '/livez', '/readyz']);

async function answerTo(
  site: Site,
  request: IncomingMessage,
  gone: AbortSignal,
): Promise<ReviewReply> {
  const { method = '', url = '', headers } = request;
  if (PROBES.has(url) && (method === 'GET' || method === 'HEAD')) return probed(site, url);
  if (!site.desk.has(url)) return site.desk.answer({ target: url, text: '', signal: gone });
  if (method !== 'POST') throw new WebhookFault(405, 'webhooks are asked by POST');
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (type !== 'application/json')
    throw new WebhookFault(415, `reviews are application/json, not ${JSON.stringify(type)}`);
  const signal = AbortSignal.any([gone, site.givenUp.signal]);
  return site.bodies.with(request, (text) => site.desk.answer({ target: url, text, signal }));
}

function probed({ isReady }: Site, path: string): ReviewReply {
  const isFine = path !== '/readyz' || isReady();
  const body = isFine ? 'ok' : 'the certificate or the configurations are not in place yet';
  return reply(new WebhookFault(isFine ? 200 : 503, body));
}
