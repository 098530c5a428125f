// Requests that ask for another protocol: watches over WebSocket, and exec, whose bytes pass through untouched.
// Invariant: a socket that was not upgraded gets one HTTP answer and ends.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { WebSocket, WebSocketServer } from 'ws';
import { StatusError } from '../../api/status.ts';
import type { Handler, Reply, WatchFrame } from '../../api/wire/exchange.ts';
import type { Logger } from '../../base/logger.ts';
import type { Authenticator, Credentials } from '../auth/authenticator.ts';
import { errorReply } from '../reply.ts';
import { incomingRequest } from './incoming.ts';
import { pathOf } from './passed-on.ts';

/** What upgrades need of the listener. */
export interface UpgradeOptions {
  /** Makes the handshake of watches; the listener's own. */
  readonly sockets: WebSocketServer;
  readonly handler: Handler;
  readonly authenticate: Authenticator;
  readonly passesOn: (path: string) => boolean;
  readonly logger: Logger;
  /** Aborted when the server closes. */
  readonly closing: AbortSignal;
  readonly credentialsOf: (message: IncomingMessage & { socket: Socket }) => Credentials;
}

type Listener = (message: IncomingMessage, socket: Duplex, head: Buffer) => void;

interface Opening {
  readonly message: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly signal: AbortSignal;
}

/** A listener for a server's `upgrade` events. */
export function upgradeListener(options: UpgradeOptions): Listener {
  return (message, socket, head) => {
    const gone = new AbortController();
    const leave = () => gone.abort(new Error('the caller is gone'));
    socket.on('error', leave);
    socket.on('close', leave);
    options.closing.addEventListener('abort', leave, { once: true });
    socket.on('close', () => options.closing.removeEventListener('abort', leave));
    const opening = { message, socket, head, signal: gone.signal };
    open(options, opening).catch((error: unknown) => {
      options.logger.warn('an upgrade failed', { err: error });
      socket.destroy();
    });
  };
}

async function open(options: UpgradeOptions, opening: Opening): Promise<void> {
  const { message, socket, head, signal } = opening;
  const reply = await replyTo(options, message, signal);
  if (reply.kind === 'upgrade') {
    socket.write(responseHead(101, reply.connection.headers));
    reply.connection.accept(socket, head);
    return;
  }
  if (reply.kind === 'watch' && reply.status === 200) {
    if (String(message.headers.upgrade).toLowerCase() === 'websocket') {
      options.sockets.handleUpgrade(message, socket, head, (peer) => {
        // A peer that breaks the protocol is closed by the library; without a listener it would end the process.
        peer.on('error', (error) =>
          options.logger.info('a watcher broke the protocol', { err: error }),
        );
        sendFrames(peer, reply.frames, signal).catch((error: unknown) => {
          if (!signal.aborted) options.logger.warn('a watch broke off', { err: error });
          peer.terminate();
        });
      });
      return;
    }
  }
  await refuse(socket, reply);
}

/** An answer that is no upgrade, and the end of the connection; a stream of unknown length ends with it. */
async function refuse(socket: Duplex, reply: Exclude<Reply, { kind: 'upgrade' }>): Promise<void> {
  const head = { ...flat(reply.headers), connection: 'close' };
  if (reply.kind === 'stream') {
    socket.write(responseHead(reply.status, head));
    await pipeline(reply.body, socket);
    return;
  }
  const body = reply.kind === 'body' ? Buffer.concat(reply.body) : Buffer.alloc(0);
  socket.write(responseHead(reply.status, { ...head, 'content-length': String(body.length) }));
  socket.end(body);
}

async function replyTo(
  { authenticate, credentialsOf, handler, passesOn }: UpgradeOptions,
  message: IncomingMessage,
  signal: AbortSignal,
): Promise<Reply> {
  try {
    const user = authenticate(credentialsOf(message));
    const passedOn = passesOn(pathOf(message.url));
    return await handler(
      incomingRequest(message, undefined, { caller: { signal }, passedOn }),
      user,
    );
  } catch (error) {
    if (error instanceof StatusError) return errorReply(error);
    throw error;
  }
}

async function sendFrames(
  peer: WebSocket,
  batches: AsyncIterable<readonly WatchFrame[]>,
  signal: AbortSignal,
): Promise<void> {
  for await (const frames of batches)
    for (const frame of frames) {
      if (signal.aborted) return;
      await sendText(peer, frame.bytes);
    }
  peer.close(1000);
}

function sendText(peer: WebSocket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    peer.send(bytes, { binary: false }, (error) => (error ? reject(error) : resolve()));
  });
}

const REASONS: Readonly<Record<number, string>> = { 101: 'Switching Protocols' };

function responseHead(status: number, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${REASONS[status] ?? 'Refused'}\r\n${lines.join('')}\r\n`;
}

const flat = (headers: Readonly<Record<string, string | readonly string[]>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
