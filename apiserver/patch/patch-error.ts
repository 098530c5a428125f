// The refusals that all kinds of patch share. Codes follow upstream: a patch that cannot be read is
// 400, one that does not fit the object is 422.
import { badRequest, StatusError } from '../../api/status.ts';

/** Nesting beyond this is refused before anything walks the patch. */
export const MAX_PATCH_DEPTH = 500;

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Is it an object in JSON's sense? */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** 422: the patch is well formed, but does not fit this object. */
export function doesNotApply(why: string, cause?: unknown): StatusError {
  return new StatusError(
    'Invalid',
    `the server rejected our request due to an error in our request: ${why}`,
    { cause },
  );
}

/** Refuses a patch that is no object. */
export function requireObject(patch: unknown): JsonObject {
  if (isObject(patch)) return patch;
  const what = Array.isArray(patch) ? 'array' : patch === null ? 'null' : typeof patch;
  throw badRequest(
    `error decoding patch: json: cannot unmarshal ${what} into Go value of type ` +
      'map[string]interface {}',
  );
}

/** Refuses nesting that would exhaust the stack of those who walk the patch. */
export function checkDepth(value: unknown): void {
  const open: { value: unknown; depth: number }[] = [{ value, depth: 1 }];
  for (let top = open.pop(); top !== undefined; top = open.pop()) {
    if (typeof top.value !== 'object' || top.value === null) continue;
    if (top.depth > MAX_PATCH_DEPTH) {
      throw badRequest(`the patch is nested deeper than ${MAX_PATCH_DEPTH} levels`);
    }
    for (const child of Object.values(top.value)) open.push({ value: child, depth: top.depth + 1 });
  }
}

/** An object of these entries; `__proto__` is a key like any other. */
export function fromEntries(entries: Iterable<readonly [string, unknown]>): JsonObject {
  return Object.fromEntries(entries);
}
