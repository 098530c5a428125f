// Keeps one unruly object from flooding the cluster with events: a token bucket per object and teller.
// Invariant: the number of buckets is bounded; the one longest unused is forgotten (and so is full again).

/** Events about one object that may come at once, and how often one more may: upstream's figures. */
export const SPAM_LIMIT = { burst: 25, refillMs: 5 * 60_000 };
/** Buckets kept at most. */
export const MAX_SPAM_BUCKETS = 4096;

interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

/** Says which events are too many. */
export class SpamFilter {
  readonly #buckets = new Map<string, Bucket>();

  /** Takes a token of the bucket; false when it is empty. `nowMs` never goes backwards. */
  admits(bucket: string, nowMs: number): boolean {
    const known = this.#buckets.get(bucket) ?? { tokens: SPAM_LIMIT.burst, atMs: nowMs };
    const refilled = known.tokens + (nowMs - known.atMs) / SPAM_LIMIT.refillMs;
    const tokens = Math.min(SPAM_LIMIT.burst, refilled);
    const admitted = tokens >= 1;
    this.#buckets.delete(bucket);
    this.#buckets.set(bucket, { tokens: admitted ? tokens - 1 : tokens, atMs: nowMs });
    const oldest = this.#buckets.keys().next().value;
    if (this.#buckets.size > MAX_SPAM_BUCKETS && oldest !== undefined) this.#buckets.delete(oldest);
    return admitted;
  }
}
