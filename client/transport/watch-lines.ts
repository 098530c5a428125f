// Cuts a watch's body into events: one JSON object a line, whatever the borders of the chunks.
// Invariant: pure; a line that is no event is an error, never passed over, and no line grows beyond its limit.
import type { WatchEventObject } from '../../api/wire/exchange.ts';
import { ConnectionError } from './connection-error.ts';

const NEWLINE = 10;

/** Events in a chunk, and the error that makes everything after them void. */
export interface DecodedLines {
  readonly events: readonly WatchEventObject[];
  readonly error?: ConnectionError;
}

/** Decodes one watch. After an error it is of no more use. */
export class WatchLineDecoder {
  readonly #maxLineBytes: number;
  #partial: Uint8Array[] = [];
  #partialBytes = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** The events that the chunk completes. */
  push(chunk: Uint8Array): DecodedLines {
    const events: WatchEventObject[] = [];
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to >= 0; to = chunk.indexOf(NEWLINE, from)) {
      const tail = chunk.subarray(from, to);
      if (this.#partialBytes + tail.length > this.#maxLineBytes)
        return { events, error: this.#tooLarge() };
      const line = this.#line(tail);
      from = to + 1;
      if (line.trim() === '') continue;
      const event = parseEvent(line);
      if (event instanceof ConnectionError) return { events, error: event };
      events.push(event);
    }
    const rest = chunk.subarray(from);
    if (this.#partialBytes + rest.length > this.#maxLineBytes)
      return { events, error: this.#tooLarge() };
    if (rest.length > 0) this.#partial.push(rest);
    this.#partialBytes += rest.length;
    return { events };
  }

  /** The error of a body that ends within a line; undefined where it ends as it should. */
  end(): ConnectionError | undefined {
    const rest = this.#line(new Uint8Array(0)).trim();
    return rest === ''
      ? undefined
      : new ConnectionError('malformed', 'the watch ended in the middle of an event');
  }

  #line(tail: Uint8Array): string {
    const bytes = this.#partial.length === 0 ? tail : Buffer.concat([...this.#partial, tail]);
    this.#partial = [];
    this.#partialBytes = 0;
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  }

  #tooLarge(): ConnectionError {
    const limit = `${this.#maxLineBytes} bytes`;
    return new ConnectionError('tooLarge', `a watch event is larger than the limit of ${limit}`);
  }
}

const TYPES: ReadonlySet<unknown> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']);

function parseEvent(line: string): WatchEventObject | ConnectionError {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    return new ConnectionError('malformed', 'a line of the watch is not JSON', cause);
  }
  const { type, object } = (value ?? {}) as { type?: unknown; object?: unknown };
  if (!TYPES.has(type) || typeof object !== 'object' || object === null)
    return new ConnectionError('malformed', 'a line of the watch is not an event');
  // Every object of an event has metadata; an ERROR's Status may do without.
  if (type !== 'ERROR' && typeof (object as { metadata?: unknown }).metadata !== 'object')
    return new ConnectionError('malformed', 'an event of the watch has an object without metadata');
  return value as WatchEventObject;
}
