// So many pulls at once as the node is told, the others after one another in the order in which they were asked for.
// Invariant: a slot is given back whatever became of the pull; who gives up while waiting leaves the line at once.

/** How many may run at once; undefined for as many as are asked for. */
export type PullLimit = number | undefined;

/** The slots of one node. */
export class PullSlots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: PullLimit) {
    this.#free = limit ?? Infinity;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs the task when a slot is free. Rejects with the signal's reason when aborted before. */
  async run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn(signal);
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      // Handed on, not freed, so that nobody can slip in between.
      if (next) next();
      else this.#free += 1;
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1);
        reject(signal.reason);
      };
      this.#waiting.push(begin);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}
