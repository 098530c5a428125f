// A queue of keys for workers: first come, first served, each key once.
// Invariant: one key is never with two workers at once; a key added while it is worked on comes again afterwards.
import type { Clock } from '../../base/clock.ts';
import type { QueueObserver } from './queue-observer.ts';

/** The largest number of different keys held unless told; past it `add` refuses. */
export const MAX_QUEUED_KEYS = 1_000_000;

/** What a queue is made of. */
export interface QueueOptions {
  readonly clock: Clock;
  readonly observer?: QueueObserver | undefined;
  /** Different keys held at most. */
  readonly limit?: number | undefined;
}

/** Keys that wait for work. */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #observer: QueueObserver | undefined;
  readonly #limit: number;
  /** Keys to hand out, in order, each with the moment it was added. */
  readonly #waiting = new Map<string, number>();
  /** Keys with a worker, each with the moment it was handed out. */
  readonly #working = new Map<string, number>();
  /** Keys added while with a worker. */
  readonly #again = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #closed = false;

  constructor(options: QueueOptions) {
    this.#clock = options.clock;
    this.#observer = options.observer;
    this.#limit = options.limit ?? MAX_QUEUED_KEYS;
  }

  /** Keys that wait, those that came again while worked on included. */
  get size(): number {
    return this.#waiting.size + this.#again.size;
  }

  /** Keys with a worker now. */
  get working(): number {
    return this.#working.size;
  }

  /** How long each key now with a worker has been there, milliseconds. */
  workingMs(): readonly number[] {
    const now = this.#clock.monotonic();
    return Array.from(this.#working.values(), (since) => now - since);
  }

  /** Adds a key; one that waits already waits once. False when the queue is closed or full: the key is not in, and the observer knows. */
  add(key: string): boolean {
    const taken = this.offer(key);
    if (!taken && !this.#closed) this.#observer?.refused(key);
    return taken;
  }

  /** The same for those who try again: nobody is told of a refusal. */
  protected offer(key: string): boolean {
    if (this.#closed) return false;
    if (this.#waiting.has(key) || this.#again.has(key)) return true;
    if (this.size >= this.#limit) return false;
    const now = this.#clock.monotonic();
    if (this.#working.has(key)) this.#again.set(key, now);
    else this.#waiting.set(key, now);
    this.#observer?.added(this.size);
    this.#handOut();
    return true;
  }

  /** The next key, waiting for one; undefined once closed. Each answer is to be followed by `finish`. */
  take(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#handOut();
    });
  }

  /** The worker is through with the key. */
  finish(key: string): void {
    const since = this.#working.get(key);
    if (since === undefined) return;
    this.#working.delete(key);
    this.#observer?.finished(this.#clock.monotonic() - since);
    const added = this.#again.get(key);
    if (added === undefined) return;
    this.#again.delete(key);
    if (this.#closed) return;
    this.#waiting.set(key, added);
    this.#handOut();
  }

  /** Nothing more comes in or goes out; those who wait for a key get undefined. */
  close(): void {
    this.#closed = true;
    this.#waiting.clear();
    this.#again.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #handOut(): void {
    while (this.#takers.length > 0 && this.#waiting.size > 0) {
      const [key, added] = this.#waiting.entries().next().value as [string, number];
      this.#waiting.delete(key);
      const now = this.#clock.monotonic();
      this.#working.set(key, now);
      this.#observer?.started(now - added, this.size);
      this.#takers.shift()?.(key);
    }
  }
}
