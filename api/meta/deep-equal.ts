// Equality of API values: what JSON says, not how it is held in memory.
// Invariant: an absent field, `undefined` and `null` are the same; order counts in lists, not in maps.

/** Do both say the same? */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isAbsent(a) || isAbsent(b)) return isAbsent(a) && isAbsent(b);
  return sameParts(a, b, deepEqual);
}

/** As deepEqual, but an empty list or map also counts as absent: what immutability checks ask. */
export function sameMeaning(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isVoid(a) || isVoid(b)) return isVoid(a) && isVoid(b);
  return sameParts(a, b, sameMeaning);
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

/** Absent, or a list or map with nothing in it. The items of a list keep their places, whatever they are. */
function isVoid(value: unknown): boolean {
  if (isAbsent(value)) return true;
  if (typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.length === 0;
  for (const key in value) if (!isVoid((value as Values)[key])) return false;
  return true;
}

type Values = Readonly<Record<string, unknown>>;
type Compare = (a: unknown, b: unknown) => boolean;

/** Are these of one form, and their parts the same by `same`? Every write asks this of whole objects: nothing is built for it. */
function sameParts(a: unknown, b: unknown, same: Compare): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return false;
  if (!Array.isArray(a) && !Array.isArray(b)) return equalMaps(a as Values, b as Values, same);
  return Array.isArray(a) && Array.isArray(b) && equalLists(a, b, same);
}

function equalLists(a: readonly unknown[], b: readonly unknown[], same: Compare): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!same(a[i], b[i])) return false;
  return true;
}

function equalMaps(a: Values, b: Values, same: Compare): boolean {
  for (const key in a) if (!same(a[key], own(b, key))) return false;
  for (const key in b) if (!Object.hasOwn(a, key) && !same(undefined, b[key])) return false;
  return true;
}

function own(map: Values, key: string): unknown {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}
