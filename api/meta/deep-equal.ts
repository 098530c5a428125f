// Equality of API values: what JSON says, not how it is held in memory.
// Invariant: an absent field, `undefined` and `null` are the same; order counts in lists, not in maps.

/** Do both say the same? */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isAbsent(a) || isAbsent(b)) return isAbsent(a) && isAbsent(b);
  if (typeof a !== 'object' || typeof b !== 'object') return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && equalLists(a, b);
  }
  return equalMaps(a as Record<string, unknown>, b as Record<string, unknown>);
}

/** As deepEqual, but an empty list or map also counts as absent: what immutability checks ask. */
export function sameMeaning(a: unknown, b: unknown): boolean {
  return deepEqual(pruned(a), pruned(b));
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function equalLists(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, i) => deepEqual(item, b[i]));
}

function equalMaps(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  for (const key of Object.keys(a)) if (!deepEqual(a[key], own(b, key))) return false;
  for (const key of Object.keys(b)) if (!Object.hasOwn(a, key) && !isAbsent(b[key])) return false;
  return true;
}

function own(map: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

/** The value without empty lists and maps in map fields; items of lists keep their places. */
function pruned(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(pruned);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .map(([key, field]) => [key, pruned(field)] as const)
    .filter(([, field]) => !isAbsent(field));
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
