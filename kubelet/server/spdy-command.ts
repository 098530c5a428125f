// A command's streams over SPDY: one stream each for input, output, errors, terminal sizes and the end.
// Invariants: as over WebSocket (remote-command.ts): neither side is read faster than the other takes it; the command dies
// with its connection; the exit code goes last.
import { finished, pipeline } from 'node:stream/promises';
import type { Clock } from '../../base/clock.ts';
import { CHANNELS, exitStatus, failureStatus, readInput } from '../../streams/channels.ts';
import { SpdySession, type SpdyStream } from '../../streams/spdy/session.ts';
import type { ExecSession } from '../runtime/runtime.ts';
import { acceptSpdy, type UpgradeRequest } from './spdy-upgrade.ts';

const PROTOCOL = 'v4.channel.k8s.io';
/** How long a client may take to open the streams it asked for. */
const STREAMS_CEILING_MS = 30_000;
/** The longest text of one terminal size. */
const MAX_SIZE_TEXT = 1024;

/** Streams that a client asks for besides the one for the end. */
export interface Wanted {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

type Streams = ReadonlyMap<string, SpdyStream>;

/** Takes the connection over and runs the command to its end. Rejects with RequestFailure before, never after. */
export async function serveSpdyCommand(
  upgrade: UpgradeRequest,
  wanted: Wanted,
  { clock, begin }: { clock: Clock; begin: () => Promise<ExecSession> },
): Promise<void> {
  const names = streamNames(wanted);
  const streams = new Map<string, SpdyStream>();
  const complete = Promise.withResolvers<void>();
  const accept = (stream: SpdyStream) => {
    const name = stream.headers.get('streamtype') ?? '';
    if (!names.has(name) || streams.has(name)) return false;
    streams.set(name, stream);
    if (streams.size === names.size) complete.resolve();
    return true;
  };
  const session = new SpdySession(acceptSpdy(upgrade, PROTOCOL), { accept }, clock);
  const running = session.run();
  const late = clock.timer(STREAMS_CEILING_MS, () => complete.reject(new Error('streams missing')));
  try {
    await Promise.race([complete.promise, running]);
    if (streams.size === names.size) await serve(streams, running, begin);
  } catch {
    // The client did not open what it asked for.
  }
  late.cancel();
  await session.close();
  await running;
}

function streamNames({ stdin, stdout, stderr, tty }: Wanted): ReadonlySet<string> {
  const asked: Readonly<Record<string, boolean>> = {
    error: true,
    stdin,
    stdout,
    // A terminal has one output.
    stderr: stderr && !tty,
    resize: tty,
  };
  return new Set(Object.keys(asked).filter((name) => asked[name]));
}

/** Never rejects. */
async function serve(
  streams: Streams,
  gone: Promise<void>,
  begin: () => Promise<ExecSession>,
): Promise<void> {
  let status: object;
  try {
    const session = await begin();
    let over = false;
    gone.then(() => over || session.kill()).catch(() => undefined);
    status = exitStatus(await joined(streams, session));
    over = true;
  } catch (error) {
    status = failureStatus((error as Error).message);
  }
  const error = streams.get('error');
  error?.end(JSON.stringify(status));
  if (error) await finished(error, { readable: false }).catch(() => undefined);
}

async function joined(streams: Streams, session: ExecSession): Promise<number> {
  const { stdin, stdout, stderr } = session;
  const [typed, sizes] = [streams.get('stdin'), streams.get('resize')];
  // Input ends when the client ends it, or is broken off with the command.
  if (typed && stdin) pipeline(typed, stdin).catch(() => typed.resume());
  else typed?.resume();
  if (sizes) followSizes(sizes, session).catch(() => undefined);
  await Promise.all([
    sent(stdout, streams.get('stdout')),
    stderr && sent(stderr, streams.get('stderr')),
  ]);
  return session.exit;
}

/** Resolves when all of it has left, or nobody wants it any more: the command goes on to its end either way. */
async function sent(from: ExecSession['stdout'], to: SpdyStream | undefined): Promise<void> {
  if (!to) {
    from.resume();
    await finished(from).catch(() => undefined);
    return;
  }
  await pipeline(from, to, { end: true }).catch(() => from.resume());
}

/** Terminal sizes come as JSON values one after another. */
async function followSizes(sizes: SpdyStream, session: ExecSession): Promise<void> {
  let text = '';
  for await (const part of sizes) {
    text += String(part);
    const values = text.split(/(?<=\})\s*/);
    text = values.pop() ?? '';
    if (text.endsWith('}')) {
      values.push(text);
      text = '';
    }
    if (text.length > MAX_SIZE_TEXT) return;
    for (const value of values) {
      const message = Buffer.concat([Buffer.of(CHANNELS.resize), Buffer.from(value)]);
      const size = readInput(message, 'v4.channel.k8s.io');
      if (size.kind === 'resize') session.resize(size);
    }
  }
}
