// Reads the head of an HTTP request into the pipeline's form.
// Invariants: the path is split before it is decoded, so no encoded slash can change what a path means; what a proxy
// passes on is neither decoded nor read.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { StatusError } from '../../api/status.ts';
import type { Method, Request, WireRequest } from '../../api/wire/exchange.ts';
import { decodePath } from '../../api/wire/request-path.ts';

const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

const PROXIED = [
  'nodes/:name',
  'namespaces/:namespace/pods/:name',
  'namespaces/:namespace/services/:name',
];
/** Routes of requests that are passed on: their bodies are left unread. */
export const PROXY_ROUTES: readonly string[] = PROXIED.flatMap((object) => [
  `/api/v1/${object}/proxy`,
  `/api/v1/${object}/proxy/*`,
]);

/** The part of such a path that is the API's own. */
const PROXY_PATH =
  /^\/api\/v1\/(?:nodes|namespaces\/[^/?]+\/(?:pods|services))\/[^/?]+\/proxy(?=[/?]|$)/;

/** What is to be known of a request beside what is in it. */
export interface Incoming {
  /** Who asks; the signal of its leaving is asked for only by who needs it. */
  readonly caller: { readonly signal: AbortSignal };
  /** It goes to another API server: its body was left unread. */
  readonly passedOn: boolean;
}

/**
 * A class rather than an object literal: V8 makes a dictionary of a literal with a getter, at a microsecond each, and every look
 * at it is a search. A copy by `...` lacks `signal`.
 */
class IncomingRequest implements Request {
  readonly method: Method;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Request['headers'];
  declare readonly body?: Uint8Array;
  declare readonly wire?: WireRequest;
  readonly #caller: Incoming['caller'];

  constructor(
    { method, path, query, headers }: Pick<Request, 'method' | 'path' | 'query' | 'headers'>,
    caller: Incoming['caller'],
  ) {
    this.method = method;
    this.path = path;
    this.query = query;
    this.headers = headers;
    this.#caller = caller;
  }

  get signal(): AbortSignal {
    return this.#caller.signal;
  }
}

/** A request of these parts. Throws BadRequest, MethodNotAllowed. */
export function incomingRequest(
  message: IncomingMessage,
  body: Uint8Array | undefined,
  { caller, passedOn }: Incoming,
): Request {
  const { method = 'GET', url = '/' } = message;
  if (!METHODS.includes(method))
    throw new StatusError('MethodNotAllowed', `the server does not allow the method ${method}`);
  const mark = url.indexOf('?');
  const raw = mark < 0 ? url : url.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
  const own = PROXY_PATH.exec(url)?.[0];
  const path = own === undefined ? decodePath(raw) : decodePath(own) + raw.slice(own.length);
  const headers = flatHeaders(message.headers);
  const request = new IncomingRequest({ method: method as Method, path, query, headers }, caller);
  if (own !== undefined || passedOn) return Object.assign(request, { wire: wireOf(message) });
  return body === undefined ? request : Object.assign(request, { body });
}

function wireOf(message: IncomingMessage): WireRequest {
  const { headers, url = '/', socket } = message;
  const length = headers['content-length'] ?? '0';
  const hasBody = headers['transfer-encoding'] !== undefined || length !== '0';
  // What follows a request to upgrade is the other protocol's.
  const body = hasBody && headers.upgrade === undefined ? message : undefined;
  return { target: url, body, from: socket.remoteAddress };
}

/** Node has joined repeated headers already, but for Set-Cookie, which is an answer's. */
function flatHeaders(headers: IncomingHttpHeaders): Readonly<Record<string, string | undefined>> {
  const plain = headers['set-cookie'] ? { ...headers, 'set-cookie': undefined } : headers;
  return plain as Readonly<Record<string, string | undefined>>;
}
