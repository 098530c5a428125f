// A work queue that remembers how often each key failed and lets it wait accordingly, and all that fail together share a pace.
// Invariant: a key's wait doubles with each failure in a row up to the ceiling, and starts anew once forgotten; a storm of
// failures comes again at the pace of the bucket, and no key of it later than the ceiling.
import { backoffDelay } from '../../base/backoff.ts';
import type { BackoffOptions } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import { DelayingQueue } from './delaying.ts';
import type { Lane, QueueOptions } from './queue.ts';
import type { QueueObserver } from './queue-observer.ts';
import { type BucketOptions, TokenBucket } from './token-bucket.ts';

/** The wait of a key that fails: 5 ms, doubling, 1000 s at most, as upstream's controllers have it. */
export const KEY_BACKOFF: BackoffOptions = { initialMs: 5, maxMs: 1_000_000 };
/** The pace of all retries of a queue together: 100 at once, then 10 each second, as upstream's controllers have it. */
export const RETRY_BUCKET: BucketOptions = { perSecond: 10, burst: 100 };

/** How a key comes again. */
export interface RetryOptions {
  readonly lane?: Lane;
  /** Not counted against the pace of all: for what is known to go better at once, such as a conflict. */
  readonly free?: boolean;
}

/** A DelayingQueue with retries. */
export class RateLimitedQueue extends DelayingQueue {
  readonly #failures = new Map<string, number>();
  readonly #backoff: BackoffOptions;
  readonly #bucket = new TokenBucket(RETRY_BUCKET);
  readonly #time: Clock;
  readonly #watcher: QueueObserver | undefined;

  constructor(options: QueueOptions & { readonly backoff?: BackoffOptions }) {
    super(options);
    this.#backoff = options.backoff ?? KEY_BACKOFF;
    this.#time = options.clock;
    this.#watcher = options.observer;
  }

  /** Adds the key after its own wait, which grows each time, or its turn among all; answers the wait in milliseconds. */
  addRateLimited(key: string, { lane = 'change', free = false }: RetryOptions = {}): number {
    const failures = this.failures(key);
    this.#failures.set(key, failures + 1);
    const own = backoffDelay(failures, this.#backoff);
    const turn = free ? 0 : this.#bucket.reserve(this.#time.monotonic());
    const ms = Math.max(own, Math.min(turn, this.#backoff.maxMs));
    this.#watcher?.retried();
    this.addAfter(key, ms, lane);
    return ms;
  }

  /** The key is well again: its next wait is the shortest one. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** How often the key failed in a row. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  override close(): void {
    this.#failures.clear();
    super.close();
  }
}
