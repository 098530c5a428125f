// Turns: work on one key is done one after the other, work on others at the same time.
// Invariant: work that fails holds nobody up; a key that nobody waits for takes no room.

/** Orders work by key. What waits is bounded by whoever asks. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Does the work once all that was asked for before on this key is over; answers what it answers. */
  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === mine) this.#last.delete(key);
    }
  }

  /** How many keys are being worked on. */
  get size(): number {
    return this.#last.size;
  }
}
