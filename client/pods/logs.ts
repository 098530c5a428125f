// Logs of containers, as bytes or line by line, once or as they grow.
// Invariant: a line is given whole, whatever the borders of the chunks, up to MAX_LOG_LINE_BYTES; nothing else is held.
import { resourcePath } from '../../api/kind-ref.ts';
import { Pods } from '../../api/kinds.ts';
import type { CallOptions, Client, ObjectRef } from '../rest/client.ts';

/** A longer line is given in pieces of this size. */
export const MAX_LOG_LINE_BYTES = 1024 * 1024;

/** Which part of which log. */
export interface LogOptions extends CallOptions {
  /** Has to be given where the pod has several. */
  readonly container?: string | undefined;
  /** Goes on as the log grows, until the container ends. */
  readonly follow?: boolean | undefined;
  /** Of the container that ran before. */
  readonly previous?: boolean | undefined;
  /** Lines from the end. */
  readonly tailLines?: number | undefined;
  readonly sinceSeconds?: number | undefined;
  /** RFC 3339. */
  readonly sinceTime?: string | undefined;
  /** Each line with its time in front. */
  readonly timestamps?: boolean | undefined;
  readonly limitBytes?: number | undefined;
}

/** A log as it comes. Throws StatusError where there is none, ConnectionError where it breaks off. */
export async function podLogBytes(
  client: Client,
  ref: ObjectRef,
  options: LogOptions = {},
): Promise<AsyncIterable<Uint8Array>> {
  const { signal, ...asked } = options;
  const query = Object.fromEntries(
    Object.entries(asked).map(([name, value]) => [
      name,
      value === undefined ? undefined : String(value),
    ]),
  );
  const path = resourcePath(Pods, { ...ref, subresource: 'log' });
  return client.transport.stream({ method: 'GET', path, query, signal });
}

/** A log line by line, without their ends. Throws as podLogBytes does, when it is read. */
export async function* podLogs(
  client: Client,
  ref: ObjectRef,
  options: LogOptions = {},
): AsyncGenerator<string> {
  yield* linesOf(await podLogBytes(client, ref, options));
}

const NEWLINE = 10;

async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  let size = 0;
  // The piece that was given last may have been the whole of its line.
  let isCut = false;
  const line = () => {
    const text = Buffer.concat(parts).toString('utf8');
    parts = [];
    size = 0;
    return text;
  };
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length; ) {
      const endsPiece = isCut && chunk[from] === NEWLINE;
      isCut = false;
      if (endsPiece) {
        from++;
        continue;
      }
      const room = chunk.subarray(from, from + MAX_LOG_LINE_BYTES - size);
      const end = room.indexOf(NEWLINE);
      const part = end < 0 ? room : room.subarray(0, end);
      parts.push(part);
      size += part.length;
      from += end < 0 ? room.length : end + 1;
      isCut = end < 0 && size === MAX_LOG_LINE_BYTES;
      if (end >= 0 || isCut) yield line();
    }
  }
  if (size > 0) yield line();
}
