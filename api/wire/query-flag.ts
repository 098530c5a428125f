// Flags in a query, as clients of all languages write them: `watch=true`, `stdout=True`, `follow=1`, `watch`.
// Invariant: a flag that is there is set, unless its value is `false` (in any case) or `0`, as upstream takes it.

/** Is the flag set? `null` for one that is not there, as URLSearchParams gives it. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}
