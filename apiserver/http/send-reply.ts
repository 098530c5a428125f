// Writes replies to HTTP responses. Invariants: a slow reader slows the source and never fills memory; a stream is
// closed on every way out, so no watch outlives its reader.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { constants, createGzip, gzip } from 'node:zlib';
import type { Reply, WatchFrame } from '../../api/wire/exchange.ts';
import { pour } from '../pour.ts';
import type { Outbox } from './outbox.ts';

/** Bodies from this size on are compressed for who accepts it; as upstream, 128 KiB. */
export const GZIP_FROM_BYTES = 128 * 1024;

/**
 * Bytes of a body that are joined to one write; the next waits until the reader has taken this one, so that a long list
 * neither holds the event loop (10,000 Pods at once: 24 ms) nor lies in memory a second time for each slow reader.
 */
const SLAB_BYTES = 256 * 1024;

const compress = promisify(gzip);
/** As upstream: fast rather than small. */
const LEVEL = { level: constants.Z_BEST_SPEED };

/** What sending needs to know of the request. */
export interface SendContext {
  readonly acceptEncoding: string | undefined;
  readonly head: boolean;
  /** Its signal is aborted when the reader goes away or the server closes; short answers never ask for it. */
  readonly reader: { readonly signal: AbortSignal };
  /** Where short answers go. */
  readonly outbox: Outbox;
}

type Sendable = Exclude<Reply, { kind: 'upgrade' }>;
type PlainHeaders = Record<string, string | string[] | number>;

/** Sends all of it. Resolves when it is handed over; a reader that goes away is no failure. */
export async function sendReply(
  response: ServerResponse,
  reply: Sendable,
  context: SendContext,
): Promise<void> {
  const headers: PlainHeaders = {
    'cache-control': 'no-cache, private',
    ...plainHeaders(reply.headers),
  };
  if (reply.kind === 'body') return sendBody(response, { reply, headers }, context);
  response.writeHead(reply.status, headers);
  response.flushHeaders();
  if (reply.kind === 'stream') return pump(response, reply.body, context.reader.signal);
  const { socket } = response;
  if (socket && response.chunkedEncoding && !context.head)
    return sendChunks({ response, socket }, reply.frames, context.reader.signal);
  await pump(response, framesAsBytes(reply.frames), context.reader.signal);
}

async function sendBody(
  response: ServerResponse,
  { reply, headers }: { reply: Extract<Sendable, { kind: 'body' }>; headers: PlainHeaders },
  { acceptEncoding, head, outbox }: SendContext,
): Promise<void> {
  let chunks = reply.body;
  let size = sizeOf(chunks);
  if (size >= GZIP_FROM_BYTES && acceptsGzip(acceptEncoding)) {
    headers['content-encoding'] = 'gzip';
    headers['vary'] = 'Accept-Encoding';
    const [only] = chunks;
    if (chunks.length > 1 || !only) {
      response.writeHead(reply.status, headers);
      return head ? void response.end() : sendCompressed(response, chunks);
    }
    const whole = await compress(only, LEVEL);
    chunks = [whole];
    size = whole.length;
  }
  headers['content-length'] = size;
  response.writeHead(reply.status, headers);
  if (head) response.end();
  else if (chunks.length === 1) outbox.end(response, chunks[0]);
  else await sendSlabs(response, chunks);
}

/** A list is never joined as a whole: that took 28 MB of memory and held the event loop for a tenth of a second. */
async function sendCompressed(
  response: ServerResponse,
  chunks: readonly Uint8Array[],
): Promise<void> {
  try {
    await pipeline(joined(chunks), createGzip({ ...LEVEL, chunkSize: SLAB_BYTES }), response);
  } catch (error) {
    if (!response.destroyed) throw error;
    // The reader is gone, which is no failure.
  }
}

/** The same bytes in pieces of SLAB_BYTES; chunks larger than that as they are. */
function* joined(chunks: readonly Uint8Array[]): Generator<Uint8Array> {
  let some: Uint8Array[] = [];
  let size = 0;
  for (const chunk of chunks) {
    some.push(chunk);
    size += chunk.length;
    if (size < SLAB_BYTES) continue;
    yield some.length === 1 ? chunk : Buffer.concat(some, size);
    some = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(some, size);
}

/** One slab serves all of the body: new ones were collected so slowly that a list took twice as long. */
async function sendSlabs(response: ServerResponse, chunks: readonly Uint8Array[]): Promise<void> {
  const slab = Buffer.allocUnsafeSlow(Math.min(SLAB_BYTES, sizeOf(chunks)));
  let filled = 0;
  for (const chunk of chunks) {
    for (let from = 0; from < chunk.length; ) {
      const part = chunk.subarray(from, from + slab.length - filled);
      slab.set(part, filled);
      filled += part.length;
      from += part.length;
      if (filled < slab.length) continue;
      await written(response, slab);
      if (response.destroyed) return;
      filled = 0;
    }
  }
  response.end(slab.subarray(0, filled));
}

/** Resolves when nothing needs these bytes any more: the system has them, or the reader is gone. */
function written(response: ServerResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    // An answer whose reader left may never call back.
    response.once('close', resolve);
    response.write(bytes, () => {
      response.off('close', resolve);
      resolve();
    });
  });
}

const sizeOf = (chunks: readonly Uint8Array[]): number =>
  chunks.reduce((sum, chunk) => sum + chunk.length, 0);

function acceptsGzip(header: string | undefined): boolean {
  return (header ?? '').split(',').some((part) => {
    const [coding = '', ...parameters] = part.split(';').map((text) => text.trim());
    return coding.toLowerCase() === 'gzip' && !parameters.some((text) => /^q=0(\.0*)?$/.test(text));
  });
}

function plainHeaders(headers: Sendable['headers']): PlainHeaders {
  const plain: PlainHeaders = {};
  for (const [name, value] of Object.entries(headers))
    plain[name] = typeof value === 'string' ? headerText(value) : value.map(headerText);
  return plain;
}

/** A header's text as bytes that may go on the wire: UTF-8, without control characters. */
export function headerText(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  // oxlint-disable-next-line no-control-regex
  return Buffer.from(text.replace(/[\u0000-\u001f\u007f]/g, ' ')).toString('latin1');
}

/** The lines of a watch, a batch at a time. */
async function* framesAsBytes(
  batches: AsyncIterable<readonly WatchFrame[]>,
): AsyncGenerator<Uint8Array> {
  for await (const frames of batches)
    yield frames.length === 1 && frames[0]
      ? frames[0].bytes
      : Buffer.concat(frames.map((frame) => frame.bytes));
}

/** Lines as HTTP/1.1 has them on the wire (RFC 9112, section 7.1), made once for all who watch. */
const chunkOf = new WeakMap<WatchFrame, Buffer>();
const chunksOf = new WeakMap<readonly WatchFrame[], Buffer>();

function chunkFor(frame: WatchFrame): Buffer {
  const known = chunkOf.get(frame);
  if (known) return known;
  const { bytes } = frame;
  const made = Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, CRLF]);
  chunkOf.set(frame, made);
  return made;
}

/** Of several lines; those who are handed the same list are sent the same bytes. */
function chunksFor(frames: readonly WatchFrame[]): Buffer {
  const [only] = frames;
  if (frames.length === 1 && only) return chunkFor(only);
  let made = chunksOf.get(frames);
  if (!made) chunksOf.set(frames, (made = Buffer.concat(frames.map(chunkFor))));
  return made;
}

const CRLF = Buffer.from('\r\n');

/**
 * A watch's lines, written to the socket itself: Node would frame each anew for each watcher, in three pieces (31 instead of
 * 27 µs of CPU for each event and watcher, most of it encryption). The end is Node's, which knows that the answer is chunked.
 */
async function sendChunks(
  { response, socket }: { response: ServerResponse; socket: Writable },
  batches: AsyncIterable<readonly WatchFrame[]>,
  signal: AbortSignal,
): Promise<void> {
  const drained = () =>
    once(socket, 'drain', { signal }).then(
      () => true,
      () => false,
    );
  try {
    await pour(batches, (frames) => {
      if (response.destroyed) return false;
      return frames.length === 0 || socket.write(chunksFor(frames)) || drained();
    });
  } catch (error) {
    if (signal.aborted) return void response.end();
    response.destroy();
    throw error;
  }
  if (!response.destroyed) response.end();
}

async function pump(
  response: ServerResponse,
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const chunk of chunks) {
      if (response.destroyed) return;
      if (!response.write(chunk)) await once(response, 'drain', { signal });
    }
  } catch (error) {
    if (signal.aborted) return void response.end();
    response.destroy();
    throw error;
  }
  response.end();
}
