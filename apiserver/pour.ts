// Reading a long answer without a promise for each of its items: a thousand watchers would wait on four for every event.
// Invariants: items come in order, each once, and none while the sink is still busy with the one before; the source is let go of on
// every way out.
import type { MaybePromise } from '../api/definition.ts';

/** Takes an item; false: no more is wanted. A promise keeps the next one back. Must neither throw nor reject. */
export type Sink<T> = (item: T) => MaybePromise<boolean>;

/** Items whose source can hand them on in the very turn in which they come. */
export interface Pourable<T> extends AsyncIterable<T> {
  /** In place of iterating, once. Resolves at the end, or when the sink wants no more; rejects where iterating would. */
  pour(sink: Sink<T>): Promise<void>;
}

/** Hands each item to the sink, by the shortest way that the items know. */
export async function pour<T>(items: AsyncIterable<T>, sink: Sink<T>): Promise<void> {
  if (isPourable(items)) return items.pour(sink);
  for await (const item of items) if (!(await sink(item))) return;
}

function isPourable<T>(items: AsyncIterable<T>): items is Pourable<T> {
  return 'pour' in items;
}
