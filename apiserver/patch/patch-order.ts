// The order of merged lists: `$setElementOrder` for what the client knows of, the old order for the
// rest. Invariant: mergeOrder permutes; it neither adds nor drops items.
import { badRequest } from '../../api/status.ts';
import { directiveOf } from './patch-directives.ts';
import { isObject } from './patch-error.ts';

/**
 * What identifies a list item: its merge key's value, or itself in lists of plain values (no key).
 */
export function mergeKeyOf(item: unknown, key: string | undefined): unknown {
  if (key === undefined) return item;
  return isObject(item) ? item[key] : undefined;
}

/** What decides the order of a merged list. */
export interface Ordering {
  /** The list before the patch. */
  readonly current: readonly unknown[];
  /** The patch's own items; they must stand in the order that `order` gives. */
  readonly patch: readonly unknown[];
  /** The wanted order: plain values, or objects that hold the merge key. */
  readonly order: readonly unknown[];
  /** The merge key; none for lists of plain values. */
  readonly key: string | undefined;
}

/**
 * Puts the items that `order` names in that order. Items that only the server has keep their place
 * relative to the named ones that stood behind them before. Throws BadRequest when the patch's
 * items contradict `order`.
 */
export function mergeOrder(
  merged: readonly unknown[],
  { current, patch, order, key }: Ordering,
): readonly unknown[] {
  const wanted = placesIn(order, key);
  const before = placesIn(current, key);
  const placeOf = (item: unknown) => wanted.get(mergeKeyOf(item, key));
  checkPatchOrder(patch, placeOf);
  const named = merged
    .filter((item) => placeOf(item) !== undefined)
    .sort((a, b) => (placeOf(a) ?? 0) - (placeOf(b) ?? 0));
  const serverOnly = merged.filter((item) => placeOf(item) === undefined);
  const result: unknown[] = [];
  let next = 0;
  for (const item of named) {
    const place = before.get(mergeKeyOf(item, key)) ?? -1;
    // Whatever stood before this item, and is not named, still does.
    for (; next < serverOnly.length; next += 1) {
      const other = before.get(mergeKeyOf(serverOnly[next], key));
      if (other === undefined || other > place) break;
      result.push(serverOnly[next]);
    }
    result.push(item);
  }
  return [...result, ...serverOnly.slice(next)];
}

function placesIn(list: readonly unknown[], key: string | undefined): Map<unknown, number> {
  return new Map(list.map((item, index) => [mergeKeyOf(item, key), index]));
}

function checkPatchOrder(
  patch: readonly unknown[],
  placeOf: (item: unknown) => number | undefined,
): void {
  let last = -1;
  for (const item of patch) {
    if (isObject(item) && directiveOf(item) !== 'merge') continue;
    const place = placeOf(item);
    if (place === undefined || place < last) {
      throw badRequest(
        "The order in patch list doesn't match $setElementOrder list: " +
          `${JSON.stringify(item)} is out of place`,
      );
    }
    last = place;
  }
}
