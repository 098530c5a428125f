// Containers' logs in this process: lines by path, followed by calls rather than by looking.
// Invariant: a log holds at most so many bytes, and the oldest lines go first; one that is removed ends for its readers.
import { invariant } from '../../../base/invariant.ts';
import type { Pod } from '../../../api/generated/types.ts';
import type { LogWriter } from '../../runtime/fake/log-writer.ts';
import {
  type FollowOptions,
  type LinesAsked,
  LogNotFound,
  type PodLogs,
} from '../../logs/pod-logs.ts';

/** Bytes kept of each log, newlines left out. */
export const MAX_MEMORY_LOG_BYTES = 256 * 1024;

interface Log {
  lines: Uint8Array[];
  bytes: number;
  /** How many lines have gone, so that a reader finds its place again. */
  dropped: number;
  readonly readers: Set<() => void>;
}

/** Logs in memory. */
export class MemoryLogs implements PodLogs, LogWriter {
  readonly #logs = new Map<string, Log>();

  pathOf({ metadata: { namespace, name, uid } }: Pod, container: string, attempt: number): string {
    return `/logs/${namespace}_${name}_${uid}/${container}/${attempt}.log`;
  }

  attempts(pod: Pod, container: string): number {
    let attempts = 0;
    while (this.#logs.has(this.pathOf(pod, container, attempts))) attempts += 1;
    return attempts;
  }

  begin(path: string): void {
    this.#end(path);
    this.#logs.set(path, { lines: [], bytes: 0, dropped: 0, readers: new Set() });
  }

  append(path: string, line: string): void {
    const log = this.#logs.get(path);
    // Its pod was removed while it still wrote.
    if (!log) return;
    const bytes = Buffer.from(line);
    log.lines.push(bytes);
    log.bytes += bytes.length;
    while (log.bytes > MAX_MEMORY_LOG_BYTES && log.lines.length > 1) {
      log.bytes -= log.lines.shift()?.length ?? 0;
      log.dropped += 1;
    }
    for (const wake of log.readers) wake();
  }

  async *lines(path: string, asked: LinesAsked): AsyncGenerator<readonly Uint8Array[]> {
    const log = this.#logs.get(path);
    if (!log) throw new LogNotFound(`there is no log ${path}`);
    const { tailLines = Infinity, follow } = asked;
    let at = log.dropped + Math.max(0, log.lines.length - tailLines);
    for (;;) {
      // Asked before reading: what was written before the end is read after it.
      const grows = follow?.grows() ?? false;
      const fresh = log.lines.slice(Math.max(0, at - log.dropped));
      at = log.dropped + log.lines.length;
      if (fresh.length > 0) yield fresh;
      else if (!grows || !follow || follow.signal.aborted || !this.#has(path, log)) return;
      else await change(log, follow);
    }
  }

  async rotate(): Promise<boolean> {
    return false;
  }

  async remove(pod: Pod): Promise<void> {
    const { namespace, name, uid } = pod.metadata;
    const folder = `/logs/${namespace}_${name}_${uid}/`;
    for (const path of this.#logs.keys()) if (path.startsWith(folder)) this.#end(path);
  }

  tidy(known: (podUid: string) => boolean): void {
    for (const path of this.#logs.keys()) {
      const uid = path.split('/')[2]?.split('_')[2];
      invariant(uid !== undefined, 'a log in memory has the path that pathOf gave it');
      if (!known(uid)) this.#end(path);
    }
  }

  #has(path: string, log: Log): boolean {
    return this.#logs.get(path) === log;
  }

  #end(path: string): void {
    const log = this.#logs.get(path);
    this.#logs.delete(path);
    for (const wake of log?.readers ?? []) wake();
  }
}

/** How often a followed log is looked at though nothing was written: its container may have ended. */
const LOOK_AGAIN_MS = 1000;

async function change(log: Log, { clock, signal }: FollowOptions): Promise<void> {
  await new Promise<void>((resolve) => {
    const wake = () => {
      timer.cancel();
      log.readers.delete(wake);
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const timer = clock.timer(LOOK_AGAIN_MS, wake);
    log.readers.add(wake);
    signal.addEventListener('abort', wake, { once: true });
  });
}
