// What cannot even be read as HTTP still gets a Status: a head too large, a request too slow, no HTTP at all.
// Invariant: one answer at most, then the connection ends; nothing is written into an answer that has begun.
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type Status, StatusError } from '../../api/status.ts';

/** Nobody is there to be told, or nothing can be: what is written before a handshake is over waits for ever. */
const SPEECHLESS: ReadonlySet<string | undefined> = new Set([
  'ECONNRESET',
  'ERR_TLS_HANDSHAKE_TIMEOUT',
]);

/** Answers a failure of the parser, and ends the connection. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (SPEECHLESS.has(error.code) || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const status = statusOf(error);
  const body = JSON.stringify(status);
  socket.end(
    `HTTP/1.1 ${status.code} ${STATUS_CODES[status.code] ?? 'Refused'}\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

function statusOf({ code }: NodeJS.ErrnoException): Status {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new StatusError('BadRequest', 'the head of the request is too large', {
        code: 431,
      }).toStatus();
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new StatusError('Timeout', 'the request did not arrive in time', {
        code: 408,
      }).toStatus();
    default:
      return new StatusError('BadRequest', 'this is not a request of HTTP/1.1').toStatus();
  }
}
