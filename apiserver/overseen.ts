// The items of a long answer, for who counts them or waits for their end.
// Invariants: the end is told once, by whatever way it comes; nothing is read ahead. No generator stands between, and several who
// oversee stand in one place: each item of each watcher would wait on each of them.
import { type Pourable, pour, type Sink } from './pour.ts';

/** What is to be told. */
export interface Oversight<T> {
  /** Reading begins; must not throw. */
  readonly begin?: () => void;
  /** Each item, before its reader has it; must not throw. */
  readonly item?: (item: T) => void;
  /** The last item was read, reading failed, or the reader left; must not throw. */
  readonly end: () => void;
}

/** The same items. */
export function overseen<T>(items: AsyncIterable<T>, oversight: Oversight<T>): Pourable<T> {
  return items instanceof Overseen
    ? new Overseen(items.items as AsyncIterable<T>, [...items.oversights, oversight])
    : new Overseen(items, [oversight]);
}

class Overseen<T> implements Pourable<T> {
  readonly items: AsyncIterable<T>;
  readonly oversights: readonly Oversight<T>[];

  constructor(items: AsyncIterable<T>, oversights: readonly Oversight<T>[]) {
    this.items = items;
    this.oversights = oversights;
  }

  async pour(sink: Sink<T>): Promise<void> {
    const { oversights } = this;
    for (const { begin } of oversights) begin?.();
    try {
      await pour(this.items, (item) => {
        for (const oversight of oversights) oversight.item?.(item);
        return sink(item);
      });
    } finally {
      for (const { end } of oversights) end();
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    const { oversights } = this;
    const inner = this.items[Symbol.asyncIterator]();
    for (const { begin } of oversights) begin?.();
    let open = true;
    const ended = () => {
      if (open) for (const { end } of oversights) end();
      open = false;
    };
    const look = (result: IteratorResult<T>) => {
      if (result.done) ended();
      else for (const { item } of oversights) item?.(result.value);
      return result;
    };
    const fail = (error: unknown): never => {
      ended();
      throw error;
    };
    return {
      next: () => inner.next().then(look, fail),
      async return() {
        ended();
        return (await inner.return?.()) ?? { done: true as const, value: undefined };
      },
    };
  }
}
