// The bytes of a container's log as `kubectl logs` shows them.
// Invariant: never more than the byte limit, never a line from before the asked time; memory does not grow with the log.
import { open } from 'node:fs/promises';
import { type CriLine, parseCriLine } from './cri-line.ts';
import { type FollowOptions, readLines, tailOffset } from './log-file.ts';

/** What is asked of a log; fields as PodLogOptions has them. */
export interface LogQuery {
  readonly tailLines: number | undefined;
  /** Wall milliseconds; older lines are left out. */
  readonly sinceMs: number | undefined;
  readonly timestamps: boolean;
  readonly limitBytes: number | undefined;
  readonly stream: 'stdout' | 'stderr' | undefined;
}

/** The log in chunks, to its end or followed. Throws when there is no such file. */
export async function* logBytes(
  path: string,
  query: LogQuery,
  follow?: FollowOptions,
): AsyncGenerator<Uint8Array> {
  const offset = await offsetOf(path, query.tailLines);
  const state: Output = { query, left: query.limitBytes ?? Infinity, freshLine: true, old: true };
  for await (const lines of readLines(path, offset, follow)) {
    const chunk = render(state, lines);
    if (chunk.length > 0) yield chunk;
    if (state.left <= 0) return;
  }
}

async function offsetOf(path: string, tailLines: number | undefined): Promise<number> {
  if (tailLines === undefined) return 0;
  const file = await open(path, 'r');
  try {
    return await tailOffset(file, tailLines);
  } finally {
    await file.close();
  }
}

interface Output {
  readonly query: LogQuery;
  left: number;
  /** Is the next text the beginning of a line? */
  freshLine: boolean;
  /** Were all lines so far from before the asked time? */
  old: boolean;
}

const NEWLINE = Buffer.from('\n');

function render(state: Output, lines: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const raw of lines) {
    const line = parseCriLine(raw);
    if (!wanted(state, line)) continue;
    if (state.query.timestamps && state.freshLine)
      parts.push(Buffer.from(`${shownTime(line.time)} `));
    parts.push(line.text);
    if (!line.partial) parts.push(NEWLINE);
    state.freshLine = !line.partial;
  }
  const chunk = Buffer.concat(parts);
  const cut = chunk.length > state.left ? chunk.subarray(0, state.left) : chunk;
  state.left -= cut.length;
  return cut;
}

function wanted(state: Output, line: CriLine): boolean {
  const { sinceMs, stream } = state.query;
  if (stream !== undefined && line.stream !== stream) return false;
  if (sinceMs === undefined || !state.old) return true;
  const time = Date.parse(line.time);
  if (!Number.isNaN(time) && time < sinceMs) return false;
  state.old = false;
  return true;
}

/** UTC is written as Z, whichever way the runtime wrote it. */
function shownTime(time: string): string {
  return time.replace(/\+00:00$/, 'Z');
}
