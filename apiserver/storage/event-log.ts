// What a backend of VersionedStore keeps: the durable rows. Everything that is decided (compare-and-set, batches,
// watchers, when to compact) is versioned-store.ts's; a log only writes and reads.
import type { Page, StorageEvent, Stored } from './storage.ts';

/** What a log holds when it is opened. */
export interface LogContents {
  /** The live objects, in any order. */
  readonly live: Iterable<Stored>;
  /** The compaction point: history after it is complete. */
  readonly oldest: bigint;
  readonly newest: bigint;
}

/** A page to read: every field given. */
export interface LogPage {
  readonly prefix: string;
  readonly after: string | undefined;
  readonly limit: number;
  readonly at: bigint;
  /** The state of a key if it is in memory already, so that it is not read again. */
  readonly live: (key: string) => Stored | undefined;
}

/** A log refused a batch and nothing of it was written. */
export class LogRefusedError extends Error {
  override readonly name = 'LogRefusedError';
}

/** The rows of a store, in revision order. Not safe for two writers. */
export interface EventLog {
  /** Runs `fn` when writes asked for by now should go out as one batch. */
  schedule(fn: () => void): void;
  load(): LogContents;
  /** All or nothing; resolves when durable. Rejects with LogRefusedError when nothing was written; with any other error when that is unknown. */
  append(events: readonly StorageEvent[]): Promise<void>;
  /** Events after a revision, at most `limit`. Only what lies after the compaction point is complete. */
  read(after: bigint, limit: number): StorageEvent[];
  /** The objects as they were at a revision. */
  page(options: LogPage): Promise<Pick<Page, 'items' | 'more'>>;
  /** Moves the compaction point from `from` to `to`, dropping rows that nothing at or after `to` needs. */
  forget(from: bigint, to: bigint): Promise<void>;
  /** Bytes of the events after `oldest`. */
  historyBytes(oldest: bigint): number;
  /** Bytes that it takes up where it is kept: of its file, what is free in it as well, or of the values in memory. */
  sizeBytes(): number;
  close(): Promise<void>;
}
