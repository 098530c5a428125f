// JSON merge patch (RFC 7396), `application/merge-patch+json`. Invariant: pure; parts that the
// patch does not touch are shared with the object it was applied to.
import { checkDepth, fromEntries, isObject, requireObject } from './patch-error.ts';
import type { JsonObject } from './patch-error.ts';

/**
 * The object with the patch merged in; null removes a key. Throws BadRequest on a patch that is no
 * object.
 */
export function applyMergePatch(current: JsonObject, patch: unknown): JsonObject {
  const checked = requireObject(patch);
  checkDepth(checked);
  return merge(current, checked);
}

function merge(target: unknown, patch: JsonObject): JsonObject {
  const merged = new Map<string, unknown>(isObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else if (isObject(value)) merged.set(key, merge(merged.get(key), value));
    else if (value !== undefined) merged.set(key, value);
  }
  return fromEntries(merged);
}
