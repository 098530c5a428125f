// Pulls under way: who asks for the same image with the same credentials waits for the one that is there.
// Invariants: a pull goes on as long as somebody waits for it, and is given up with the last; never more at once than the slots allow.
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Slots } from '../../base/slots.ts';
import type { ImageInfo, ImageStore, PullProgress, PullRequest } from '../runtime/runtime.ts';

/** How often a pull that takes long is told of in the log. */
export const PROGRESS_LOG_MS = 10_000;

/** What came of a pull. */
export interface Pulled {
  readonly image: ImageInfo;
  /** How long it took by itself, without the wait for its turn. */
  readonly pullMs: number;
}

interface Flight {
  readonly ended: Promise<Pulled>;
  readonly giveUp: AbortController;
  waiting: number;
}

/** What flights need. */
export interface FlightParts {
  readonly images: ImageStore;
  readonly slots: Slots;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** All pulls of one node. */
export class PullFlights {
  readonly #parts: FlightParts;
  readonly #flights = new Map<string, Flight>();

  constructor(parts: FlightParts) {
    this.#parts = parts;
  }

  /** How many are under way or wait for their turn. */
  get size(): number {
    return this.#flights.size;
  }

  /**
   * Pulls, or joins the pull under `key`. Undefined where the store has nowhere to pull from. Rejects with PullError, and with
   * the signal's reason when aborted.
   */
  join(key: string, image: string, request: PullRequest): Promise<Pulled> | undefined {
    if (!this.#parts.images.pull) return undefined;
    const flight = this.#flights.get(key) ?? this.#begin(key, image, request);
    return waitOn(flight, request.signal);
  }

  #begin(key: string, image: string, request: PullRequest): Flight {
    const giveUp = new AbortController();
    const ended = this.#parts.slots.run(
      () => this.#pull(image, { ...request, signal: giveUp.signal }),
      giveUp.signal,
    );
    const flight: Flight = { ended, giveUp, waiting: 0 };
    this.#flights.set(key, flight);
    const over = () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    ended.then(over, over);
    // Who comes after all have left begins anew.
    giveUp.signal.addEventListener('abort', over, { once: true });
    return flight;
  }

  async #pull(image: string, request: PullRequest): Promise<Pulled> {
    const { images, clock, logger } = this.#parts;
    const begun = clock.monotonic();
    let toldAt = begun;
    const onProgress = (progress: PullProgress) => {
      if (clock.monotonic() - toldAt < PROGRESS_LOG_MS) return;
      toldAt = clock.monotonic();
      logger.info('an image is being pulled', { ...progress });
    };
    const pulling = images.pull?.(image, { ...request, onProgress });
    if (!pulling) throw new NoRegistry();
    return { image: await pulling, pullMs: clock.monotonic() - begun };
  }
}

/** The store has nowhere to pull the image from. */
export class NoRegistry extends Error {
  override readonly name = 'NoRegistry';
}

async function waitOn(flight: Flight, signal: AbortSignal): Promise<Pulled> {
  const left = Promise.withResolvers<never>();
  const leave = () => left.reject(signal.reason);
  flight.waiting += 1;
  try {
    signal.throwIfAborted();
    signal.addEventListener('abort', leave, { once: true });
    return await Promise.race([flight.ended, left.promise]);
  } finally {
    signal.removeEventListener('abort', leave);
    flight.waiting -= 1;
    if (flight.waiting === 0) flight.giveUp.abort(signal.reason);
  }
}
