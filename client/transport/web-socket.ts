// WebSocket upgrades to an API server (exec, attach, port-forward). The room's one user of `ws`.
// Invariant: resolves with an open socket or rejects; a refusal is the server's Status, not a bare code.
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { abortError, ConnectionError } from './connection-error.ts';
import { authorization, readBody, targetPath } from './http-exchange.ts';
import type { ResolvedHttpOptions } from './http-options.ts';
import { failureOf } from './reply.ts';
import type { TransportRequest } from './transport.ts';

/** The largest message taken off such a socket. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** How much of a refusal's body is read. */
const MAX_REFUSAL_BYTES = 1024 * 1024;

/** Opens the socket; `protocol` is the one the server chose of `protocols`. Aborting ends it, then and later. */
export async function openWebSocket(
  options: ResolvedHttpOptions,
  request: TransportRequest,
  protocols: readonly string[],
): Promise<{ socket: WebSocket; protocol: string }> {
  const { signal } = request;
  const bearer = await authorization(options);
  signal?.throwIfAborted();
  const scheme = options.server.protocol === 'https:' ? 'wss:' : 'ws:';
  const url = `${scheme}//${options.server.host}${targetPath(options, request)}`;
  const socket = new WebSocket(url, [...protocols], {
    ...options.tls,
    handshakeTimeout: options.limits.connectTimeoutMs,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    headers: {
      'user-agent': options.userAgent,
      ...(bearer === undefined ? {} : { authorization: bearer }),
    },
  });
  const onAbort = () => socket.terminate();
  signal?.addEventListener('abort', onAbort, { once: true });
  socket.once('close', () => signal?.removeEventListener('abort', onAbort));
  return new Promise((resolve, reject) => {
    socket.once('open', () => {
      // Messages may have come with the handshake; they wait until the caller has had its turn to listen.
      socket.pause();
      setImmediate(() => socket.resume());
      resolve({ socket, protocol: socket.protocol });
    });
    socket.once('unexpected-response', (outgoing, reply) => {
      refusal(reply)
        .then(reject, reject)
        .finally(() => outgoing.destroy());
    });
    // Stays for the socket's life: an error event that nobody hears would end the process.
    socket.on('error', (cause) => {
      const lost = new ConnectionError('lost', `${request.path}: ${cause.message}`, cause);
      reject(signal?.aborted ? abortError(signal) : lost);
    });
  });
}

async function refusal(reply: IncomingMessage): Promise<Error> {
  const bytes = await readBody(reply, MAX_REFUSAL_BYTES);
  return failureOf({
    status: reply.statusCode ?? 500,
    headers: reply.headers,
    bytes: () => bytes,
  });
}
