// Commands in containers and attaching to them, as runtimes serve it: at a URL, over SPDY, one stream for each direction.
// Invariants: neither side is read faster than the other takes it; the connection ends with the session; what ends without
// a word on how it ended has failed.
import { request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../../base/clock.ts';
import { CHANNELS, frame, readOutput } from '../../../streams/channels.ts';
import { SpdySession, type SpdyStream } from '../../../streams/spdy/session.ts';
import { type ExecSession, RuntimeError } from '../runtime.ts';

/** The newest protocol that all runtimes in use speak: the end is told as a Status. */
const PROTOCOL = 'v4.channel.k8s.io';
/** How long the runtime may take to answer at the URL. */
const CONNECT_TIMEOUT_MS = 30_000;
/** The longest word on how a command ended. */
const MAX_END_BYTES = 64 * 1024;
/** The longest answer that is read of a runtime that refuses. */
const MAX_REFUSAL_CHARS = 1_024;

/** Which streams a session has. */
export interface StreamsWanted {
  readonly tty: boolean;
  readonly stdin: boolean;
}

/** Opens the session at a URL that the runtime gave. Rejects with RuntimeError. */
export async function openSession(
  url: string,
  wanted: StreamsWanted,
  clock: Clock,
): Promise<ExecSession> {
  const connection = await upgraded(url);
  const session = new SpdySession(connection, { accept: () => false, opens: true }, clock);
  const running = session.run();
  const open = (name: string) => session.open(new Map([['streamtype', name]]));
  const error = open('error');
  const stdin = wanted.stdin ? open('stdin') : undefined;
  const stdout = open('stdout');
  const stderr = wanted.tty ? undefined : open('stderr');
  const resize = wanted.tty ? open('resize') : undefined;
  // Nothing is said this way; the stream's end is not waited for.
  for (const output of [stdout, stderr]) output?.end();
  stdin?.resume();
  resize?.resume();
  const exit = endOf(error);
  // The word on the end may come before outputs were read to theirs.
  const over = [exit, outputEnd(stdout), outputEnd(stderr)];
  void Promise.allSettled(over)
    .then(() => session.close())
    .then(() => running);
  return {
    stdin,
    stdout,
    stderr,
    resize: ({ columns, rows }) =>
      void resize?.write(JSON.stringify({ Width: columns, Height: rows })),
    exit,
    kill: () => connection.destroy(),
  };
}

/** Resolves once all of it was read, or nobody will. */
async function outputEnd(output: SpdyStream | undefined): Promise<void> {
  if (!output || output.readableEnded || output.destroyed) return;
  await new Promise<void>((resolve) => output.once('end', resolve).once('close', resolve));
}

/** The exit code. Rejects with the runtime's message where the command could not be run. */
async function endOf(error: SpdyStream): Promise<number> {
  error.end();
  let text = Buffer.alloc(0);
  for await (const part of error as AsyncIterable<Buffer>) {
    text = Buffer.concat([text, part]);
    if (text.length > MAX_END_BYTES) break;
  }
  const end = readOutput(frame(CHANNELS.error, text));
  if (end.kind === 'exit') return end.exitCode;
  const why = end.kind === 'failure' ? end.message : 'the connection to the runtime broke off';
  throw new RuntimeError('ExecError', withoutPrefix(why));
}

/** Runtimes put the way that an error took before it; what people need is at its end. */
export function withoutPrefix(message: string): string {
  const at = message.indexOf('OCI runtime exec failed');
  return at < 0 ? message : message.slice(at).replace(/: unknown$/, '');
}

/** A connection after the change of protocols. */
function upgraded(url: string): Promise<Duplex> {
  if (!url.startsWith('http://'))
    throw new RuntimeError(
      'ExecError',
      `the runtime serves commands at ${url.split('?')[0]}; only plain HTTP on this host is spoken to it`,
    );
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new RuntimeError('ExecError', why));
    const request = httpRequest(url, {
      method: 'POST',
      timeout: CONNECT_TIMEOUT_MS,
      headers: {
        connection: 'Upgrade',
        upgrade: 'SPDY/3.1',
        'x-stream-protocol-version': PROTOCOL,
      },
    });
    request.on('upgrade', (_, socket, head) => {
      socket.setTimeout(0);
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.on('response', (response) => {
      let said = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        said = (said + part).slice(0, MAX_REFUSAL_CHARS);
      });
      response.on('end', () => fail(`the runtime refused (${response.statusCode}): ${said}`));
    });
    request.on('timeout', () => request.destroy(new Error('the runtime does not answer')));
    request.on('error', (error) => fail(`the runtime cannot be reached: ${error.message}`));
    request.end();
  });
}
