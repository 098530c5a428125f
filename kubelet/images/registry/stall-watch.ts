// Gives up on what says nothing for too long. One timer, however often something is heard.
// Invariant: `onStall` is called at most once, never before `ms` have passed since something was heard, and not after `stop`.
import type { Clock, Timer } from '../../../base/clock.ts';

/** Watches one exchange. */
export class StallWatch {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #onStall: () => void;
  #heardAt: number;
  #timer: Timer | undefined;

  constructor(clock: Clock, ms: number, onStall: () => void) {
    this.#clock = clock;
    this.#ms = ms;
    this.#onStall = onStall;
    this.#heardAt = clock.monotonic();
    this.#arm(ms);
  }

  /** Something was heard. */
  heard(): void {
    this.#heardAt = this.#clock.monotonic();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(ms: number): void {
    this.#timer = this.#clock.timer(ms, () => {
      const left = this.#heardAt + this.#ms - this.#clock.monotonic();
      if (left > 0) this.#arm(left);
      else this.#onStall();
    });
  }
}
