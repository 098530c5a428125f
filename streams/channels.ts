// Remote command channels over WebSocket messages: v4.channel.k8s.io and v5.channel.k8s.io. Pure framing, no sockets.
// Invariant: a message's first byte is its channel and the rest is payload; what does not fit that is refused, never guessed.
import { StatusError } from '../api/status.ts';

/** Protocols this side speaks, the best first. v5 adds the closing of stdin. */
export const CHANNEL_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;

/** One of the protocols. */
export type ChannelProtocol = (typeof CHANNEL_PROTOCOLS)[number];

/** Channel numbers, as Kubernetes documents them for remote commands. */
export const CHANNELS = {
  stdin: 0,
  stdout: 1,
  stderr: 2,
  error: 3,
  resize: 4,
  close: 255,
} as const;

/** The largest payload put into one message. */
export const MAX_PAYLOAD_BYTES = 32 * 1024;

/** What came from a client. */
export type ChannelInput =
  | { readonly kind: 'stdin'; readonly data: Uint8Array }
  | { readonly kind: 'resize'; readonly columns: number; readonly rows: number }
  | { readonly kind: 'endOfStdin' }
  | { readonly kind: 'invalid'; readonly why: string };

/** The best protocol that a client offers and this side speaks. */
export function chooseProtocol(offered: Iterable<string>): ChannelProtocol | undefined {
  const names = new Set(offered);
  return CHANNEL_PROTOCOLS.find((protocol) => names.has(protocol));
}

/** Cuts bytes of a stream into messages for its channel. Nothing for no bytes. */
export function* frames(channel: number, data: Uint8Array): Generator<Uint8Array> {
  for (const piece of pieces(data)) yield frame(channel, piece);
}

/** Cuts bytes into payloads. Nothing for no bytes. */
export function* pieces(data: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < data.length; at += MAX_PAYLOAD_BYTES)
    yield data.subarray(at, at + MAX_PAYLOAD_BYTES);
}

/** One message: channel byte and payload. */
export function frame(channel: number, payload: Uint8Array): Uint8Array {
  const message = new Uint8Array(payload.length + 1);
  message[0] = channel;
  message.set(payload, 1);
  return message;
}

/** Reads a client's message. An empty one says nothing on stdin. */
export function readInput(message: Uint8Array, protocol: ChannelProtocol): ChannelInput {
  const [channel = CHANNELS.stdin] = message;
  const data = message.subarray(1);
  switch (channel) {
    case CHANNELS.stdin:
      return { kind: 'stdin', data };
    case CHANNELS.resize:
      return readSize(data);
    case CHANNELS.close:
      if (protocol !== 'v5.channel.k8s.io') break;
      if (data[0] === CHANNELS.stdin) return { kind: 'endOfStdin' };
      return { kind: 'invalid', why: `channel ${data[0]} cannot be closed` };
    default:
  }
  return { kind: 'invalid', why: `channel ${channel} is not for input` };
}

function readSize(data: Uint8Array): ChannelInput {
  try {
    const { Width, Height } = JSON.parse(Buffer.from(data).toString('utf8')) as {
      Width?: unknown;
      Height?: unknown;
    };
    if (isSize(Width) && isSize(Height)) return { kind: 'resize', columns: Width, rows: Height };
  } catch {
    // Falls through: not JSON is as bad as JSON without sizes.
  }
  return { kind: 'invalid', why: 'a resize message needs Width and Height' };
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 65536;
}

/** How a command ended, as the Status that goes over the error channel. */
export function exitStatus(exitCode: number): object {
  if (exitCode === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}

/** The Status of a command that could not be run; with upstream's opening, which clients print as it is. */
export function failureStatus(message: string): object {
  const causes = [{ message }];
  const text = `Internal error occurred: ${message}`;
  return new StatusError('InternalError', text, { details: { causes } }).toStatus();
}

/** The last message: how the command ended. */
export function exitFrame(exitCode: number): Uint8Array {
  return frame(CHANNELS.error, Buffer.from(JSON.stringify(exitStatus(exitCode))));
}

/** The last message of a command that could not be run. */
export function failureFrame(message: string): Uint8Array {
  return frame(CHANNELS.error, Buffer.from(JSON.stringify(failureStatus(message))));
}

/** What came from a node, as a client reads it. */
export type ChannelOutput =
  | { readonly kind: 'stdout' | 'stderr'; readonly data: Uint8Array }
  | { readonly kind: 'exit'; readonly exitCode: number }
  | { readonly kind: 'failure'; readonly message: string }
  | { readonly kind: 'nothing' };

/** Reads a node's message. */
export function readOutput(message: Uint8Array): ChannelOutput {
  const [channel] = message;
  const data = message.subarray(1);
  if (channel === CHANNELS.stdout && data.length > 0) return { kind: 'stdout', data };
  if (channel === CHANNELS.stderr && data.length > 0) return { kind: 'stderr', data };
  return channel === CHANNELS.error && data.length > 0 ? readEnd(data) : { kind: 'nothing' };
}

interface EndStatus {
  readonly status?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly { reason?: string; message?: string }[] };
}

function readEnd(data: Uint8Array): ChannelOutput {
  const text = Buffer.from(data).toString('utf8');
  try {
    const status = JSON.parse(text) as EndStatus;
    if (status.status === 'Success') return { kind: 'exit', exitCode: 0 };
    const cause = status.details?.causes?.find((each) => each.reason === 'ExitCode');
    const exitCode = Number(cause?.message);
    if (cause && Number.isInteger(exitCode)) return { kind: 'exit', exitCode };
    return { kind: 'failure', message: status.message ?? text };
  } catch {
    return { kind: 'failure', message: text };
  }
}

/** A client's bytes for the command. */
export function stdinFrames(data: Uint8Array): Generator<Uint8Array> {
  return frames(CHANNELS.stdin, data);
}

/** A client's new terminal size. */
export function resizeFrame(size: { columns: number; rows: number }): Uint8Array {
  const text = JSON.stringify({ Width: size.columns, Height: size.rows });
  return frame(CHANNELS.resize, Buffer.from(text));
}

/** Ends the command's input; only v5 can say it. */
export function endOfStdinFrame(): Uint8Array {
  return frame(CHANNELS.close, Uint8Array.of(CHANNELS.stdin));
}
