// Watches over one reconcile at a time: warns while it does not end, and aborts it when its time is up.
// Invariant: costs one timer, cancelled as soon as the reconcile has ended.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';

/** A reconcile that runs so long is told of; again after twice the time, and so on. */
export const SLOW_RECONCILE_MS = 60_000;

/** What a reconcile is watched with. */
export interface OverseerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The controller's own end. */
  readonly signal: AbortSignal;
  readonly timeoutMs?: number | undefined;
}

/** A reconcile that is being watched. */
export interface Overseen {
  /** The controller's, or one that also aborts when the time is up. */
  readonly signal: AbortSignal;
  /** Is the time up? */
  readonly timedOut: boolean;
  /** The reconcile has ended. */
  end(): void;
}

/** Thrown at a reconcile whose time is up, as its signal's reason. */
export class ReconcileTimeout extends Error {
  override readonly name = 'ReconcileTimeout';
}

/** Begins to watch. */
export function oversee(options: OverseerOptions): Overseen {
  const warning = warnLater(options, SLOW_RECONCILE_MS);
  if (options.timeoutMs === undefined)
    return { signal: options.signal, timedOut: false, end: warning };
  const deadline = new Deadline(options, options.timeoutMs);
  return {
    signal: deadline.signal,
    get timedOut() {
      return deadline.passed;
    },
    end() {
      warning();
      deadline.end();
    },
  };
}

class Deadline {
  passed = false;
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #timer: Timer;
  readonly #onAbort = () => this.#controller.abort(this.#outer.reason);

  constructor({ clock, signal }: OverseerOptions, ms: number) {
    this.#outer = signal;
    if (signal.aborted) this.#onAbort();
    signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#timer = clock.timer(ms, () => {
      this.passed = true;
      this.#controller.abort(new ReconcileTimeout(`the reconcile took more than ${ms} ms`));
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  end(): void {
    this.#timer.cancel();
    this.#outer.removeEventListener('abort', this.#onAbort);
  }
}

/** Warns after `ms`, and then each time that as long again has passed; answers the way to leave it. */
function warnLater({ clock, logger, timeoutMs }: OverseerOptions, ms: number): () => void {
  let timer: Timer;
  const arm = (left: number, after: number) => {
    timer = clock.timer(left, () => {
      const fix =
        timeoutMs === undefined
          ? "give the controller a timeoutMs, and the context's signal to what it waits for"
          : "give the context's signal to what it waits for";
      logger.warn('a reconcile does not end', { runningMs: after, fix });
      arm(after, 2 * after);
    });
  };
  arm(ms, ms);
  return () => timer.cancel();
}
