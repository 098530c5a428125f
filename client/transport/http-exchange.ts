// One HTTP exchange on node:http(s): sends a request, answers once the headers of the reply are in.
// Invariant: settles exactly once, and a socket whose reply nobody reads is destroyed, not leaked.
import type { Agent, ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { abortError, ConnectionError } from './connection-error.ts';
import type { Credential } from './credentials.ts';
import type { ResolvedHttpOptions } from './http-options.ts';
import { searchParams } from './reply.ts';
import type { TransportRequest } from './transport.ts';

/** How an exchange is made. */
export interface ExchangeParts {
  readonly options: ResolvedHttpOptions;
  readonly agent: Agent;
  readonly credential: Credential;
  /** The reply must have begun within this; no limit where undefined. */
  readonly timeoutMs?: number | undefined;
}

/** The full path of a request: the server's own prefix, the path, the query. */
export function targetPath(options: ResolvedHttpOptions, request: TransportRequest): string {
  const prefix = options.server.pathname.replace(/\/$/, '');
  const query = searchParams(request.query).toString();
  return `${prefix}${request.path}${query === '' ? '' : `?${query}`}`;
}

/** Headers that say who asks, and what program. */
export function identityHeaders(
  { userAgent, impersonation }: ResolvedHttpOptions,
  { token }: Credential,
): Record<string, string> {
  return {
    'user-agent': userAgent,
    ...(token ? { authorization: `Bearer ${token}` } : {}),
    // Several groups are several headers, which these types have no word for.
    ...(impersonation as Record<string, string>),
  };
}

/** The certificate of a credential that has one, as TLS options. */
export function certificateOf({ clientCert, clientKey }: Credential): {
  cert?: string;
  key?: string;
} {
  return clientCert === undefined || clientKey === undefined
    ? {}
    : { cert: clientCert, key: clientKey };
}

/** Sends the request. Rejects with the abort's reason, or with ConnectionError. */
export async function exchange(
  parts: ExchangeParts,
  request: TransportRequest,
): Promise<IncomingMessage> {
  const { options, agent, credential } = parts;
  const body = bodyBytes(request.body);
  const headers = { ...identityHeaders(options, credential), ...bodyHeaders(request, body) };
  request.signal?.throwIfAborted();
  const send = options.server.protocol === 'https:' ? httpsRequest : httpRequest;
  const outgoing = send({
    agent,
    method: request.method,
    hostname: options.server.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: options.server.port,
    path: targetPath(options, request),
    headers,
    // Connections with another certificate are others: the agent keeps them apart.
    ...certificateOf(credential),
  });
  return settle(parts, request, { outgoing, body });
}

function settle(
  parts: ExchangeParts,
  request: TransportRequest,
  sent: { readonly outgoing: ClientRequest; readonly body: Uint8Array | undefined },
): Promise<IncomingMessage> {
  const { outgoing, body } = sent;
  const { options, timeoutMs } = parts;
  const { signal } = request;
  return new Promise((resolve, reject) => {
    const onAbort = () => outgoing.destroy(signal ? abortError(signal) : undefined);
    signal?.addEventListener('abort', onAbort, { once: true });
    const giveUp = () => outgoing.destroy(new Error(`no answer within ${timeoutMs ?? 0} ms`));
    const timer = timeoutMs === undefined ? undefined : options.clock.timer(timeoutMs, giveUp);
    // An abort after this must still reach the reply's body, so the listener goes with the request.
    outgoing.once('close', () => signal?.removeEventListener('abort', onAbort));
    limitConnecting(outgoing, options);
    outgoing.once('response', (reply) => {
      timer?.cancel();
      resolve(reply);
    });
    outgoing.on('error', (cause) => {
      timer?.cancel();
      const where = `${request.method} ${options.server.host}${request.path}`;
      const lost = new ConnectionError('lost', `${where}: ${messageOf(cause)}`, cause);
      reject(signal?.aborted ? abortError(signal) : lost);
    });
    outgoing.end(body);
  });
}

/** Gives up a connection that does not come to stand; one that stands already is left alone. */
function limitConnecting(outgoing: ClientRequest, { clock, limits }: ResolvedHttpOptions): void {
  outgoing.once('socket', (socket) => {
    if (!socket.connecting) return;
    const ms = limits.connectTimeoutMs;
    const timer = clock.timer(ms, () =>
      outgoing.destroy(new Error(`no connection within ${ms} ms`)),
    );
    const cancel = () => timer.cancel();
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', cancel);
    outgoing.once('close', cancel);
  });
}

/** The reply's body, no more than `maxBytes` of it; `heard` is told of each piece. */
export function readBody(
  reply: IncomingMessage,
  { maxBytes, heard }: { readonly maxBytes: number; readonly heard?: () => void },
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // By events: an iterator costs more than all else that is done with a short answer here.
  return new Promise((resolve, reject) => {
    reply.on('data', (chunk: Uint8Array) => {
      heard?.();
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else reject(new ConnectionError('tooLarge', `the answer is larger than ${maxBytes} bytes`));
    });
    reply.once('error', reject);
    // After its end this says nothing new.
    reply.once('close', () => reject(new Error('the connection was closed')));
    reply.once('end', () =>
      resolve(chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks)),
    );
  });
}

/** A broken reading, as what it means to the caller. */
export function readingError(error: unknown, signal: AbortSignal | undefined): Error {
  if (signal?.aborted) return abortError(signal);
  if (error instanceof ConnectionError) return error;
  return new ConnectionError('lost', `the answer broke off: ${messageOf(error)}`, error);
}

function bodyBytes(body: TransportRequest['body']): Uint8Array | undefined {
  if (body === undefined || body instanceof Uint8Array) return body;
  return Buffer.from(JSON.stringify(body));
}

function bodyHeaders(request: TransportRequest, body: Uint8Array | undefined): OutgoingHttpHeaders {
  return {
    accept: request.accept ?? 'application/json',
    ...(body === undefined
      ? {}
      : {
          'content-type': request.contentType ?? 'application/json',
          'content-length': body.length,
        }),
  };
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message || error.name : String(error);
