// A command's streams over one WebSocket: what the container says goes out, what the user types comes in.
// Invariants: neither side is read faster than the other takes it; the command dies with its connection; the exit code goes last.
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
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
import type { Wanted } from './spdy-command.ts';
import type { UpgradeRequest } from './spdy-upgrade.ts';
import {
  CLOSE_NORMAL,
  CLOSE_PROTOCOL,
  offeredProtocols,
  type WebSocket,
  WebSocketAcceptor,
} from './web-sockets.ts';

/** Upgrades requests to remote command channels. */
export class RemoteCommands {
  readonly #sockets: WebSocketAcceptor;

  /** `idleMs`: how long nothing may go over a connection; 0 for ever. */
  constructor(idleMs: number) {
    this.#sockets = new WebSocketAcceptor(idleMs);
  }

  /** Does the request offer a protocol that this side speaks? */
  speaks(upgrade: UpgradeRequest): boolean {
    return chooseProtocol(offeredProtocols(upgrade)) !== undefined;
  }

  /**
   * Takes the connection over, by the best protocol that the client offers, and runs the command to its end. Resolves when
   * both are over; never rejects for a request that `speaks` one.
   */
  async serve(
    upgrade: UpgradeRequest,
    wanted: Pick<Wanted, 'stderr' | 'stdout'>,
    begin: () => Promise<ExecSession>,
  ): Promise<void> {
    const protocol = chooseProtocol(offeredProtocols(upgrade)) ?? CHANNEL_PROTOCOLS[1];
    const socket = await this.#sockets.accept(upgrade, protocol);
    // Typed bytes may come before the command has begun; they wait in the connection.
    socket.pause();
    try {
      const session = await begin();
      await join({ socket, protocol, wanted }, session);
    } catch (error) {
      await send(socket, failureFrame((error as Error).message));
    }
    socket.close(CLOSE_NORMAL);
    // The peer's own close is read even when its input was not wanted any more.
    socket.resume();
  }

  /** Ends all connections. */
  close(): void {
    this.#sockets.close();
  }
}

interface Peer {
  readonly socket: WebSocket;
  readonly protocol: ChannelProtocol;
  readonly wanted: Pick<Wanted, 'stderr' | 'stdout'>;
}

async function join(peer: Peer, session: ExecSession): Promise<void> {
  const { socket, wanted } = peer;
  const onClose = () => session.kill();
  if (socket.readyState !== socket.OPEN) onClose();
  socket.once('close', onClose);
  readFrom(peer, session);
  const { stdout, stderr } = session;
  await Promise.all([
    wanted.stdout ? pump(stdout, CHANNELS.stdout, socket) : drained(stdout),
    stderr && (wanted.stderr ? pump(stderr, CHANNELS.stderr, socket) : drained(stderr)),
  ]);
  // Told by no event yet, maybe: what was still to be sent has found the connection gone.
  if (socket.readyState !== socket.OPEN) session.kill();
  const exitCode = await session.exit;
  socket.off('close', onClose);
  await send(socket, exitFrame(exitCode));
}

/** Ends with the stream, or with the connection: what nobody can be told is not read. */
async function pump(stream: Readable, channel: number, socket: WebSocket): Promise<void> {
  for await (const data of stream) {
    for (const message of frames(channel, data as Uint8Array)) await send(socket, message);
    if (socket.readyState !== socket.OPEN) return;
  }
}

/** Reads past what the peer did not ask for: clients break on channels that they do not know of. */
async function drained(stream: Readable): Promise<void> {
  stream.resume();
  await finished(stream).catch(() => undefined);
}

/** Resolves when the message has left; quiet when the connection is gone, for the command's end comes anyway. */
function send(socket: WebSocket, message: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) return resolve();
    // Not every connection answers for what it was still writing when it broke.
    const over = () => {
      socket.off('close', over);
      resolve();
    };
    socket.once('close', over);
    socket.send(message, over);
  });
}

function readFrom({ socket, protocol }: Peer, session: ExecSession): void {
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
