// The storage contract: bytes in, bytes out, one revision counter. It knows nothing of kinds.
// Every backend passes test/contracts/storage.ts; synchronous reads are the visible index's, above it (apiserver/watch).

/** A stored value at one revision. `bytes` are the JSON that goes on the wire, its resourceVersion already inside. */
export interface Stored {
  readonly key: string;
  /** Revision of the write that made this value. */
  readonly revision: bigint;
  readonly bytes: Uint8Array;
  /** Byte offset of the revision inside `bytes` (see revision-gap.ts). */
  readonly revisionAt: number;
}

/** A value to write. `revisionAt`: byte offset of REVISION_WIDTH bytes reserved for the decimal revision (see revision-gap.ts). */
export interface NewValue {
  readonly bytes: Uint8Array;
  readonly revisionAt: number;
}

/** What a commit came to. A conflict carries the state that was found, once that state is durable. */
export type CommitResult =
  | { readonly kind: 'committed'; readonly revision: bigint; readonly bytes: Uint8Array }
  | { readonly kind: 'conflict'; readonly found: Stored | 'absent' };

/** A change, in revision order. `value` of a delete is the last state with the delete's revision inside. */
export interface StorageEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly revision: bigint;
  readonly value: Stored;
  readonly previous: Stored | undefined;
}

/** One page of keys in byte order. `revision` is the one the page shows. */
export interface Page {
  readonly items: readonly Stored[];
  readonly revision: bigint;
  readonly more: boolean;
}

/** Which page. `after`: exclusive start key; `at`: a past revision (Expired when compacted). */
export interface PageOptions {
  readonly limit?: number;
  readonly after?: string;
  readonly at?: bigint;
}

/** Why storage refused. `Expired`: compacted away. `ReadOnly`: disk or map full until the cause is gone. `Unavailable`: closed or out of reach. */
export type StorageErrorReason = 'Expired' | 'ReadOnly' | 'Unavailable' | 'TooLarge';

/** The only error a backend throws. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly reason: StorageErrorReason;

  constructor(reason: StorageErrorReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}

/** A durable, ordered, versioned map. */
export interface Storage {
  /** Compare-and-set, decided against state that includes writes not yet durable; resolves when durable. */
  commit(
    key: string,
    expected: bigint | 'absent' | 'any',
    value: NewValue | 'delete',
  ): Promise<CommitResult>;
  /** The newest state of a key, writes not yet durable included: for the server's own read-modify-write, never to be shown. */
  pending(key: string): Stored | undefined;
  /** The revision a linearizable read must show. */
  barrier(signal?: AbortSignal): Promise<bigint>;
  /** A consistent page, now or at a past revision. */
  page(prefix: string, options: PageOptions): Promise<Page>;
  /** Changes after revision `from`, in order, in durable batches; throws Expired when history no longer covers it. Ends on abort. */
  watch(prefix: string, from: bigint, signal: AbortSignal): AsyncIterable<readonly StorageEvent[]>;
  /** Forgets history before `to`; the newest row of each key at or below it stays. */
  compact(to: bigint): Promise<void>;
  /** Oldest revision still readable, and the newest. */
  range(): { readonly oldest: bigint; readonly newest: bigint };
  /** Bytes that it takes up where it is kept, history among them. */
  sizeBytes(): number;
  close(): Promise<void>;
}
