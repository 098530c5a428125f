// The `$` keys of strategic merge patches: what they are called, and how a value loses them.
// Invariant: no directive ever reaches a stored object.
import { badRequest } from '../../api/status.ts';
import { fromEntries, isObject } from './patch-error.ts';
import type { JsonObject } from './patch-error.ts';

/** `$patch: replace | delete | merge` on an object or a list item. */
export const PATCH = '$patch';
/** `$retainKeys: [names]`: all other fields of this object go. */
export const RETAIN_KEYS = '$retainKeys';
/** `$deleteFromPrimitiveList/<field>: [values]`. */
export const DELETE_FROM_PRIMITIVE_LIST = '$deleteFromPrimitiveList/';
/** `$setElementOrder/<field>: [values or merge keys]`. */
export const SET_ELEMENT_ORDER = '$setElementOrder/';

/** Is the key a directive rather than a field? */
export function isDirective(key: string): boolean {
  return (
    key === PATCH ||
    key === RETAIN_KEYS ||
    key.startsWith(DELETE_FROM_PRIMITIVE_LIST) ||
    key.startsWith(SET_ELEMENT_ORDER)
  );
}

/**
 * The object's `$patch` directive; `merge` when it has none. Throws BadRequest on any other word.
 */
export function directiveOf(patch: JsonObject): 'delete' | 'merge' | 'replace' {
  const directive = patch[PATCH] ?? 'merge';
  if (directive === 'delete' || directive === 'merge' || directive === 'replace') return directive;
  throw badRequest(`unknown patch type found: ${JSON.stringify(directive)}`);
}

/**
 * A value of a patch as a value of an object: no directives, no nulls, no items that only say what
 * to delete.
 */
export function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter(isReal).map(withoutDirectives);
  if (!isObject(value)) return value;
  const entries = Object.entries(value)
    .filter(([key, field]) => !isDirective(key) && field !== null && field !== undefined)
    .map(([key, field]) => [key, withoutDirectives(field)] as const);
  return fromEntries(entries);
}

function isReal(item: unknown): boolean {
  if (!isObject(item) || !(PATCH in item)) return true;
  // `{$patch: replace}` alone speaks of the whole list; it is no item.
  return directiveOf(item) !== 'delete' && Object.keys(item).length > 1;
}
