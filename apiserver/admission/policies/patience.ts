// Lets others come in between while many policies are asked about one write.
// Invariant: expressions run on the event loop's own thread, so that however many there are, a turn of it ends soon after
// MAX_TURN_MS; one expression alone is bounded by its cost.
import { breathe } from '../../../base/breathe.ts';
import type { Clock } from '../../../base/clock.ts';

/** How long policies hold the event loop before others come in between. */
export const MAX_TURN_MS = 10;

/** The patience of others with one write. */
export class Patience {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #since: number;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
    this.#since = clock.monotonic();
  }

  /** Is it over? Then `rest` is to be waited for. */
  get isOver(): boolean {
    return this.#clock.monotonic() - this.#since > MAX_TURN_MS;
  }

  /** Resolves in a later turn. */
  async rest(): Promise<void> {
    await breathe();
    this.#since = this.#clock.monotonic();
  }
}
