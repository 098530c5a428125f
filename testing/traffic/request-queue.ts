// Requests in a queue before a service, as a fluid: what is served, what waits and what is given up, second by second. Pure.
// Invariant: every request that came was served, was lost, or waits; none waits longer than its patience.

/** What became of the requests of one second. */
export interface ServedSecond {
  readonly served: number;
  /** Of those served, how many had waited for a second at least. */
  readonly delayed: number;
  /** Given up after they had waited as long as they would. */
  readonly lost: number;
  /** Seconds that those served had waited, summed up. */
  readonly waitedSeconds: number;
  /** The longest that one of those served had waited. */
  readonly longestSeconds: number;
}

interface Cohort {
  /** The second in which they came. */
  readonly at: number;
  count: number;
}

/** First come, first served. */
export class RequestQueue {
  readonly #patienceSeconds: number;
  /** At most one for each second of patience. */
  #waiting: Cohort[] = [];

  /** `patienceSeconds`: how long a request waits before it is lost; whole, at least 0. */
  constructor(patienceSeconds: number) {
    this.#patienceSeconds = patienceSeconds;
  }

  /** How many wait. */
  get length(): number {
    return this.#waiting.reduce((sum, { count }) => sum + count, 0);
  }

  /** One second: so many come, so many can be served. */
  pass(second: number, { arrive, capacity }: { arrive: number; capacity: number }): ServedSecond {
    this.#waiting.push({ at: second, count: arrive });
    let left = capacity;
    let [served, delayed, lost, waitedSeconds, longestSeconds] = [0, 0, 0, 0, 0];
    for (const cohort of this.#waiting) {
      const now = Math.min(cohort.count, left);
      const waited = second - cohort.at;
      cohort.count -= now;
      left -= now;
      served += now;
      if (waited > 0) delayed += now;
      waitedSeconds += waited * now;
      if (now > 0) longestSeconds = Math.max(longestSeconds, waited);
      if (waited < this.#patienceSeconds) continue;
      lost += cohort.count;
      cohort.count = 0;
    }
    this.#waiting = this.#waiting.filter(({ count }) => count > 0);
    return { served, delayed, lost, waitedSeconds, longestSeconds };
  }
}
