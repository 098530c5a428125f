// The Storage contract over an EventLog: the write lane, the watchers, and the upkeep of history.
// Invariants: a watcher sees every durable event after its start exactly once, in order; the compaction point
// moves before rows go, and whoever reads behind it gets Expired rather than holes.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { EventBuffer } from './event-buffer.ts';
import type { EventLog } from './event-log.ts';
import type {
  CommitResult,
  NewValue,
  Page,
  PageOptions,
  Storage,
  StorageEvent,
  Stored,
} from './storage.ts';
import { StorageError } from './storage.ts';
import type { Expected, LaneHooks } from './write-lane.ts';
import { WriteLane } from './write-lane.ts';

/** How much history a store keeps, and where it reports. */
export interface HistoryOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Events kept; older ones are compacted. */
  readonly historyMaxEvents?: number;
  /** Bytes of events kept. */
  readonly historyMaxBytes?: number;
  /** How long events are kept (twice this at most when little happens). */
  readonly historyMaxAgeMs?: number;
  /** Bytes that the objects may take; past it only deletions are taken. */
  readonly liveMaxBytes?: number;
  /** Called when it is unknown whether a batch reached the disk. The process must end; the default throws out of the event loop. */
  readonly onFatal?: (error: unknown) => void;
}

/** Default of historyMaxEvents. */
export const HISTORY_MAX_EVENTS = 100_000;
/** Default of historyMaxBytes: 256 MiB. */
export const HISTORY_MAX_BYTES = 256 * 1024 * 1024;
/** Default of historyMaxAgeMs: ten minutes. */
export const HISTORY_MAX_AGE_MS = 10 * 60_000;
/** Default of liveMaxBytes: 2 GiB; all of it is in memory too. */
export const LIVE_MAX_BYTES = 2 * 1024 * 1024 * 1024;
/** How often history is looked at. */
export const COMPACT_EVERY_MS = 10_000;
/** Revisions that one step of a compaction covers; a step takes about 1 ms of the event loop. */
const COMPACT_STEP = 100;
/** Events read from the log at once when a watcher catches up. */
const REPLAY_STEP = 250;
/** What a watcher of the storage itself may leave unread. */
const WATCH_LIMITS = { maxEvents: 100_000, maxBytes: 128 * 1024 * 1024 };

interface Watcher {
  readonly prefix: string;
  readonly buffer: EventBuffer<StorageEvent>;
}

/** A durable, ordered, versioned map over a log. */
export class VersionedStore implements Storage {
  readonly #log: EventLog;
  readonly #lane: WriteLane;
  readonly #options: HistoryOptions;
  readonly #watchers = new Set<Watcher>();
  #oldest: bigint;
  #timer: Timer | undefined;
  #compaction: Promise<void> = Promise.resolve();
  #marks: { readonly at: number; readonly revision: bigint }[] = [];
  #closing: Promise<void> | undefined;

  constructor(log: EventLog, options: HistoryOptions) {
    this.#log = log;
    this.#options = options;
    const { clock } = options;
    this.#oldest = log.load().oldest;
    this.#lane = new WriteLane(log, this.#hooks(), options.liveMaxBytes ?? LIVE_MAX_BYTES);
    this.#marks.push({ at: clock.monotonic(), revision: this.#lane.revision });
    this.#arm();
  }

  commit(key: string, expected: Expected, value: NewValue | 'delete'): Promise<CommitResult> {
    return this.#lane.commit(key, expected, value);
  }

  pending(key: string): Stored | undefined {
    return this.#lane.latest(key);
  }

  async barrier(signal?: AbortSignal): Promise<bigint> {
    signal?.throwIfAborted();
    this.#open();
    return this.#lane.revision;
  }

  async page(prefix: string, options: PageOptions): Promise<Page> {
    this.#open();
    const at = options.at ?? this.#lane.revision;
    const { limit = Infinity, after } = options;
    this.#covered(at);
    const { items, more } = await this.#log.page({
      prefix,
      after,
      limit,
      at,
      live: (key) => this.#lane.durable(key),
    });
    this.#covered(at);
    return { items, more, revision: at };
  }

  watch(prefix: string, from: bigint, signal: AbortSignal): AsyncIterable<readonly StorageEvent[]> {
    this.#open();
    const watcher = { prefix, buffer: new EventBuffer<StorageEvent>(WATCH_LIMITS) };
    this.#watchers.add(watcher);
    const stop = () => {
      this.#watchers.delete(watcher);
      watcher.buffer.end();
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    return this.#events(watcher, from, () => {
      signal.removeEventListener('abort', stop);
      stop();
    });
  }

  compact(to: bigint): Promise<void> {
    this.#compaction = this.#compaction.then(
      () => this.#compactTo(to),
      () => this.#compactTo(to),
    );
    return this.#compaction;
  }

  range(): { readonly oldest: bigint; readonly newest: bigint } {
    return { oldest: this.#oldest, newest: this.#lane.revision };
  }

  sizeBytes(): number {
    return this.#log.sizeBytes();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#timer?.cancel();
    await this.#lane.close();
    for (const { buffer } of this.#watchers) buffer.end();
    this.#watchers.clear();
    await this.#compaction.catch(() => undefined);
    await this.#log.close();
  }

  #hooks(): LaneHooks {
    const { clock, logger, onFatal } = this.#options;
    return {
      now: () => clock.monotonic(),
      durable: (events) => this.#publish(events),
      readOnly: (reason) => {
        if (reason === undefined) logger.info('storage takes writes again');
        else logger.error('storage turned read-only', { reason });
      },
      nearlyFull: (share) => logger.warn('storage is nearly full of objects', { share }),
      fatal: onFatal ?? endProcess,
    };
  }

  #open(): void {
    if (this.#closing) throw new StorageError('Unavailable', 'the store is closed');
  }

  #covered(revision: bigint): void {
    if (revision < this.#oldest)
      throw new StorageError(
        'Expired',
        `revision ${revision} is compacted; the oldest is ${this.#oldest}`,
      );
  }

  #publish(events: readonly StorageEvent[]): void {
    for (const { prefix, buffer } of this.#watchers) {
      buffer.push(prefix === '' ? events : events.filter(({ key }) => key.startsWith(prefix)));
      buffer.wake();
    }
  }

  /** History after `from` up to the moment of subscription, then what the buffer brings. */
  async *#events(
    { prefix, buffer }: Watcher,
    from: bigint,
    done: () => void,
  ): AsyncGenerator<readonly StorageEvent[], void> {
    try {
      const subscribedAt = this.#lane.revision;
      let position = from;
      this.#covered(position);
      while (position < subscribedAt && !buffer.ended) {
        const events = this.#log.read(position, REPLAY_STEP);
        this.#covered(position);
        position = events.at(-1)?.revision ?? subscribedAt;
        const matching = events.filter(({ key }) => key.startsWith(prefix));
        for (const [i, event] of matching.entries()) matching[i] = this.#shared(event);
        if (matching.length > 0) yield matching;
      }
      for (let batch = await buffer.next(); batch; batch = await buffer.next()) {
        const fresh = batch.filter(({ revision }) => revision > position);
        if (fresh.length > 0) yield fresh;
      }
    } finally {
      done();
    }
  }

  /** The event with the value that is in memory already, if it is the key's state, rather than a second copy. */
  #shared(event: StorageEvent): StorageEvent {
    const state = this.#lane.durable(event.key);
    return state?.revision === event.revision ? { ...event, value: state } : event;
  }

  async #compactTo(asked: bigint): Promise<void> {
    const to = asked < this.#lane.revision ? asked : this.#lane.revision;
    while (this.#oldest < to && !this.#closing) {
      const from = this.#oldest;
      const end = from + BigInt(COMPACT_STEP);
      this.#oldest = end < to ? end : to;
      await this.#log.forget(from, this.#oldest);
    }
  }

  #arm(): void {
    this.#timer = this.#options.clock.timer(COMPACT_EVERY_MS, () => {
      this.#arm();
      this.compact(this.#compactionPoint()).catch((error: unknown) => {
        this.#options.logger.warn('storage could not compact its history', { err: error });
      });
    });
  }

  /** The newest revision that age, count or size says to forget. */
  #compactionPoint(): bigint {
    const { clock } = this.#options;
    const maxAge = this.#options.historyMaxAgeMs ?? HISTORY_MAX_AGE_MS;
    const now = clock.monotonic();
    const newest = this.#lane.revision;
    if ((this.#marks.at(-1)?.at ?? 0) + maxAge / 10 <= now)
      this.#marks.push({ at: now, revision: newest });
    let point = this.#oldest;
    while ((this.#marks[0]?.at ?? Infinity) + maxAge <= now)
      point = larger(point, this.#marks.shift()?.revision ?? 0n);
    const maxEvents = this.#options.historyMaxEvents ?? HISTORY_MAX_EVENTS;
    point = larger(point, newest - BigInt(maxEvents));
    const bytes = this.#log.historyBytes(this.#oldest);
    const maxBytes = this.#options.historyMaxBytes ?? HISTORY_MAX_BYTES;
    if (bytes <= maxBytes) return point;
    const share = BigInt(Math.ceil(Number(newest - this.#oldest) * (1 - maxBytes / bytes)));
    return larger(point, this.#oldest + share);
  }
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** Leaves the error to the process's handler of uncaught exceptions, which ends it. */
function endProcess(error: unknown): void {
  queueMicrotask(() => {
    throw error instanceof Error ? error : new Error(String(error));
  });
}
