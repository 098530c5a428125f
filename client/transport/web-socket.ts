// WebSocket upgrades to an API server (exec, attach, port-forward). The room's one user of `ws`.
// Invariant: resolves with an open socket or rejects; a refusal is the server's Status, not a bare code.
import type { IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';
import { StatusError } from '../../api/status.ts';
import { abortError, ConnectionError } from './connection-error.ts';
import { type Credential, withCredential } from './credentials.ts';
import { certificateOf, identityHeaders, readBody, targetPath } from './http-exchange.ts';
import type { ResolvedHttpOptions } from './http-options.ts';
import { failureOf } from './reply.ts';
import type { TransportRequest } from './transport.ts';

/** The largest message taken off such a socket. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** How much of a refusal's body is read. */
const MAX_REFUSAL_BYTES = 1024 * 1024;
const UNAUTHORIZED = 401;

/** An open socket, paused until its owner listens and resumes it, and the protocol that the server chose. */
export interface OpenWebSocket {
  readonly socket: WebSocket;
  readonly protocol: string;
}

/** Opens the socket; `protocol` is the one the server chose of `protocols`. Aborting ends it, then and later. */
export async function openWebSocket(
  options: ResolvedHttpOptions,
  request: TransportRequest,
  protocols: readonly string[],
): Promise<OpenWebSocket> {
  const opened = await withCredential(options.credentials, async (credential) => {
    const parts = { options, credential, protocols };
    const outcome = await open(parts, request).catch((error: unknown) => {
      if (error instanceof StatusError && error.code === UNAUTHORIZED) return error;
      throw error;
    });
    return { outcome, isUnauthorized: outcome instanceof StatusError };
  });
  if (opened instanceof StatusError) throw opened;
  return opened;
}

interface Opening {
  readonly options: ResolvedHttpOptions;
  readonly credential: Credential;
  readonly protocols: readonly string[];
}

async function open(
  { options, credential, protocols }: Opening,
  request: TransportRequest,
): Promise<OpenWebSocket> {
  const { signal } = request;
  const { connectTimeoutMs, tcpKeepAliveMs } = options.limits;
  const scheme = options.server.protocol === 'https:' ? 'wss:' : 'ws:';
  return connectWebSocket({
    url: `${scheme}//${options.server.host}${targetPath(options, request)}`,
    protocols,
    signal,
    keepAliveMs: tcpKeepAliveMs,
    settings: {
      ...options.tls,
      ...certificateOf(credential),
      handshakeTimeout: connectTimeoutMs,
      headers: identityHeaders(options, credential),
    },
  });
}

/** What a socket is opened with. */
export interface WebSocketTarget {
  readonly url: string;
  readonly protocols: readonly string[];
  readonly signal: AbortSignal | undefined;
  /** The kernel asks after a silent connection this often. */
  readonly keepAliveMs?: number;
  readonly settings: ClientOptions;
}

/** Opens the socket; it is paused, so that nothing is lost before its owner listens. */
export function connectWebSocket({
  url,
  protocols,
  signal,
  keepAliveMs,
  settings,
}: WebSocketTarget): Promise<OpenWebSocket> {
  if (signal?.aborted) return Promise.reject(abortError(signal));
  const socket = new WebSocket(url, [...protocols], {
    ...settings,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  // Half of the connection may go without a word.
  if (keepAliveMs !== undefined)
    socket.once('upgrade', (reply) => reply.socket.setKeepAlive(true, keepAliveMs));
  const onAbort = () => socket.terminate();
  signal?.addEventListener('abort', onAbort, { once: true });
  socket.once('close', () => signal?.removeEventListener('abort', onAbort));
  return new Promise((resolve, reject) => {
    socket.once('open', () => {
      socket.pause();
      resolve({ socket, protocol: socket.protocol });
    });
    socket.once('unexpected-response', (outgoing, reply) => {
      refusal(reply)
        .then(reject, reject)
        .finally(() => outgoing.destroy());
    });
    // Stays for the socket's life: an error event that nobody hears would end the process.
    socket.on('error', (cause) => {
      const lost = new ConnectionError('lost', `${url}: ${cause.message}`, cause);
      reject(signal?.aborted ? abortError(signal) : lost);
    });
  });
}

async function refusal(reply: IncomingMessage): Promise<Error> {
  const bytes = await readBody(reply, { maxBytes: MAX_REFUSAL_BYTES });
  return failureOf({
    status: reply.statusCode ?? 500,
    headers: reply.headers,
    bytes: () => bytes,
  });
}
