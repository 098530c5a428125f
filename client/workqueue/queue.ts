// A queue of keys for workers: each key once, changes before what is only looked over again, else first come, first served.
// Invariants: one key is never with two workers at once, and one added while it is worked on comes again afterwards;
// while both lanes wait, BACKGROUND_SHARE hand-outs never pass without one of the background.
import type { Clock } from '../../base/clock.ts';
import type { QueueObserver } from './queue-observer.ts';

/** The largest number of different keys held unless told; past it `add` refuses. */
export const MAX_QUEUED_KEYS = 1_000_000;
/** While both lanes have keys, one of so many hand-outs is from the background: that is how long it waits at most. */
export const BACKGROUND_SHARE = 10;

/** How soon a key is wanted: somebody changed something, or all is looked over again (a first list, a resync). */
export type Lane = 'change' | 'background';

/** What a queue is made of. */
export interface QueueOptions {
  readonly clock: Clock;
  readonly observer?: QueueObserver | undefined;
  /** Different keys held at most. */
  readonly limit?: number | undefined;
}

/** A key's place: since when, and in which lane. */
interface Place {
  readonly since: number;
  readonly lane: Lane;
}

/** Keys that wait for work. */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #observer: QueueObserver | undefined;
  readonly #limit: number;
  /** Keys to hand out, in order, each with the moment it was added. */
  readonly #waiting = { change: new Map<string, number>(), background: new Map<string, number>() };
  /** Keys with a worker, each with the moment it was handed out. */
  readonly #working = new Map<string, Place>();
  /** Keys added while with a worker. */
  readonly #again = new Map<string, Place>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  /** Changes handed out since the background, which waits, had its turn. */
  #passedOver = 0;
  #closed = false;

  constructor(options: QueueOptions) {
    this.#clock = options.clock;
    this.#observer = options.observer;
    this.#limit = options.limit ?? MAX_QUEUED_KEYS;
  }

  /** Keys that wait, those that came again while worked on included. */
  get size(): number {
    return this.#waiting.change.size + this.#waiting.background.size + this.#again.size;
  }

  /** Keys with a worker now. */
  get working(): number {
    return this.#working.size;
  }

  /** How long each key now with a worker has been there, milliseconds. */
  workingMs(): readonly number[] {
    const now = this.#clock.monotonic();
    return Array.from(this.#working.values(), ({ since }) => now - since);
  }

  /** The lane that a key with a worker came by, so that it may come again by the same. */
  laneOf(key: string): Lane {
    return this.#working.get(key)?.lane ?? 'change';
  }

  /**
   * Adds a key; one that waits already waits once, in the better lane of the two. False when the queue is closed or full: the
   * key is not in, and the observer knows.
   */
  add(key: string, lane: Lane = 'change'): boolean {
    const taken = this.offer(key, lane);
    if (!taken && !this.#closed) this.#observer?.refused(key);
    return taken;
  }

  /** The same for those who try again: nobody is told of a refusal. */
  protected offer(key: string, lane: Lane = 'change'): boolean {
    if (this.#closed) return false;
    if (this.#isKnown(key, lane)) return true;
    if (this.size >= this.#limit) return false;
    const since = this.#clock.monotonic();
    if (this.#working.has(key)) this.#again.set(key, { since, lane });
    else this.#waiting[lane].set(key, since);
    this.#observer?.added(this.size);
    this.#handOut();
    return true;
  }

  /** Does the key wait already? If in the background, and it is wanted sooner now, it changes lanes. */
  #isKnown(key: string, lane: Lane): boolean {
    const { change, background } = this.#waiting;
    if (change.has(key)) return true;
    const since = background.get(key);
    if (since !== undefined) {
      if (lane === 'background') return true;
      background.delete(key);
      change.set(key, since);
      return true;
    }
    const again = this.#again.get(key);
    if (again && again.lane !== lane && lane === 'change') this.#again.set(key, { ...again, lane });
    return again !== undefined;
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
    const place = this.#working.get(key);
    if (place === undefined) return;
    this.#working.delete(key);
    this.#observer?.finished(this.#clock.monotonic() - place.since);
    const again = this.#again.get(key);
    if (again === undefined) return;
    this.#again.delete(key);
    if (this.#closed) return;
    this.#waiting[again.lane].set(key, again.since);
    this.#handOut();
  }

  /** Nothing more comes in or goes out; those who wait for a key get undefined. */
  close(): void {
    this.#closed = true;
    this.#waiting.change.clear();
    this.#waiting.background.clear();
    this.#again.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #handOut(): void {
    while (this.#takers.length > 0) {
      const lane = this.#nextLane();
      const waiting = this.#waiting[lane];
      if (waiting.size === 0) return;
      const [key, added] = waiting.entries().next().value as [string, number];
      waiting.delete(key);
      const now = this.#clock.monotonic();
      this.#working.set(key, { since: now, lane });
      this.#observer?.started(now - added, this.size);
      this.#takers.shift()?.(key);
    }
  }

  #nextLane(): Lane {
    const { change, background } = this.#waiting;
    if (background.size === 0) return 'change';
    if (change.size > 0 && ++this.#passedOver < BACKGROUND_SHARE) return 'change';
    this.#passedOver = 0;
    return 'background';
  }
}
