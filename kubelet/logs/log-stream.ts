// The bytes of a container's log as `kubectl logs` shows them.
// Invariant: never more than the byte limit, never a line from before the asked time; memory does not grow with the log.
import { type CriLine, parseCriLine } from './cri-line.ts';
import type { FollowOptions, PodLogs } from './pod-logs.ts';

/** What is asked of a log; fields as PodLogOptions has them. */
export interface LogQuery {
  readonly tailLines: number | undefined;
  /** Wall milliseconds; older lines are left out. */
  readonly sinceMs: number | undefined;
  readonly timestamps: boolean;
  readonly limitBytes: number | undefined;
  readonly stream: 'stdout' | 'stderr' | undefined;
}

/** Which log, and whether it is followed. */
export interface LogSource {
  readonly logs: Pick<PodLogs, 'lines'>;
  readonly path: string;
  readonly follow?: FollowOptions | undefined;
}

/** The log in chunks, to its end or followed. Throws LogNotFound before the first one. */
export async function* logBytes(source: LogSource, query: LogQuery): AsyncGenerator<Uint8Array> {
  const { logs, path, follow } = source;
  const state: Output = { query, left: query.limitBytes ?? Infinity, freshLine: true, old: true };
  for await (const lines of logs.lines(path, { tailLines: query.tailLines, follow })) {
    const chunk = render(state, lines);
    if (chunk.length > 0) yield chunk;
    if (state.left <= 0) return;
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
