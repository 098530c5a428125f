// Equality of values as JSON has them: a field that is undefined and one that is not there are the same.
// Invariant: pure, and true for two values exactly if they would be written alike up to the order of fields.

/** Would the two be the same JSON? */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && sameList(a, b);
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  for (const field of Object.keys(left)) if (!sameJson(left[field], right[field])) return false;
  for (const field of Object.keys(right))
    if (right[field] !== undefined && left[field] === undefined) return false;
  return true;
}

function sameList(a: readonly unknown[], b: unknown): boolean {
  return Array.isArray(b) && a.length === b.length && a.every((item, at) => sameJson(item, b[at]));
}
