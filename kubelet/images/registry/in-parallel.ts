// Works through a list, a bounded number of items at once.
// Invariant: when it settles, no work of it goes on: the first failure ends what began, and that is waited for.

/** Resolves when all is done; rejects with the first failure. The work's signal aborts with the given one, and after a failure. */
export async function inParallel<T>(
  items: readonly T[],
  { limit, signal }: { limit: number; signal: AbortSignal },
  work: (item: T, index: number, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  let next = 0;
  const ending = new AbortController();
  const either = AbortSignal.any([signal, ending.signal]);
  const worker = async () => {
    while (next < items.length && !either.aborted) {
      const index = next++;
      await work(items[index] as T, index, either).catch((error: unknown) => ending.abort(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  either.throwIfAborted();
}
