// Which entries of a list repeat an earlier one.
// Invariant: pure, and linear in the list: lists of a request may have hundreds of thousands of entries.

/** The indexes of values that stand in the list before. */
export function repeats(values: readonly unknown[]): ReadonlySet<number> {
  const seen = new Set<unknown>();
  const found = new Set<number>();
  values.forEach((value, i) => {
    if (seen.has(value)) found.add(i);
    seen.add(value);
  });
  return found;
}
