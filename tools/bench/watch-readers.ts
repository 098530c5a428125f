// Many watchers in one process: counts the events that each sees, and how old they are when they come.
// Invariant: an event carries the monotonic time from which its age counts (MARK), which all processes of a machine share. Of an event
// no more is read than that: neither HTTP's chunks nor JSON, so that the readers' processor is no part of the figure. Events of the
// warm-up are read as all others, and count for nothing.
import { performance } from 'node:perf_hooks';
import type { TLSSocket } from 'node:tls';
import { connected, framed } from './http-connection.ts';
import type { FanOutOrder, LoadReport } from './load-order.ts';

/** Before the microseconds of the machine's monotonic clock in an event. */
export const MARK = '"written-at-us":"';
const MARK_BYTES = Buffer.from(MARK);
const NEWLINE = 0x0a;
const NOTHING = Buffer.alloc(0);
/** Connections opened at the same time; a thousand handshakes at once would time each other out. */
const OPENING = 50;
/** Read at once at most; more comes in a further read. */
const READ_BYTES = 64 * 1024;

/** The machine's monotonic clock in microseconds. */
export const monotonicUs = (): number => Number(process.hrtime.bigint() / 1000n);

/** One of the watchers. */
interface Watcher {
  /** A line of which more is to come. */
  rest: Buffer;
  /** Events still to come that do not count. */
  toSkip: number;
}

/** What the watchers have seen. */
class Seen {
  readonly latencies: Float64Array;
  readonly all = Promise.withResolvers<void>();
  count = 0;
  skipped = 0;
  /** Of all events. */
  bytes = 0;
  /** When the first one came that counts, and what this process had used by then. */
  started: { readonly atMs: number; readonly cpu: NodeJS.CpuUsage } | undefined;

  constructor(events: number) {
    this.latencies = new Float64Array(events);
  }

  /** Looks through the lines that are whole, and keeps what is left. */
  take(read: Buffer, watcher: Watcher): void {
    const chunk = watcher.rest.length > 0 ? Buffer.concat([watcher.rest, read]) : read;
    const now = monotonicUs();
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    this.bytes += end;
    for (
      let at = chunk.indexOf(MARK_BYTES);
      at >= 0 && at < end;
      at = chunk.indexOf(MARK_BYTES, at)
    ) {
      at += MARK_BYTES.length;
      const written = Number(chunk.toString('latin1', at, chunk.indexOf('"', at)));
      if (watcher.toSkip > 0) {
        watcher.toSkip -= 1;
        this.skipped += 1;
        continue;
      }
      this.started ??= { atMs: performance.now(), cpu: process.cpuUsage() };
      this.latencies[this.count++] = (now - written) / 1000;
    }
    if (this.count >= this.latencies.length) this.all.resolve();
    watcher.rest = end === chunk.length ? NOTHING : Buffer.from(chunk.subarray(end));
  }

  report(): LoadReport {
    const { started, latencies, count, skipped } = this;
    if (!started) throw new Error('no event came that counts');
    const { user, system } = process.cpuUsage(started.cpu);
    const bytes = (this.bytes * count) / (count + skipped);
    return {
      ms: performance.now() - started.atMs,
      bytes,
      latencies,
      cpuMs: (user + system) / 1000,
    };
  }
}

/** Opens the watches, says that it is ready, and resolves when each watcher has seen all events. */
export async function fanOut(order: FanOutOrder): Promise<LoadReport> {
  const { target, path, watchers, warmUp, events } = order;
  const seen = new Seen(watchers * events);
  const sockets: TLSSocket[] = [];
  const request = framed('GET', path);
  // One buffer for all: each looks through what came before another reads.
  const buffer = Buffer.alloc(READ_BYTES);
  const open = async () => {
    const answered = Promise.withResolvers<void>();
    let isAnswered = false;
    const watcher: Watcher = { rest: NOTHING, toSkip: warmUp };
    const callback = (length: number) => {
      if (isAnswered) seen.take(buffer.subarray(0, length), watcher);
      isAnswered = true;
      answered.resolve();
      return true;
    };
    const socket = await connected(target, { buffer, callback });
    socket.on('error', seen.all.reject);
    socket.on('close', () => seen.all.reject(new Error('a watch ended early')));
    sockets.push(socket);
    socket.write(request);
    await answered.promise;
  };
  try {
    while (sockets.length < watchers) {
      const batch = Math.min(OPENING, watchers - sockets.length);
      await Promise.race([Promise.all(Array.from({ length: batch }, open)), seen.all.promise]);
    }
    process.send?.({ ready: true });
    await seen.all.promise;
    return seen.report();
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}
