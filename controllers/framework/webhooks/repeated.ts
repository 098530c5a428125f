// One piece of work that is done again when something happens, when its own time comes, and (with growing pauses) when it failed.
// Invariant: it never runs twice at once, and has ended when runRepeatedly resolves.
import type { BackoffOptions } from '../../../base/backoff.ts';
import type { Clock } from '../../../base/clock.ts';
import { RateLimitedQueue } from '../../../client/workqueue/rate-limited.ts';

/** The pause after a failure: it doubles, up to half a minute. */
const BACKOFF: BackoffOptions = { initialMs: 50, maxMs: 30_000 };

/** When it is done again. */
export interface Repetition {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called once with the way to have it done again soon. */
  readonly wakes: (wake: () => void) => void;
  readonly onFailure: (error: unknown, retryInMs: number) => void;
  /** Which failures no time mends: runRepeatedly rejects with them. */
  readonly isFinal?: (error: unknown) => boolean;
}

/** Does the work at once and then again and again until the signal aborts; `work` answers after how many ms. */
export async function runRepeatedly(
  work: () => Promise<number>,
  { clock, signal, wakes, onFailure, isFinal }: Repetition,
): Promise<void> {
  const queue = new RateLimitedQueue({ clock, backoff: BACKOFF });
  const key = 'work';
  const close = () => queue.close();
  signal.addEventListener('abort', close, { once: true });
  if (signal.aborted) close();
  wakes(() => void queue.add(key));
  queue.add(key);
  while ((await queue.take()) !== undefined) {
    try {
      const ms = await work();
      queue.forget(key);
      queue.addAfter(key, ms);
    } catch (error) {
      if (!signal.aborted && isFinal?.(error)) {
        queue.close();
        throw error;
      }
      if (!signal.aborted) onFailure(error, queue.addRateLimited(key));
    } finally {
      queue.finish(key);
    }
  }
  signal.removeEventListener('abort', close);
}
