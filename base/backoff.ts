// Exponential backoff as arithmetic: no timers here, callers wait on their own clock.
import type { Random } from './random.ts';

/** How delays grow. Times are milliseconds. */
export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  /** Growth per failure; 2 unless given. */
  readonly factor?: number;
  /** Share of the delay that is random, 0 to 1; 0 unless given. */
  readonly jitter?: number;
}

/** The delay before retry number `attempt` (0 is the first retry). Never above maxMs × (1 + jitter). */
export function backoffDelay(attempt: number, options: BackoffOptions, random?: Random): number {
  const factor = options.factor ?? 2;
  const bare = Math.min(options.maxMs, options.initialMs * factor ** Math.min(attempt, 64));
  return random && options.jitter ? bare * (1 + options.jitter * random.next()) : bare;
}
