// Rows in LMDB; the only file of this room that imports it. Tables: events (revision -> row), index (key and
// revision -> type), meta. Invariants: a batch is one LMDB transaction, synced before its promise resolves; reads
// start on a fresh snapshot; no call holds the event loop for more than about 10 ms.
import { breathe } from '../../../base/breathe.ts';
import type { Database, RootDatabase } from 'lmdb';
import { open } from 'lmdb';
import type { EventLog, LogContents, LogPage } from '../event-log.ts';
import { LogRefusedError } from '../event-log.ts';
import { withRevision } from '../revision-gap.ts';
import type { Page, StorageEvent, Stored } from '../storage.ts';
import type { EventRow } from './event-row.ts';
import {
  decodeRow,
  encodeRow,
  indexKey,
  revisionKey,
  rowBytes,
  splitIndexKey,
} from './event-row.ts';

/** Index rows read before the event loop gets its turn. */
const SCAN_STEP = 1_000;
/** LMDB's own error after which the environment is dead and the last commit's outcome unknown. */
const MDB_PANIC = -30795;
const PUT = Buffer.from([0]);
const DELETE = Buffer.from([1]);
const NOTHING = new Uint8Array(0);
const STATE = Buffer.from('state');

type Table = Database<Buffer, Buffer>;

interface State {
  readonly oldest: string;
  /** Running total of bytes at the compaction point. */
  readonly forgotten: number;
}

/** What LMDB tells of its file, in pages. */
interface Pages {
  readonly pageSize: number;
  readonly lastPageNumber: number;
}

/** An EventLog in an LMDB environment. One process at a time (see directory-lock.ts). */
export class LmdbLog implements EventLog {
  readonly #root: RootDatabase<Buffer, Buffer>;
  readonly #events: Table;
  readonly #index: Table;
  readonly #meta: Table;
  #oldest: bigint;
  #newest: bigint;
  #total: number;
  #forgotten: number;

  /** Opens or makes the environment in `directory`; throws what LMDB or the file system says. */
  constructor(directory: string) {
    this.#root = open<Buffer, Buffer>({
      path: directory,
      maxDbs: 4,
      overlappingSync: false,
      // With it on, a failed batch rejects a promise that nobody holds.
      eventTurnBatching: false,
    });
    const options = { encoding: 'binary', keyEncoding: 'binary' } as const;
    this.#events = this.#root.openDB<Buffer, Buffer>('events', options);
    this.#index = this.#root.openDB<Buffer, Buffer>('index', options);
    this.#meta = this.#root.openDB<Buffer, Buffer>('meta', options);
    const state = this.#meta.getBinary(STATE);
    const { oldest, forgotten } = state
      ? (JSON.parse(state.toString()) as State)
      : { oldest: '0', forgotten: 0 };
    this.#oldest = BigInt(oldest);
    this.#forgotten = forgotten;
    const [last] = [...this.#events.getRange({ reverse: true, limit: 1 })];
    const row = last ? decodeRow(last.value) : undefined;
    const lastRevision = last ? last.key.readBigUInt64BE() : 0n;
    this.#newest = lastRevision > this.#oldest ? lastRevision : this.#oldest;
    this.#total = Math.max(forgotten, row?.total ?? 0);
  }

  /** Runs `fn` under LMDB's write lock, which holds across processes and is freed when one dies. */
  exclusively(fn: () => void): void {
    this.#root.transactionSync(() => {
      fn();
    });
  }

  schedule(fn: () => void): void {
    setImmediate(fn);
  }

  load(): LogContents {
    return { live: this.#live(), oldest: this.#oldest, newest: this.#newest };
  }

  async append(events: readonly StorageEvent[]): Promise<void> {
    let total = this.#total;
    const written = this.#root.batch(() => {
      for (const { type, key, revision, value, previous } of events) {
        const bytes = type === 'put' ? value.bytes : NOTHING;
        total += rowBytes(key, bytes.length);
        const { revisionAt } = value;
        const previousRevision = previous?.revision ?? 0n;
        const row = { type, key, revisionAt, previousRevision, total, bytes };
        this.#queue(this.#events.put(revisionKey(revision), encodeRow(row)));
        this.#queue(this.#index.put(indexKey(key, revision), type === 'put' ? PUT : DELETE));
      }
    });
    const last = events.at(-1)?.revision ?? this.#newest;
    try {
      await written;
    } catch (error) {
      throw await this.#refusal(error, last);
    }
    this.#total = total;
    this.#newest = last;
  }

  read(after: bigint, limit: number): StorageEvent[] {
    this.#root.resetReadTxn();
    const events: StorageEvent[] = [];
    for (const { key, value } of this.#events.getRange({ start: revisionKey(after + 1n), limit })) {
      const event = this.#event(key.readBigUInt64BE(), decodeRow(value));
      if (event) events.push(event);
    }
    return events;
  }

  async page({ prefix, after, limit, at, live }: LogPage): Promise<Pick<Page, 'items' | 'more'>> {
    const items: Stored[] = [];
    let candidate: { key: string; revision: bigint; live: boolean } | undefined;
    /** Takes the newest state of the key that was just passed; false when the page is full. */
    const take = (): boolean => {
      if (!candidate?.live) return true;
      if (items.length >= limit) return false;
      const known = live(candidate.key);
      const { revision } = candidate;
      const stored = known?.revision === revision ? known : this.#stored(revision);
      if (stored) items.push(stored);
      return true;
    };
    for await (const chunk of this.#scan(prefix, after))
      for (const { key: indexed, value } of chunk) {
        const { key, revision } = splitIndexKey(indexed);
        if (candidate && candidate.key !== key) {
          if (!take()) return { items, more: true };
          candidate = undefined;
        }
        if (revision <= at) candidate = { key, revision, live: value[0] === PUT[0] };
      }
    return take() ? { items, more: false } : { items, more: true };
  }

  async forget(from: bigint, to: bigint): Promise<void> {
    this.#root.resetReadTxn();
    let forgotten = this.#forgotten;
    const range = { start: revisionKey(from + 1n), end: revisionKey(to + 1n) };
    const rows = Array.from(this.#events.getRange(range), ({ key, value }) => ({
      ...decodeRow(value),
      revision: key.readBigUInt64BE(),
    }));
    const done = this.#root.batch(() => {
      for (const { key, type, revision, previousRevision, total } of rows) {
        forgotten = total;
        if (previousRevision > 0n) this.#remove(key, previousRevision);
        if (type === 'delete') this.#remove(key, revision);
      }
      const state: State = { oldest: String(to), forgotten };
      this.#queue(this.#meta.put(STATE, Buffer.from(JSON.stringify(state))));
    });
    try {
      await done;
    } catch (error) {
      throw await this.#refusal(error, undefined);
    }
    this.#oldest = to;
    this.#forgotten = forgotten;
  }

  historyBytes(): number {
    return this.#total - this.#forgotten;
  }

  sizeBytes(): number {
    const { pageSize, lastPageNumber } = this.#root.getStats() as Pages;
    return (lastPageNumber + 1) * pageSize;
  }

  async close(): Promise<void> {
    await this.#root.close();
  }

  /** Inside a batch the promise of a single write says nothing; the batch's own does. */
  #queue(_write: Promise<boolean>): void {}

  #remove(key: string, revision: bigint): void {
    this.#queue(this.#events.remove(revisionKey(revision)));
    this.#queue(this.#index.remove(indexKey(key, revision)));
  }

  /** The newest put of each key that has not been deleted. */
  *#live(): Generator<Stored, void> {
    let candidate: { key: string; revision: bigint } | undefined;
    for (const { key: indexed, value } of this.#index.getRange({})) {
      const { key, revision } = splitIndexKey(indexed);
      if (candidate && candidate.key !== key) yield this.#stored(candidate.revision) as Stored;
      candidate = value[0] === PUT[0] ? { key, revision } : undefined;
    }
    if (candidate) yield this.#stored(candidate.revision) as Stored;
  }

  /** Index rows from after a key to the end of a prefix, in chunks, the event loop running between them. */
  async *#scan(prefix: string, after: string | undefined) {
    let start =
      after === undefined || after < prefix ? Buffer.from(prefix) : Buffer.from(`${after}\u0001`);
    const end = Buffer.concat([Buffer.from(prefix), Buffer.from([0xff])]);
    if (start.length === 0) start = Buffer.from([0]);
    for (;;) {
      this.#root.resetReadTxn();
      const chunk = [...this.#index.getRange({ start, end, limit: SCAN_STEP })];
      yield chunk;
      const last = chunk.at(-1);
      if (!last || chunk.length < SCAN_STEP) return;
      start = Buffer.concat([last.key, Buffer.from([0])]);
      await breathe();
    }
  }

  #stored(revision: bigint): Stored | undefined {
    const buffer = this.#events.getBinary(revisionKey(revision));
    if (!buffer) return undefined;
    const { key, bytes, revisionAt } = decodeRow(buffer);
    return { key, revision, bytes, revisionAt };
  }

  /** A row as an event; undefined when what it needs was compacted meanwhile. */
  #event(revision: bigint, row: EventRow): StorageEvent | undefined {
    const { type, key, revisionAt } = row;
    const previous = row.previousRevision > 0n ? this.#stored(row.previousRevision) : undefined;
    if (type === 'delete' && !previous) return undefined;
    const bytes = type === 'put' ? row.bytes : withRevision(previous as Stored, revision);
    return { type, key, revision, value: { key, revision, bytes, revisionAt }, previous };
  }

  /** What a failed batch means: refused when LMDB is alive and the batch's last row is not there. */
  async #refusal(error: unknown, last: bigint | undefined): Promise<Error> {
    const cause = await causeOf(error);
    if ((cause as { code?: unknown }).code === MDB_PANIC) return cause;
    this.#root.resetReadTxn();
    if (last !== undefined && this.#events.getBinary(revisionKey(last))) return cause;
    return new LogRefusedError(`${cause.message}; is the disk full?`, { cause });
  }
}

/** LMDB hands the reason over in a second promise, settled within the same turn of the event loop. */
async function causeOf(error: unknown): Promise<Error> {
  const general = error instanceof Error ? error : new Error(String(error));
  const { commitError } = general as Error & { commitError?: Promise<never> };
  if (!commitError) return general;
  const reason = commitError.catch((cause: unknown) => cause);
  const late = new Promise<undefined>((resolve) => {
    setImmediate(resolve, undefined);
  });
  const cause = await Promise.race([reason, late]);
  return cause instanceof Error ? cause : general;
}
