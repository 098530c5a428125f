// A WebSocket as streams of whole messages: read one after another, sent one after another.
// Invariants: the peer is read no faster than messages are taken (at most MAX_WAITING_MESSAGES wait); a message is sent once the
// one before has left; when it ends, the reader is told of all that came before.
import { ConnectionError } from '../transport/connection-error.ts';
import type { Transport, TransportRequest } from '../transport/transport.ts';

/** Messages that wait for their reader before no more are read off the connection. */
export const MAX_WAITING_MESSAGES = 16;

/** An open connection. */
export interface MessageSocket {
  /** The one that the server chose. */
  readonly protocol: string;
  /** What comes, until the connection ends; for one reader. */
  readonly messages: AsyncIterable<Uint8Array>;
  /** Resolves when the message has left; at once where the connection is gone, for its end is told to the reader. */
  send(message: Uint8Array): Promise<void>;
  /** Ends the connection; what has been sent still leaves. */
  close(): void;
  /** Ends the connection at once. */
  terminate(): void;
}

/** Opens a connection by one of the protocols. Throws StatusError where the server refuses, ConnectionError where there is none. */
export async function openMessageSocket(
  transport: Transport,
  request: TransportRequest,
  protocols: readonly string[],
): Promise<MessageSocket> {
  if (!transport.upgrade)
    throw new TypeError('this transport has no upgrades, which exec, attach and port-forward need');
  const { socket, protocol } = await transport.upgrade(request, protocols);
  const waiting: Uint8Array[] = [];
  let wake = (): void => undefined;
  let isOver = socket.readyState !== socket.OPEN;
  socket.on('message', (data: Buffer) => {
    waiting.push(data);
    if (waiting.length >= MAX_WAITING_MESSAGES) socket.pause();
    wake();
  });
  socket.on('close', () => {
    isOver = true;
    wake();
  });
  socket.resume();
  return {
    protocol,
    messages: {
      async *[Symbol.asyncIterator]() {
        for (;;) {
          const message = waiting.shift();
          if (message) {
            if (waiting.length === 0) socket.resume();
            yield message;
          } else if (isOver) return;
          else
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      },
    },
    send: (message) =>
      new Promise((resolve) => {
        if (socket.readyState === socket.OPEN) socket.send(message, () => resolve());
        else resolve();
      }),
    close() {
      socket.resume();
      socket.close();
    },
    terminate: () => socket.terminate(),
  };
}

/** What a connection that ended by itself comes to. */
export function lostConnection(what: string): ConnectionError {
  return new ConnectionError('lost', `the connection to ${what} broke off`);
}
