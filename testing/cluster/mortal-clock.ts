// The clock of one program: the cluster's time, until the program dies.
// Invariant: after `die` no timer of the program fires and no sleep of it ends; what the cluster's clock held for it is let go.
import type { Clock, Timer } from '../../base/clock.ts';

/** A Clock that can be taken away from whoever has it. */
export class MortalClock implements Clock {
  readonly #inner: Clock;
  readonly #pending = new Set<() => void>();
  #dead = false;

  constructor(inner: Clock) {
    this.#inner = inner;
  }

  now(): number {
    return this.#inner.now();
  }

  monotonic(): number {
    return this.#inner.monotonic();
  }

  timer(ms: number, fn: () => void): Timer {
    if (this.#dead) return { cancel: () => undefined };
    const timer = this.#inner.timer(ms, () => {
      this.#pending.delete(cancel);
      fn();
    });
    const cancel = () => {
      this.#pending.delete(cancel);
      timer.cancel();
    };
    this.#pending.add(cancel);
    return { cancel };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (this.#dead) return new Promise(() => undefined);
    const end = new AbortController();
    const onAbort = () => end.abort(signal?.reason);
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    const cancel = () => end.abort(new Error('the program has died'));
    this.#pending.add(cancel);
    const over = () => {
      this.#pending.delete(cancel);
      signal?.removeEventListener('abort', onAbort);
      return this.#dead;
    };
    return new Promise((resolve, reject) => {
      this.#inner.sleep(ms, end.signal).then(
        () => void (over() || resolve()),
        (error: Error) => void (over() || reject(error)),
      );
    });
  }

  /** Lets go of every timer and sleep, for good. */
  die(): void {
    this.#dead = true;
    for (const cancel of this.#pending) cancel();
    this.#pending.clear();
  }
}
