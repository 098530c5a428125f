// A Clock that moves only when told: for tests and simulation.
// Invariant: timers fire in order of due time, then of creation, each seeing `monotonic()` equal to its due time.
import type { Clock, Timer } from './clock.ts';
import { sleepOn } from './clock.ts';

interface Pending {
  readonly due: number;
  readonly order: number;
  readonly fn: () => void;
}

/** Time that stands still until `advance` moves it. */
export class VirtualClock implements Clock {
  #elapsed: number;
  /** By how much the wall clock was stepped, all in all. */
  #steppedMs = 0;
  #order = 0;
  readonly #pending = new Set<Pending>();

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
    const pending = { due: this.#elapsed + Math.max(0, ms), order: this.#order++, fn };
    this.#pending.add(pending);
    return { cancel: () => this.#pending.delete(pending) };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }

  /** How many timers wait. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** Moves time on by `ms`, firing what falls due, and lets promises settle between firings. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await settle();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#pending.delete(next);
      this.#elapsed = Math.max(this.#elapsed, next.due);
      next.fn();
      await settle();
    }
    this.#elapsed = end;
    await settle();
  }

  /** Resolves when nothing is left to do at this moment. */
  settled(): Promise<void> {
    return settle();
  }

  #next(end: number): Pending | undefined {
    let first: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.due > end) continue;
      if (
        !first ||
        pending.due < first.due ||
        (pending.due === first.due && pending.order < first.order)
      )
        first = pending;
    }
    return first;
  }
}

/** Waits until microtasks and immediates queued so far have run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
