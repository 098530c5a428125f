// A command's streams over one WebSocket: what the container says goes out, what the user types comes in.
// Invariants: neither side is read faster than the other takes it; the command dies with its connection; the exit code goes last.
import type { Readable } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  CHANNEL_PROTOCOLS,
  CHANNELS,
  type ChannelProtocol,
  chooseProtocol,
  exitFrame,
  failureFrame,
  frames,
  readInput,
} from '../../streams/channels.ts';
import type { ExecSession } from '../runtime/runtime.ts';

/** The largest message taken from a client. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
/** Normal closure, of RFC 6455. */
const CLOSE_NORMAL = 1000;
const CLOSE_PROTOCOL = 1002;

/** Upgrades requests to remote command channels. */
export class RemoteCommands {
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: (offered) => chooseProtocol(offered) ?? false,
  });

  /** Does the request offer a protocol that this side speaks? */
  speaks(request: IncomingMessage): boolean {
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',');
    return chooseProtocol(offered.map((each) => each.trim())) !== undefined;
  }

  /** Takes the connection over and runs the command to its end. Resolves when both are over; never rejects. */
  async serve(
    connection: { request: IncomingMessage; socket: Duplex; head: Buffer },
    begin: () => Promise<ExecSession>,
  ): Promise<void> {
    const socket = await new Promise<WebSocket>((resolve) => {
      this.#server.handleUpgrade(connection.request, connection.socket, connection.head, resolve);
    });
    // Typed bytes may come before the command has begun; they wait in the connection.
    socket.pause();
    socket.on('error', () => socket.terminate());
    try {
      const session = await begin();
      await join(socket, session);
    } catch (error) {
      await send(socket, failureFrame((error as Error).message));
    }
    socket.close(CLOSE_NORMAL);
    // The peer's own close is read even when its input was not wanted any more.
    socket.resume();
  }

  /** Ends all connections. */
  close(): void {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
  }
}

async function join(socket: WebSocket, session: ExecSession): Promise<void> {
  const onClose = () => session.kill();
  if (socket.readyState !== socket.OPEN) onClose();
  socket.once('close', onClose);
  readFrom(socket, session);
  const { stdout, stderr } = session;
  await Promise.all([
    pump(stdout, CHANNELS.stdout, socket),
    stderr && pump(stderr, CHANNELS.stderr, socket),
  ]);
  const exitCode = await session.exit;
  socket.off('close', onClose);
  await send(socket, exitFrame(exitCode));
}

async function pump(stream: Readable, channel: number, socket: WebSocket): Promise<void> {
  for await (const data of stream)
    for (const message of frames(channel, data as Uint8Array)) await send(socket, message);
}

/** Resolves when the message has left; quiet when the connection is gone, for the command's end comes anyway. */
function send(socket: WebSocket, message: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState === socket.OPEN) socket.send(message, () => resolve());
    else resolve();
  });
}

function readFrom(socket: WebSocket, session: ExecSession): void {
  const protocol = (socket.protocol || CHANNEL_PROTOCOLS[1]) as ChannelProtocol;
  const { stdin } = session;
  stdin?.on('error', () => undefined);
  stdin?.on('drain', () => socket.resume());
  socket.on('message', (message: Buffer) => {
    const input = readInput(message, protocol);
    if (input.kind === 'stdin') {
      if (input.data.length > 0 && stdin?.writable && !stdin.write(input.data)) socket.pause();
    } else if (input.kind === 'resize') session.resize(input);
    else if (input.kind === 'endOfStdin') stdin?.end();
    else socket.close(CLOSE_PROTOCOL, input.why);
  });
  socket.resume();
}
