// What a watcher has not read yet: batches of events between one producer and one reader, bounded by count
// and by bytes. Invariant: a reader sees every event in order up to an end; one that falls behind is ended with Expired.
import { StorageError } from './storage.ts';

/** What the buffer must know of an event. */
interface Sized {
  readonly value: { readonly bytes: Uint8Array };
}

/** How much a watcher may leave unread. A single batch is always taken, whatever its size. */
export interface BufferLimits {
  readonly maxEvents: number;
  readonly maxBytes: number;
}

/** Who is told once of what waits or comes next, in the very turn in which it is woken. */
export interface BatchReader<E> {
  /** Everything that waits; empty after a nudge; undefined at the end. Must not throw. */
  readonly resolve: (batch: readonly E[] | undefined) => void;
  /** What `fail` was given. Must not throw. */
  readonly reject: (error: StorageError) => void;
}

/** A first-in first-out queue of event batches. */
export class EventBuffer<E extends Sized> {
  readonly #limits: BufferLimits;
  #batches: (readonly E[])[] = [];
  #events = 0;
  #bytes = 0;
  #ended = false;
  #nudged = false;
  #error: StorageError | undefined;
  #reader: BatchReader<E> | undefined;

  constructor(limits: BufferLimits) {
    this.#limits = limits;
  }

  /** True once no more is taken. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Events that wait. */
  get unread(): number {
    return this.#events;
  }

  /** Does the reader wait? */
  get isAwaited(): boolean {
    return this.#reader !== undefined;
  }

  /** Adds a batch (which nobody changes afterwards) for the next `wake`, or ends the reader with Expired when it fell behind. */
  push(batch: readonly E[], bytes = sizeOf(batch)): void {
    if (this.#ended || batch.length === 0) return;
    const events = this.#events + batch.length;
    const behind = events > this.#limits.maxEvents || this.#bytes + bytes > this.#limits.maxBytes;
    if (behind && this.#batches.length > 0) {
      this.#batches = [];
      this.#events = 0;
      this.fail(new StorageError('Expired', 'the watcher fell too far behind; list again'));
      return;
    }
    this.#batches.push(batch);
    this.#events = events;
    this.#bytes += bytes;
  }

  /** Hands what waits to the reader, if it waits for anything. */
  wake(): void {
    const reader = this.#reader;
    if (!reader || !this.#hasNews) return;
    this.#reader = undefined;
    if (this.#batches.length === 0 && this.#error) reader.reject(this.#error);
    else reader.resolve(this.#take());
  }

  /** Tells the reader once: now, if anything waits. One reader at a time. */
  read(reader: BatchReader<E>): void {
    this.#reader = reader;
    this.wake();
  }

  /** The same as a promise. */
  next(): Promise<readonly E[] | undefined> {
    return new Promise((resolve, reject) => this.read({ resolve, reject }));
  }

  get #hasNews(): boolean {
    return this.#batches.length > 0 || this.#ended || this.#nudged;
  }

  #take(): readonly E[] | undefined {
    this.#nudged = false;
    if (this.#batches.length === 0) return this.#ended ? undefined : [];
    const batches = this.#batches;
    this.#batches = [];
    this.#events = 0;
    this.#bytes = 0;
    return batches.length === 1 ? batches[0] : joined(batches);
  }

  /** Wakes a reader that waits, though there is nothing to read. */
  nudge(): void {
    this.#nudged = true;
    this.wake();
  }

  /** No more; the reader gets what waits, then the end. */
  end(): void {
    this.#ended = true;
    this.wake();
  }

  /** No more; the reader gets what waits, then the error. */
  fail(error: StorageError): void {
    if (this.#ended) return;
    this.#error = error;
    this.end();
  }
}

interface Joined {
  readonly batches: readonly (readonly unknown[])[];
  readonly whole: readonly unknown[];
}

/** What the last of all such readers was handed, for as long as somebody has it anyhow. */
let last: WeakRef<Joined> | undefined;

/** The batches as one. Readers that were late for the same batches get the very same one, and what is made of it serves them all. */
function joined<E>(batches: readonly (readonly E[])[]): readonly E[] {
  const known = last?.deref();
  if (
    known?.batches.length === batches.length &&
    known.batches.every((each, i) => each === batches[i])
  )
    return known.whole as readonly E[];
  const whole = batches.flat() as readonly E[];
  last = new WeakRef({ batches, whole });
  return whole;
}

/** Bytes that a batch holds on to. */
export function sizeOf(batch: readonly Sized[]): number {
  let bytes = 0;
  for (const event of batch) bytes += event.value.bytes.length;
  return bytes;
}
