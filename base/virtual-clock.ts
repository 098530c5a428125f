// A Clock that moves only when told: for tests and simulation.
// Invariant: timers fire in order of due time, then of creation, each seeing `monotonic()` equal to its due time; the next one fires
// only when nothing is left to do at that moment.
import { stillness } from './breathe.ts';
import type { Clock, Timer } from './clock.ts';
import { sleepOn } from './clock.ts';
import { Heap } from './heap.ts';

interface Pending {
  readonly due: number;
  readonly order: number;
  readonly fn: () => void;
  cancelled: boolean;
}

/** Cancelled timers that are kept at most, beside as many as there are live ones. */
const MAX_STALE = 64;

/** Time that stands still until `advance` moves it. */
export class VirtualClock implements Clock {
  #elapsed: number;
  /** By how much the wall clock was stepped, all in all. */
  #steppedMs = 0;
  #order = 0;
  /** A cancelled timer stays until its turn comes, or until there are many of them. */
  readonly #pending = new Heap<Pending>(
    (a, b) => a.due < b.due || (a.due === b.due && a.order < b.order),
  );
  #live = 0;

  /** `startMs`: the wall time it begins at; 2026-01-01T00:00:00Z unless given. */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#elapsed = startMs;
  }

  now(): number {
    return this.#elapsed + this.#steppedMs;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  /** Steps the wall clock alone, forward or (with less than 0) back, as an operator or NTP does. No timer minds. */
  stepWall(ms: number): void {
    this.#steppedMs += ms;
  }

  timer(ms: number, fn: () => void): Timer {
    const due = this.#elapsed + Math.max(0, ms);
    const pending = { due, order: this.#order++, fn, cancelled: false };
    this.#pending.push(pending);
    this.#live++;
    return { cancel: () => this.#cancel(pending) };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }

  /** How many timers wait. */
  get pendingTimers(): number {
    return this.#live;
  }

  /** When the next timer fires, as `monotonic()` will show it; undefined where none waits. */
  get nextDue(): number | undefined {
    return this.#next()?.due;
  }

  /** Moves time on by `ms`, firing what falls due, and waits before and after each firing until nothing is left to do (`settled`). */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await stillness();
    for (let next = this.#next(); next && next.due <= end; next = this.#next()) {
      this.#pending.pop();
      next.cancelled = true;
      this.#live--;
      this.#elapsed = Math.max(this.#elapsed, next.due);
      next.fn();
      await stillness();
    }
    this.#elapsed = Math.max(this.#elapsed, end);
  }

  /** Resolves when nothing is left to do at this moment in this process, but for what waits for the world outside (breathe.ts). */
  settled(): Promise<void> {
    return stillness();
  }

  #cancel(pending: Pending): void {
    if (pending.cancelled) return;
    pending.cancelled = true;
    this.#live--;
    if (this.#pending.size > 2 * this.#live + MAX_STALE)
      this.#pending.retain(({ cancelled }) => !cancelled);
  }

  #next(): Pending | undefined {
    while (this.#pending.first?.cancelled) this.#pending.pop();
    return this.#pending.first;
  }
}
