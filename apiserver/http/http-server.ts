// The HTTPS listener: reads requests, finds who makes them, and sends the pipeline's replies. A fastify adapter.
// Invariant: nothing of the API is decided here; what fails before the pipeline still comes out as a Status, indented
// for who asks for it; what is no HTTP (client-error.ts) and refused upgrades (upgrades.ts) are not.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import websocket from '@fastify/websocket';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { WebSocketServer } from 'ws';
import { StatusError } from '../../api/status.ts';
import type { Handler, Reply } from '../../api/wire/exchange.ts';
import type { Clock } from '../../base/clock.ts';
import { arrivalWithin, tellOfFailures } from '../../base/listening.ts';
import type { Logger } from '../../base/logger.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import { prettyIfAsked } from '../pretty-json.ts';
import { errorReply } from '../reply.ts';
import { answerClientError } from './client-error.ts';
import { Departure } from './departure.ts';
import { incomingRequest, PROXY_ROUTES } from './incoming.ts';
import { Inbox } from './inbox.ts';
import { Outbox } from './outbox.ts';
import { IF_PASSED_ON, passedOnConstraint } from './passed-on.ts';
import { readBody } from './read-body.ts';
import { sendReply } from './send-reply.ts';
import { shownCertificate } from './shown-certificate.ts';
import { upgradeListener } from './upgrades.ts';

/** A server's key and certificate, and who signs its clients' certificates; PEM. */
export interface ServerTls {
  readonly key: string;
  readonly cert: string;
  readonly clientCa: string;
}

/** What the listener needs. */
export interface HttpServerOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly tls: ServerTls;
  readonly handler: Handler;
  readonly authenticate: Authenticator;
  /** Does another API server answer paths like this one (encoded, without query)? Their bodies are left unread. */
  readonly passesOn: (path: string) => boolean;
  readonly bodyLimitBytes: number;
  /** Connections at once; those beyond are closed before anything is read of them. */
  readonly maxConnections?: number | undefined;
  /** How long a request may take to arrive; REQUEST_TIMEOUT_MS unless given. */
  readonly arrivalMs?: number | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A listener. */
export interface HttpServer {
  readonly port: number;
  /** Stops taking connections, ends watches, and resolves when the last connection is gone. */
  close(): Promise<void>;
}

/** Upstream's longest paths are far below this. */
const MAX_PATH_CHARS = 16 * 1024;
/** All headers of a request together; impersonation with many groups needs some room. */
const MAX_HEAD_BYTES = 64 * 1024;
/** A connection without a request is kept this long. */
const KEEP_ALIVE_MS = 72_000;
/** A client may take this long to send a whole request. */
const REQUEST_TIMEOUT_MS = 60_000;
/** And this long for its head, and for a handshake; upstream's. */
const HEAD_TIMEOUT_MS = 32_000;
/** Answers that are still being sent when the server closes get this long. */
const CLOSE_GRACE_MS = 2_000;
/** Messages that a watcher sends are not read beyond this; it has nothing to say. */
const MAX_INBOUND_BYTES = 4096;
/** Default of maxConnections: each costs some 30 KiB and a file descriptor. */
export const MAX_CONNECTIONS = 30_000;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Listens. Throws an Error with one clear line when the port is taken. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { host, port, tls, logger, arrivalMs = REQUEST_TIMEOUT_MS } = options;
  const closing = new AbortController();
  const answering = new Map<ServerResponse, Departure>();
  const app = fastify({
    https: httpsOptions(tls, arrivalMs),
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    requestTimeout: arrivalMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    clientErrorHandler: answerClientError,
    routerOptions: {
      maxParamLength: MAX_PATH_CHARS,
      constraints: passedOnConstraint(options.passesOn),
    },
    frameworkErrors: (error, _request, reply) => refuse(reply, error),
  });
  const webSockets = await webSocketServer(app);
  // Bodies are read in read-body.ts, or stay in the socket until a proxy passes them on: none is fastify's to read.
  for (const method of METHODS)
    app.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  app.setErrorHandler((error, _request, reply) => refuse(reply, error));
  app.setNotFoundHandler((_request, reply) =>
    refuse(reply, new StatusError('NotFound', 'the server could not find the requested resource')),
  );
  const boxes = { inbox: new Inbox(), outbox: new Outbox() };
  addRoutes(app, { options, closing: closing.signal, answering, ...boxes });
  await app.ready();
  const server = app.server as unknown as Server;
  const sockets = new Set<Socket>();
  const upgrade = upgradeListener({
    ...options,
    sockets: webSockets,
    closing: closing.signal,
    credentialsOf,
  });
  server.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
  const connections = new Connections(server);
  server.removeAllListeners('upgrade');
  server.on('upgrade', (message, socket, head) => {
    sockets.add(socket as Socket);
    socket.on('close', () => sockets.delete(socket as Socket));
    upgrade(message, socket, head);
  });
  await app.listen({ host, port }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new Error(`cannot listen on ${host}:${port}: the port is in use`, { cause: error });
  });
  tellOfFailures(server, logger);
  const address = server.address();
  const bound = typeof address === 'object' && address ? address.port : port;
  logger.info('the API server listens', { host, port: bound });
  const close = async () => {
    closing.abort(new Error('the server is closing'));
    for (const socket of sockets) socket.destroy();
    for (const departure of answering.values()) departure.leave();
    const grace = options.clock.timer(CLOSE_GRACE_MS, () => connections.end());
    await Promise.all([...answering.keys()].map(({ req }) => gone(req.socket)));
    await app.close();
    grace.cancel();
  };
  return { port: bound, close };
}

const httpsOptions = ({ key, cert, clientCa: ca }: ServerTls, arrivalMs: number) => ({
  key,
  cert,
  ca,
  requestCert: true,
  rejectUnauthorized: false,
  maxHeaderSize: MAX_HEAD_BYTES,
  // Where no body is announced there is no stream to be emptied, ended and closed: a fifth of what Node does for a get.
  optimizeEmptyRequests: true,
  ...arrivalWithin(Math.min(arrivalMs, HEAD_TIMEOUT_MS), arrivalMs),
});

/**
 * The plugin makes the handshakes of watches; which upgrades those are is decided in upgrades.ts, since it would take every upgrade
 * for a WebSocket's. It has a scope of its own, without routes: elsewhere its hooks would be asked about every request and answer.
 */
async function webSocketServer(app: FastifyInstance): Promise<WebSocketServer> {
  const scope = Promise.withResolvers<WebSocketServer>();
  await app.register(async (own) => {
    await own.register(websocket, { options: { maxPayload: MAX_INBOUND_BYTES } });
    scope.resolve(own.websocketServer);
  });
  return scope.promise;
}

/** Every path goes the same way; only whether bodies are read differs. */
function addRoutes(app: FastifyInstance, answering: Answering): void {
  const handlerFor = (route: Route) => {
    const whole = { ...answering, ...route };
    return (request: FastifyRequest, reply: FastifyReply) => void answer(request, reply, whole);
  };
  const own = { passedOn: false, readsBody: true };
  app.route({ method: METHODS, url: '/*', handler: handlerFor(own) });
  for (const url of PROXY_ROUTES)
    app.route({ method: METHODS, url, handler: handlerFor({ ...own, readsBody: false }) });
  const elsewhere = { url: '/*', constraints: IF_PASSED_ON };
  const passing = handlerFor({ passedOn: true, readsBody: false });
  app.route({ method: METHODS, ...elsewhere, handler: passing });
}

/** What differs between routes. */
interface Route {
  /** It goes to another API server. */
  readonly passedOn: boolean;
  /** Where not, the body stays in the socket until a proxy passes it on. */
  readonly readsBody: boolean;
}

interface Answering {
  readonly options: HttpServerOptions;
  readonly closing: AbortSignal;
  /** Answers that are not wholly sent. */
  readonly answering: Map<ServerResponse, Departure>;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
}

/** As Answering, on one of the routes. */
type RouteAnswering = Answering & Route;

async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  route: RouteAnswering,
): Promise<void> {
  const { options, closing, answering, outbox } = route;
  reply.hijack();
  const { raw: message } = request;
  const { raw: response } = reply;
  const departure = new Departure();
  answering.set(response, departure);
  response.on('close', () => {
    answering.delete(response);
    // A request that is wholly in, its answer wholly out, has no source left that could be told.
    if (!response.writableFinished || !message.complete) departure.leave();
  });
  if (closing.aborted) departure.leave();
  try {
    const result = await handled(message, departure, route);
    // A body that was refused is not waited for.
    if (!message.complete && result.kind === 'body') response.shouldKeepAlive = false;
    await sendReply(response, result, {
      acceptEncoding: String(message.headers['accept-encoding'] ?? ''),
      head: message.method === 'HEAD',
      outbox,
      reader: departure,
    });
  } catch (error) {
    if (!departure.isOver) options.logger.warn('a reply broke off', { err: error });
    response.destroy();
  } finally {
    if (closing.aborted) endAfter(response);
  }
}

/**
 * Every connection of a listener from its first byte on. Node's own list has only those whose handshake is over: one whose
 * other half went away within it would hold up closing for two minutes.
 */
class Connections {
  readonly #open = new Set<Socket>();
  #ended = false;

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      if (this.#ended) return void socket.destroy();
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
    });
  }

  /** Closes those there are, and those that still come. */
  end(): void {
    this.#ended = true;
    for (const socket of this.#open) socket.destroy();
  }
}

/** Resolves when the socket is closed, for whatever reason. */
const gone = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.destroyed) resolve();
    else socket.once('close', () => resolve());
  });

/** Ends the connection once the answer is out, so that a kept-alive one does not hold up closing. */
function endAfter(response: ServerResponse): void {
  const end = () => response.req.socket.end();
  if (response.writableFinished) end();
  else response.once('finish', end);
}

async function handled(
  message: IncomingMessage,
  caller: Departure,
  { options, inbox, passedOn, readsBody }: RouteAnswering,
): Promise<Exclude<Reply, { kind: 'upgrade' }>> {
  const { authenticate, handler, bodyLimitBytes } = options;
  try {
    const body = readsBody ? await readBody(message, bodyLimitBytes) : undefined;
    await inbox.start(body?.length ?? 0);
    const user = authenticate(credentialsOf(message));
    const result = await handler(incomingRequest(message, body, { caller, passedOn }), user);
    if (result.kind !== 'upgrade') return result;
    // Nobody will take it: who holds it open for the caller is to let go of it.
    caller.leave();
    throw new StatusError('BadRequest', 'you must request an upgrade of the connection');
  } catch (error) {
    const reply = refusal(message, error);
    if (reply.kind === 'upgrade') throw error;
    return reply;
  }
}

function credentialsOf(message: {
  headers: { authorization?: string | undefined };
  socket: Socket;
}) {
  return {
    authorization: message.headers.authorization,
    certificate: shownCertificate(message.socket),
  };
}

/** Answers a failure of fastify's own, such as a bad path. */
function refuse(reply: FastifyReply, error: unknown): void {
  const status = refusal(reply.request.raw, error);
  if (status.kind !== 'body') return;
  void reply.code(status.status).headers(mutable(status.headers)).send(Buffer.concat(status.body));
}

/** The answer to what failed before the pipeline, whose head may not even be readable as a Request's. */
function refusal({ url = '', headers }: IncomingMessage, error: unknown): Reply {
  const [, path = '', query] = /^([^?]*)\??(.*)/s.exec(url) ?? [];
  return prettyIfAsked(
    { path, query: new URLSearchParams(query), headers },
    errorReply(asStatus(error)),
  );
}

const mutable = (headers: Readonly<Record<string, string | readonly string[]>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

function asStatus(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  const { statusCode, message } = error as { statusCode?: number; message?: string };
  if (statusCode !== undefined && statusCode < 500)
    return new StatusError('BadRequest', message ?? 'bad request', { cause: error });
  return new StatusError('InternalError', 'an internal error happened', { cause: error });
}
