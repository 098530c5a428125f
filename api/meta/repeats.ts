// Which entries of a list repeat an earlier one.
// Invariant: pure, and linear in the list: lists of a request may have hundreds of thousands of entries.

const NONE: ReadonlySet<number> = new Set();

/** The indexes of values that stand in the list before. */
export function repeats(values: readonly unknown[]): ReadonlySet<number> {
  if (values.length < 2) return NONE;
  const seen = new Set<unknown>();
  const found = new Set<number>();
  values.forEach((value, i) => {
    if (seen.has(value)) found.add(i);
    seen.add(value);
  });
  return found;
}
