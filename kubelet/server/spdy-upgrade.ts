// Taking a connection over as SPDY/3.1, the protocol of Kubernetes clients before WebSocket and of port-forward until today.
// Invariant: of the subprotocols that a client offers one is chosen and told, or the request is refused before any byte changes hands.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { RequestFailure } from './request-failure.ts';

/** A request to be upgraded. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What came after the request. */
  readonly head: Buffer;
}

/** Does the request ask for SPDY itself (rather than for a WebSocket)? */
export function asksForSpdy(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'spdy/3.1';
}

/** Answers the request with 101 and hands the bytes over. Throws RequestFailure unless the client offers the protocol. */
export function acceptSpdy({ request, socket, head }: UpgradeRequest, protocol: string): Duplex {
  // Several headers of the name come joined by commas.
  const offered = String(request.headers['x-stream-protocol-version'] ?? '').split(',');
  if (!offered.some((each) => each.trim() === protocol))
    throw new RequestFailure(
      403,
      `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${protocol}]`,
    );
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Connection: Upgrade',
    'Upgrade: SPDY/3.1',
    `X-Stream-Protocol-Version: ${protocol}`,
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  if (head.length > 0) socket.unshift(head);
  return socket;
}
