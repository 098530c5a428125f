// Whether an object already is what an apply would say: for controllers that put drift right without a request for each look.
// Invariant: pure. Where it says yes, applying `wanted` changes nothing but what was applied before and is left out now.

/**
 * Does `live` have everything that `wanted` says? Fields of `live` that `wanted` does not name may be anything; lists have to be
 * equally long, item by item. What the server writes in another form than it was given (defaults of items, quantities) is no
 * harm: the answer is no, and the apply comes to nothing.
 */
export function covers(live: unknown, wanted: unknown): boolean {
  if (wanted === undefined || live === wanted) return true;
  if (typeof wanted !== 'object' || typeof live !== 'object') return false;
  if (wanted === null || live === null || Array.isArray(live) !== Array.isArray(wanted))
    return false;
  if (Array.isArray(wanted)) return coversItems(live as unknown[], wanted);
  const has = live as Readonly<Record<string, unknown>>;
  return Object.entries(wanted).every(
    ([field, value]) =>
      value === undefined || (Object.hasOwn(has, field) && covers(has[field], value)),
  );
}

const coversItems = (live: readonly unknown[], wanted: readonly unknown[]): boolean =>
  live.length === wanted.length && wanted.every((item, at) => covers(live[at], item));
