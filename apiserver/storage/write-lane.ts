// The one writer: decides compare-and-set against state that includes writes not yet durable, and sends what was
// accepted to the log in batches, one at a time. Invariants: revisions are handed out in order without holes; an
// answer, yes or no, never rests on a write that is not durable; a failed batch takes every later write with it.
import type { EventLog } from './event-log.ts';
import { LogRefusedError } from './event-log.ts';
import { fillRevision, withRevision } from './revision-gap.ts';
import type { CommitResult, NewValue, StorageEvent, Stored } from './storage.ts';
import { StorageError } from './storage.ts';

/** Writes in one batch; more wait for the next, so that the event loop is never held for long. */
const BATCH_MAX_WRITES = 512;
/** Bytes in one batch, past which no further write joins it. */
const BATCH_MAX_BYTES = 4 * 1024 * 1024;
/** Accepted writes waiting for the log, past which further ones are refused. */
const QUEUE_MAX_WRITES = 50_000;
/** The largest value. */
export const VALUE_MAX_BYTES = 3 * 1024 * 1024;
/** The longest key. */
export const KEY_MAX_BYTES = 1024;
/** After a refusal, how long until the next write is let through to see whether the cause is gone. */
export const READ_ONLY_PROBE_MS = 1_000;

/** Share of the cap on live bytes past which a warning is given. */
const NEARLY_FULL = 0.8;

/** What a write rests on. */
export type Expected = bigint | 'absent' | 'any';

/** What the lane tells its owner. */
export interface LaneHooks {
  /** Monotonic milliseconds. */
  now(): number;
  /** A batch is durable; called before its writers get their answers. */
  durable(events: readonly StorageEvent[]): void;
  /** The store turned read-only with this reason, or (undefined) takes writes again. */
  readOnly(reason: string | undefined): void;
  /** Live objects fill this share of what they may; told once each time 80 % is passed. */
  nearlyFull(share: number): void;
  /** It is unknown whether a batch was written: the process must end, and recover from disk. */
  fatal(error: unknown): void;
}

interface Write {
  readonly event: StorageEvent;
  readonly promise: Promise<CommitResult>;
  resolve(result: CommitResult): void;
  reject(error: StorageError): void;
}

/** Compare-and-set with group commit over an EventLog. */
export class WriteLane {
  readonly #log: EventLog;
  readonly #hooks: LaneHooks;
  readonly #liveMaxBytes: number;
  #liveBytes = 0;
  #warned = false;
  readonly #durable = new Map<string, Stored>();
  /** The newest undecided write of each key. */
  readonly #pending = new Map<string, Write>();
  #queue: Write[] = [];
  #durableRevision: bigint;
  #assigned: bigint;
  #running: Promise<void> | undefined;
  #refused: { readonly error: StorageError; readonly probeAt: number } | undefined;
  #closed: StorageError | undefined;

  /** `liveMaxBytes`: what the newest states of all keys may take; past it only deletions are taken. */
  constructor(log: EventLog, hooks: LaneHooks, liveMaxBytes: number) {
    this.#log = log;
    this.#hooks = hooks;
    this.#liveMaxBytes = liveMaxBytes;
    const { live, newest } = log.load();
    for (const stored of live) this.#keep(stored.key, stored, undefined);
    this.#durableRevision = newest;
    this.#assigned = newest;
  }

  /** The newest durable revision. */
  get revision(): bigint {
    return this.#durableRevision;
  }

  /** Why no write is taken now, if so. */
  get readOnlyReason(): string | undefined {
    return this.#refused?.error.message;
  }

  /** The newest durable state of a key. */
  durable(key: string): Stored | undefined {
    return this.#durable.get(key);
  }

  /** The newest state of a key, undecided writes included. */
  latest(key: string): Stored | undefined {
    const pending = this.#pending.get(key);
    return pending ? stateAfter(pending.event) : this.#durable.get(key);
  }

  /** See Storage.commit. */
  async commit(key: string, expected: Expected, value: NewValue | 'delete'): Promise<CommitResult> {
    this.#refuse(key, value);
    const pending = this.#pending.get(key);
    const current = pending ? stateAfter(pending.event) : this.#durable.get(key);
    if (!allowed(current, expected, value)) {
      if (pending) await pending.promise;
      return { kind: 'conflict', found: current ?? 'absent' };
    }
    const write = newWrite(this.#event(key, current, value));
    this.#pending.set(key, write);
    this.#queue.push(write);
    if (!this.#running) this.#run();
    return write.promise;
  }

  /** Waits for accepted writes, then takes no more. */
  async close(): Promise<void> {
    this.#closed = new StorageError('Unavailable', 'the store is closed');
    await this.#running;
  }

  #refuse(key: string, value: NewValue | 'delete'): void {
    if (this.#closed) throw this.#closed;
    if (key.length > KEY_MAX_BYTES)
      throw new StorageError('TooLarge', `the key is longer than ${KEY_MAX_BYTES} bytes`);
    if (value !== 'delete' && value.bytes.length > VALUE_MAX_BYTES)
      throw new StorageError('TooLarge', `the object is larger than ${VALUE_MAX_BYTES} bytes`);
    if (this.#queue.length >= QUEUE_MAX_WRITES)
      throw new StorageError('Unavailable', 'too many writes wait for the disk');
    if (value !== 'delete' && this.#liveBytes + value.bytes.length > this.#liveMaxBytes)
      throw new StorageError(
        'ReadOnly',
        `the objects fill the store's limit of ${this.#liveMaxBytes} bytes; delete some`,
      );
    if (!this.#refused) return;
    if (this.#running || this.#hooks.now() < this.#refused.probeAt) throw this.#refused.error;
  }

  #event(key: string, previous: Stored | undefined, value: NewValue | 'delete'): StorageEvent {
    const revision = ++this.#assigned;
    if (value === 'delete') {
      const last = previous as Stored;
      const { revisionAt } = last;
      const stored = { key, revision, bytes: withRevision(last, revision), revisionAt };
      return { type: 'delete', key, revision, value: stored, previous };
    }
    fillRevision(value.bytes, value.revisionAt, revision);
    const stored = { key, revision, bytes: value.bytes, revisionAt: value.revisionAt };
    return { type: 'put', key, revision, value: stored, previous };
  }

  #run(): void {
    this.#running = new Promise<void>((resolve) => this.#log.schedule(resolve)).then(() =>
      this.#flush(),
    );
  }

  async #flush(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#takeBatch();
      const failure = await this.#log
        .append(batch.map((write) => write.event))
        .then(() => undefined)
        .catch((error: unknown) => ({ error }));
      if (failure) this.#rollBack(batch, failure.error);
      else this.#settle(batch);
    }
    // In the same turn as the check above: a write that comes a moment later must start the next run.
    this.#running = undefined;
  }

  #takeBatch(): Write[] {
    let bytes = 0;
    let count = 0;
    for (const { event } of this.#queue) {
      if (count >= BATCH_MAX_WRITES || bytes >= BATCH_MAX_BYTES) break;
      bytes += event.value.bytes.length;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  #settle(batch: readonly Write[]): void {
    for (const write of batch) {
      const { key, revision } = write.event;
      const state = stateAfter(write.event);
      this.#keep(key, state, write.event.previous);
      if (this.#pending.get(key) === write) this.#pending.delete(key);
      this.#durableRevision = revision;
    }
    if (this.#refused) {
      this.#refused = undefined;
      this.#hooks.readOnly(undefined);
    }
    this.#hooks.durable(batch.map((write) => write.event));
    for (const write of batch) {
      const { revision, value } = write.event;
      write.resolve({ kind: 'committed', revision, bytes: value.bytes });
    }
  }

  #keep(key: string, state: Stored | undefined, before: Stored | undefined): void {
    this.#liveBytes += (state?.bytes.length ?? 0) - (before?.bytes.length ?? 0);
    if (state) this.#durable.set(key, state);
    else this.#durable.delete(key);
    const share = this.#liveBytes / this.#liveMaxBytes;
    if (share > NEARLY_FULL && !this.#warned) this.#hooks.nearlyFull(share);
    this.#warned = share > NEARLY_FULL;
  }

  /** Every undecided write may rest on the failed batch, and its revision does: all of them fail. */
  #rollBack(batch: readonly Write[], cause: unknown): void {
    const failed = [...batch, ...this.#queue];
    this.#queue = [];
    this.#pending.clear();
    this.#assigned = this.#durableRevision;
    const why = cause instanceof Error ? cause.message : String(cause);
    const known = cause instanceof LogRefusedError;
    const error = known
      ? new StorageError('ReadOnly', `the store takes no writes: ${why}`, cause)
      : new StorageError('Unavailable', `the store failed: ${why}`, cause);
    if (known) {
      const first = !this.#refused;
      this.#refused = { error, probeAt: this.#hooks.now() + READ_ONLY_PROBE_MS };
      if (first) this.#hooks.readOnly(error.message);
    } else {
      this.#closed = error;
    }
    for (const write of failed) write.reject(error);
    if (!known) this.#hooks.fatal(cause);
  }
}

function stateAfter(event: StorageEvent): Stored | undefined {
  return event.type === 'put' ? event.value : undefined;
}

function allowed(
  current: Stored | undefined,
  expected: Expected,
  value: NewValue | 'delete',
): boolean {
  if (value === 'delete' && !current) return false;
  if (expected === 'any') return true;
  if (expected === 'absent') return current === undefined;
  return current?.revision === expected;
}

function newWrite(event: StorageEvent): Write {
  const { promise, resolve, reject } = Promise.withResolvers<CommitResult>();
  return { event, promise, resolve, reject };
}
