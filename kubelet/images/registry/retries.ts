// Tries again what may be tried again: after a wait that grows, or the one that the registry asked for.
// Invariant: never more often than the patience allows, and not once the signal aborts.
import { backoffDelay } from '../../../base/backoff.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Random } from '../../../base/random.ts';
import type { RegistryPatience } from './exchange.ts';
import { RegistryError } from './registry-error.ts';

const JITTER = 0.3;

/** What waiting needs. */
export interface RetryDoors {
  readonly clock: Clock;
  readonly random: Random;
  readonly patience: RegistryPatience;
}

/** Does it until it succeeds, fails for good, or has been tried often enough. */
export async function withRetries<T>(
  doors: RetryDoors,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const passing = error instanceof RegistryError && error.passing;
      if (!passing || attempt + 1 >= doors.patience.attempts) throw error;
      await waitBefore(doors, { attempt, error, signal });
    }
  }
}

/** Waits before another try. */
export async function waitBefore(
  { clock, random, patience }: RetryDoors,
  failed: { attempt: number; error: RegistryError; signal: AbortSignal | undefined },
): Promise<void> {
  const { retryInitialMs: initialMs, retryMaxMs: maxMs } = patience;
  const own = backoffDelay(failed.attempt, { initialMs, maxMs, jitter: JITTER }, random);
  const asked = failed.error.retryAfterMs;
  await clock.sleep(asked === undefined ? own : Math.min(asked, maxMs), failed.signal);
}
