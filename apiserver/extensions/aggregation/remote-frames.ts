// Answers of other API servers for callers in this process: a watch's lines as frames, other bodies within a limit.
// Invariant: nothing of another server's is held without a limit; a watch that breaks off ends, as it does for a client behind a
// socket, who then watches anew.
import type { Readable } from 'node:stream';
import type { WatchEventObject, WatchFrame } from '../../../api/wire/exchange.ts';

/** One line of a watch. */
export const MAX_LINE_BYTES = 4 * 1024 * 1024;
/** One answer that a part of this process reads whole. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

const NEWLINE = 0x0a;

/** The frames of a watch, as they come. A line that is too long, or no event, ends it. */
export async function* framesIn(body: Readable): AsyncGenerator<readonly WatchFrame[]> {
  let rest: Uint8Array = Buffer.alloc(0);
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      const { lines, left } = linesIn(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]));
      rest = left;
      const frames = lines.map(frameOf);
      if (frames.length > 0) yield frames.filter((frame) => frame !== undefined);
      if (rest.length > MAX_LINE_BYTES || frames.includes(undefined)) return;
    }
  } catch {
    // It broke off.
  } finally {
    body.destroy();
  }
}

function linesIn(bytes: Uint8Array): { lines: Uint8Array[]; left: Uint8Array } {
  const lines: Uint8Array[] = [];
  let from = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
    if (at > from) lines.push(bytes.subarray(from, at + 1));
    from = at + 1;
  }
  return { lines, left: bytes.subarray(from) };
}

function frameOf(bytes: Uint8Array): WatchFrame | undefined {
  try {
    const value = JSON.parse(Buffer.from(bytes).toString()) as WatchEventObject;
    if (typeof value.type !== 'string' || typeof value.object !== 'object') return undefined;
    return { bytes, event: () => value };
  } catch {
    return undefined;
  }
}

/** The whole body. Rejects beyond MAX_ANSWER_BYTES, and when it breaks off. */
export async function gathered(body: Readable): Promise<readonly Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES)
      throw new Error(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return chunks;
}
