// Gives a reply up that says nothing for too long: half of its connection may be gone, and no FIN will ever tell.
// Invariant: hearing costs a look at the clock; one timer at a time, armed anew only when it fires.
import type { Clock, Timer } from '../../base/clock.ts';
import { ConnectionError } from './connection-error.ts';

/** Listens to one reply, from its making until `stop`. */
export class SilenceLimit {
  readonly #limitMs: number;
  readonly #giveUp: (error: ConnectionError) => void;
  readonly #clock: Clock;
  #lastHeard: number;
  #timer: Timer | undefined;

  /** `giveUp` is called once nothing was heard for `limitMs`; never where that is 0. */
  constructor(clock: Clock, limitMs: number, giveUp: (error: ConnectionError) => void) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#giveUp = giveUp;
    this.#lastHeard = clock.monotonic();
    if (limitMs > 0) this.#arm(limitMs);
  }

  heard(): void {
    this.#lastHeard = this.#clock.monotonic();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #arm(ms: number): void {
    this.#timer = this.#clock.timer(ms, () => {
      const left = this.#lastHeard + this.#limitMs - this.#clock.monotonic();
      if (left > 0) this.#arm(left);
      else this.#giveUp(new ConnectionError('silent', `nothing came for ${this.#limitMs} ms`));
    });
  }
}
