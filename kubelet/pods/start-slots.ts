// A few slots for work that only gets slower when more of it runs at once. First come, first served.

/** Lets at most so many tasks run at once. */
export class StartSlots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(slots: number) {
    this.#free = slots;
  }

  /** Runs the task when a slot is free. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      // The slot is handed on, not freed, so that nobody can slip in between.
      if (next) next();
      else this.#free += 1;
    }
  }
}
