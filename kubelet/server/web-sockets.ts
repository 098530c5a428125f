// WebSockets that the node's server takes over, by the `ws` package.
// Invariant: a peer that breaks the protocol is cut off and disturbs nobody; all end with their acceptor.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import { endWhenIdle } from './idle-connection.ts';
import { RequestFailure } from './request-failure.ts';
import type { UpgradeRequest } from './spdy-upgrade.ts';

export type { WebSocket } from 'ws';

/** The largest message taken from a client. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
/** Normal closure, and a protocol error, of RFC 6455. */
export const CLOSE_NORMAL = 1000;
export const CLOSE_PROTOCOL = 1002;

/** Takes connections over for one use. */
export class WebSocketAcceptor {
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    // Told in `headers` below, whatever its name: the package takes no name with a slash (RFC 6455, section 4.1), and
    // Kubernetes has one.
    handleProtocols: () => false,
  });

  /** What was agreed on, by request. */
  readonly #agreed = new WeakMap<IncomingMessage, string>();

  readonly #idleMs: number;

  /** Connections over which nothing goes for `idleMs` are broken off; 0 for never. */
  constructor(idleMs: number) {
    this.#idleMs = idleMs;
    this.#server.on('headers', (headers, request) => {
      headers.push(`Sec-WebSocket-Protocol: ${this.#agreed.get(request)}`);
    });
  }

  /** Answers the handshake, agreeing on `protocol`, one of those that the client offers. Rejects when the handshake is broken. */
  accept({ request, socket, head }: UpgradeRequest, protocol: string): Promise<WebSocket> {
    delete request.headers['sec-websocket-protocol'];
    this.#agreed.set(request, protocol);
    return new Promise((resolve, reject) => {
      socket.once('close', () => reject(new RequestFailure(400, 'the handshake was broken off')));
      this.#server.handleUpgrade(request, socket, head, (peer) => {
        peer.on('error', () => peer.terminate());
        // The package has just taken the socket's time limit away.
        endWhenIdle(socket, this.#idleMs);
        resolve(peer);
      });
    });
  }

  /** Ends all connections. */
  close(): void {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
  }
}

/** A WebSocket's binary messages as one stream of bytes each way. */
export const asByteStream = (socket: WebSocket): Duplex => createWebSocketStream(socket);

/** Subprotocols that a request offers. */
export function offeredProtocols({ request }: UpgradeRequest): string[] {
  return (request.headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim());
}
