// A map of limited size that forgets what was not asked for for longest.
// Invariant: never holds more than `limit` entries; the one set or read last is the last to go.

/** Entries by key; reading and setting cost O(1). */
export class RecentMap<K, V> {
  readonly #limit: number;
  readonly #entries = new Map<K, V>();

  /** `limit`: the largest number of entries, at least 1. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many entries there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** The entry, which by this is the most recent one. */
  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) this.#place(key, value);
    return value;
  }

  /** Keeps an entry; where there is no room, the one that was not asked for for longest goes. */
  set(key: K, value: V): void {
    this.#place(key, value);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#limit) this.#entries.delete(oldest as K);
  }

  #place(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
  }
}
