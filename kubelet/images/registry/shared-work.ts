// Work that several want at once is done once: who comes while it goes on waits for it.
// Invariants: it goes on as long as somebody waits, whoever began it, and is given up with the last; work that failed is begun anew.

interface Flight<T> {
  readonly done: Promise<T>;
  readonly giveUp: AbortController;
  waiting: number;
}

/** Work by key. */
export class SharedWork<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /** How many pieces of work go on. */
  get size(): number {
    return this.#flights.size;
  }

  /** Begins the work, or joins it. Rejects with the signal's reason when that aborts, and as the work does. */
  async join(
    key: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    const flight = this.#flights.get(key) ?? this.#begin(key, work);
    flight.waiting++;
    let onAbort: (() => void) | undefined;
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([flight.done, aborted]);
    } finally {
      if (onAbort) signal.removeEventListener('abort', onAbort);
      if (--flight.waiting === 0) await this.#leave(key, flight, signal);
    }
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const giveUp = new AbortController();
    const flight: Flight<T> = { done: work(giveUp.signal), giveUp, waiting: 0 };
    this.#flights.set(key, flight);
    const over = () => this.#drop(key, flight);
    flight.done.then(over, over);
    return flight;
  }

  /** The last leaves. What it gives up is over, and has cleaned up, before it hears of it. */
  async #leave(key: string, flight: Flight<T>, signal: AbortSignal): Promise<void> {
    this.#drop(key, flight);
    if (!signal.aborted) return;
    flight.giveUp.abort(signal.reason);
    await flight.done.catch(() => undefined);
  }

  #drop(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
