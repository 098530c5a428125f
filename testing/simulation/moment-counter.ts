// Counts what each does at one virtual moment.
// Invariant: a count begins anew as soon as time has passed.
/** Counters that only mean the present moment. */
export class MomentCounter {
  readonly #now: () => number;
  #moment = Number.NaN;
  readonly #counts = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** One more; answers how many there are by now at this moment. */
  count(who: string): number {
    const now = this.#now();
    if (now !== this.#moment) {
      this.#moment = now;
      this.#counts.clear();
    }
    const count = (this.#counts.get(who) ?? 0) + 1;
    this.#counts.set(who, count);
    return count;
  }
}
