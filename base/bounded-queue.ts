// A first-in first-out queue between one producer side and one async reader, with a named limit.
// Invariant: never holds more than `limit` items; what happens past it is the pusher's decision.

/** Items in order of arrival; `push` says when the limit is reached, the reader waits with `next`. */
export class BoundedQueue<T> {
  readonly #limit: number;
  #items: T[] = [];
  #head = 0;
  #wake: (() => void) | undefined;
  #closed = false;

  /** `limit`: the largest number of items held, at least 1. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many items wait. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Adds an item; false (and nothing is added) when full or closed. */
  push(item: T): boolean {
    if (this.#closed || this.size >= this.#limit) return false;
    this.#items.push(item);
    this.#wake?.();
    return true;
  }

  /** The next item, waiting for one; undefined once closed and empty. One waiter at a time. */
  async next(): Promise<T | undefined> {
    while (this.size === 0) {
      if (this.#closed) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    return this.#shift();
  }

  /** Everything that waits now, at once. */
  drain(): T[] {
    const items = this.#head === 0 ? this.#items : this.#items.slice(this.#head);
    this.#items = [];
    this.#head = 0;
    return items;
  }

  /** No more pushes; the reader gets what is left, then undefined. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  #shift(): T {
    const item = this.#items[this.#head++] as T;
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
