// Counts what is done again and again within a second of virtual time.
// Invariant: counts begin anew with each second, so that nothing grows with the length of a run.

const WINDOW_MS = 1000;

/** Counters of the present second. */
export class RateCounter {
  readonly #now: () => number;
  #window = Number.NaN;
  readonly #counts = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** One more; answers how many there are by now in this second. */
  count(what: string): number {
    const window = Math.floor(this.#now() / WINDOW_MS);
    if (window !== this.#window) {
      this.#window = window;
      this.#counts.clear();
    }
    const count = (this.#counts.get(what) ?? 0) + 1;
    this.#counts.set(what, count);
    return count;
  }
}
