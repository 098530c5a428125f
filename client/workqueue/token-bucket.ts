// A token bucket whose tokens may be had in advance: whoever takes one that is not there yet is told how long to wait.
// Invariant: over any stretch of time no more waits end than `burst` and what was filled in meanwhile.

/** How fast it fills and how much it holds. */
export interface BucketOptions {
  readonly perSecond: number;
  readonly burst: number;
}

/** Tokens that come at a steady pace. */
export class TokenBucket {
  readonly #options: BucketOptions;
  /** Below nothing: tokens that are promised already. */
  #tokens: number;
  #atMs = 0;

  constructor(options: BucketOptions) {
    this.#options = options;
    this.#tokens = options.burst;
  }

  /** Takes a token; answers after how many milliseconds it is there. `nowMs` never goes backwards. */
  reserve(nowMs: number): number {
    const { perSecond, burst } = this.#options;
    const filled = this.#tokens + ((nowMs - this.#atMs) / 1000) * perSecond;
    this.#tokens = Math.min(burst, filled) - 1;
    this.#atMs = nowMs;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / perSecond) * 1000;
  }
}
