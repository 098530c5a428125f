// A work queue that remembers how often each key failed and lets it wait accordingly.
// Invariant: a key's wait doubles with each failure in a row up to the ceiling, and starts anew once forgotten.
import { backoffDelay } from '../../base/backoff.ts';
import type { BackoffOptions } from '../../base/backoff.ts';
import { DelayingQueue } from './delaying.ts';
import type { QueueOptions } from './queue.ts';
import type { QueueObserver } from './queue-observer.ts';

/** The wait of a key that fails: 5 ms, doubling, 1000 s at most, as upstream's controllers have it. */
export const KEY_BACKOFF: BackoffOptions = { initialMs: 5, maxMs: 1_000_000 };

/** A DelayingQueue with retries. */
export class RateLimitedQueue extends DelayingQueue {
  readonly #failures = new Map<string, number>();
  readonly #backoff: BackoffOptions;
  readonly #watcher: QueueObserver | undefined;

  constructor(options: QueueOptions & { readonly backoff?: BackoffOptions }) {
    super(options);
    this.#backoff = options.backoff ?? KEY_BACKOFF;
    this.#watcher = options.observer;
  }

  /** Adds the key after its own wait, which grows each time; answers that wait in milliseconds. */
  addRateLimited(key: string): number {
    const failures = this.failures(key);
    this.#failures.set(key, failures + 1);
    const ms = backoffDelay(failures, this.#backoff);
    this.#watcher?.retried();
    this.addAfter(key, ms);
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
