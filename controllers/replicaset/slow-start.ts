// Calls in batches that double while all goes well, so that what cannot work is tried a few times and not hundreds.
// Invariant: after a batch with a failure no further call is made.

/** How many calls were made well, how many never made, and the first failure. */
export interface BatchOutcome {
  readonly succeeded: number;
  readonly skipped: number;
  readonly failure: { readonly error: unknown } | undefined;
}

/** Makes `count` calls, 1 at first, then 2, 4, … at once. Never rejects. */
export async function slowStart(count: number, call: () => Promise<void>): Promise<BatchOutcome> {
  let succeeded = 0;
  let left = count;
  for (let size = 1; left > 0; size *= 2) {
    const batch = Math.min(size, left);
    const results = await Promise.allSettled(Array.from({ length: batch }, call));
    left -= batch;
    const failed = results.filter((result) => result.status === 'rejected');
    succeeded += batch - failed.length;
    const [first] = failed;
    if (first) return { succeeded, skipped: left, failure: { error: first.reason } };
  }
  return { succeeded, skipped: 0, failure: undefined };
}
