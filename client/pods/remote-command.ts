// Commands in containers, and what runs in them already, over WebSocket channels (v5 and v4.channel.k8s.io).
// Invariants: neither side is read faster than the other takes it; an outcome is the exit code that the node told, and a
// connection that ends without one is an error; the connection ends with the promise, and a command with its connection.
import type { Readable, Writable } from 'node:stream';
import { resourcePath } from '../../api/kind-ref.ts';
import { Pods } from '../../api/kinds.ts';
import { StatusError } from '../../api/status.ts';
import {
  CHANNEL_PROTOCOLS,
  endOfStdinFrame,
  readOutput,
  resizeFrame,
  stdinFrames,
} from '../../streams/channels.ts';
import type { CallOptions, Client, ObjectRef } from '../rest/client.ts';
import { abortError, ConnectionError } from '../transport/connection-error.ts';
import { type MessageSocket, openMessageSocket } from './message-socket.ts';
import { Output } from './output.ts';

/** What a command may be given: a stream, anything that can be iterated, or all of it at once. */
export type CommandInput =
  | Readable
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array | string>
  | Uint8Array
  | string;

/** A terminal's size in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** How a container is talked to. */
export interface AttachOptions extends CallOptions {
  /** The pod's default container (by its annotation), or the first one, unless given. */
  readonly container?: string | undefined;
  /** Ended with the command: a stream is destroyed. Servers that speak v4 only are never told that it has ended. */
  readonly stdin?: CommandInput | undefined;
  /** Where output goes, no faster than it is taken; not ended. Collected and answered as text unless given. */
  readonly stdout?: Writable | undefined;
  readonly stderr?: Writable | undefined;
  /** In a terminal: both outputs come as stdout. */
  readonly tty?: boolean | undefined;
  /** The terminal's size, now and as it changes. */
  readonly terminalSizes?: AsyncIterable<TerminalSize> | undefined;
}

/** How a command is run. */
export interface ExecOptions extends AttachOptions {
  /** The program and its arguments; no shell is between. */
  readonly command: readonly string[];
}

/** How a command ended. A code other than 0 is no error. */
export interface CommandOutcome {
  readonly exitCode: number;
  /** Empty where a stream was given. */
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command in a container of a running pod to its end. Throws StatusError where it could not be run, ConnectionError
 * where the connection broke off or more was said than is collected (MAX_COLLECTED_BYTES), and what the signal aborts with.
 */
export function execInPod(
  client: Client,
  ref: ObjectRef,
  options: ExecOptions,
): Promise<CommandOutcome> {
  if (options.command.length === 0) throw new TypeError('a command has at least one word');
  return runRemotely(client, { ref, subresource: 'exec', command: options.command }, options);
}

/**
 * Talks to what runs in a container until that ends; the signal leaves it running. The exit code is 0 however it ends: the pod's
 * status tells how. Throws as execInPod does.
 */
export function attachToPod(
  client: Client,
  ref: ObjectRef,
  options: AttachOptions = {},
): Promise<CommandOutcome> {
  return runRemotely(client, { ref, subresource: 'attach' }, options);
}

interface Target {
  readonly ref: ObjectRef;
  readonly subresource: 'exec' | 'attach';
  readonly command?: readonly string[];
}

async function runRemotely(
  client: Client,
  { ref, subresource, command }: Target,
  options: AttachOptions,
): Promise<CommandOutcome> {
  const { tty = false, stdin, container } = options;
  const over = new AbortController();
  const request = {
    method: 'GET' as const,
    path: resourcePath(Pods, { ...ref, subresource }),
    query: {
      command,
      container,
      stdin: stdin === undefined ? undefined : 'true',
      stdout: 'true',
      stderr: tty ? undefined : 'true',
      tty: tty ? 'true' : undefined,
    },
    signal: options.signal,
  };
  const socket = await openMessageSocket(client.transport, request, CHANNEL_PROTOCOLS);
  const outputs = { stdout: new Output(options.stdout), stderr: new Output(options.stderr) };
  try {
    const inputs = [sendInput(socket, stdin, over.signal), sendSizes(socket, options, over.signal)];
    const exitCode = await firstOf(readEnd(socket, outputs), inputs);
    const { stdout, stderr } = outputs;
    return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
  } catch (error) {
    socket.terminate();
    throw options.signal?.aborted ? abortError(options.signal) : error;
  } finally {
    over.abort();
    socket.close();
    for (const each of Object.values(outputs)) each.release();
  }
}

/** The end; or the first failure of an input, whose ending well says nothing. */
function firstOf(end: Promise<number>, inputs: readonly Promise<void>[]): Promise<number> {
  return new Promise((resolve, reject) => {
    end.then(resolve, reject);
    for (const input of inputs) input.catch(reject);
  });
}

/** Hands outputs on until the node tells how the command ended. */
async function readEnd(
  socket: MessageSocket,
  outputs: { readonly stdout: Output; readonly stderr: Output },
): Promise<number> {
  for await (const message of socket.messages) {
    const output = readOutput(message);
    if (output.kind === 'exit') return output.exitCode;
    if (output.kind === 'failure') throw new StatusError('InternalError', output.message);
    if (output.kind !== 'nothing') await outputs[output.kind].write(output.data);
  }
  throw new ConnectionError('lost', 'the connection broke off before the command had ended');
}

async function sendInput(
  socket: MessageSocket,
  stdin: CommandInput | undefined,
  over: AbortSignal,
): Promise<void> {
  if (stdin === undefined) return;
  const whole = typeof stdin === 'string' || stdin instanceof Uint8Array;
  for await (const data of untilOver<Uint8Array | string>(whole ? [stdin] : stdin, over))
    for (const frame of stdinFrames(Buffer.from(data))) await socket.send(frame);
  if (!over.aborted && socket.protocol === 'v5.channel.k8s.io')
    await socket.send(endOfStdinFrame());
}

async function sendSizes(
  socket: MessageSocket,
  { terminalSizes }: AttachOptions,
  over: AbortSignal,
): Promise<void> {
  if (terminalSizes === undefined) return;
  for await (const size of untilOver(terminalSizes, over)) await socket.send(resizeFrame(size));
}

/** The items, until `over`: then nothing more is waited for, and their source is let go of. */
async function* untilOver<T>(
  items: AsyncIterable<T> | Iterable<T>,
  over: AbortSignal,
): AsyncGenerator<T> {
  const iterator = (items as AsyncIterable<T>)[Symbol.asyncIterator]?.();
  if (!iterator) {
    for (const item of items as Iterable<T>) if (!over.aborted) yield item;
    return;
  }
  const ended = Promise.withResolvers<'over'>();
  const onAbort = () => ended.resolve('over');
  over.addEventListener('abort', onAbort, { once: true });
  for (;;) {
    const next = await Promise.race([iterator.next(), ended.promise]);
    if (next === 'over') {
      (items as Partial<Readable>).destroy?.();
      // Not waited for: a generator that waits for something does not end before that has come.
      iterator.return?.().catch(() => undefined);
      return;
    }
    if (next.done) return;
    yield next.value;
  }
}
