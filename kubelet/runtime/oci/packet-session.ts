// Streams over a conmon attach socket: packets of one kind byte and data, out; plain bytes, in.
// Node cannot wait on such a socket, so it is asked at short intervals while a session lasts. Invariant: a reader that does not read stops the asking.
import { Readable, Writable } from 'node:stream';
import type { Clock } from '../../../base/clock.ts';
import type { PacketSocket } from '../../../system/system.ts';

/** Interval of asking: not felt at a terminal, and 100 cheap calls a second. */
const POLL_MS = 10;
/** Packets taken in one go, so that a busy container does not hold the event loop. */
const BURST = 64;
/** conmon reads its socket in pieces of this size and drops the rest of a packet. */
const MAX_INPUT_BYTES = 8192;
const STDOUT_KIND = 2;
const STDERR_KIND = 3;

/** Streams of a session. */
export interface PacketStreams {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable | undefined;
  /** Resolves when the other side has closed the socket, or `close` was called. */
  readonly closed: Promise<void>;
  close(): void;
}

/** Lays streams over a socket; with a tty there is no stderr. */
export function packetStreams(
  clock: Clock,
  socket: PacketSocket,
  options: { stdin: boolean; tty: boolean },
): PacketStreams {
  let open = true;
  const blocked = new Set<Readable>();
  const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>();
  const output = () => {
    const stream: Readable = new Readable({ read: () => void blocked.delete(stream) });
    return stream;
  };
  const stdout = output();
  const stderr = options.tty ? undefined : output();
  const close = () => {
    if (!open) return;
    open = false;
    socket.close();
    stdout.push(null);
    stderr?.push(null);
    onClosed();
  };
  const poll = () => {
    if (!open) return;
    for (let count = 0; count < BURST && blocked.size === 0; count++) {
      const packet = socket.receive();
      if (packet === 'none') break;
      if (packet === 'end') return close();
      const stream = packet[0] === STDERR_KIND && stderr ? stderr : stdout;
      if (packet[0] !== STDERR_KIND && packet[0] !== STDOUT_KIND) continue;
      if (!stream.push(packet.subarray(1))) blocked.add(stream);
    }
    clock.timer(POLL_MS, poll);
  };
  clock.timer(0, poll);
  const stdin = options.stdin ? inputOf(clock, socket, () => open) : undefined;
  return { stdin, stdout, stderr, closed, close };
}

function inputOf(clock: Clock, socket: PacketSocket, isOpen: () => boolean): Writable {
  const sendAll = (data: Buffer, done: (error?: Error) => void): void => {
    let rest = data;
    try {
      while (rest.length > 0 && isOpen()) {
        if (!socket.send(rest.subarray(0, MAX_INPUT_BYTES))) {
          clock.timer(POLL_MS, () => sendAll(rest, done));
          return;
        }
        rest = rest.subarray(MAX_INPUT_BYTES);
      }
      done();
    } catch (error) {
      done(error as Error);
    }
  };
  const stdin = new Writable({
    write: (chunk: Buffer, _encoding, done) => sendAll(chunk, done),
    final: (done) => {
      if (isOpen()) socket.endSending();
      done();
    },
  });
  // A container that ended takes no more input; the session's end says so.
  stdin.on('error', () => undefined);
  return stdin;
}
