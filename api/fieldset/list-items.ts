// Items of lists that have an identity: of sets by value, of keyed lists by their keys.
// Invariant: an item without an identity is refused, never guessed.
import { badFieldSet } from './field-set-error.ts';
import type { KeyedListType, MergeType } from './merge-type.ts';
import { keyElement, valueElement } from './path-element.ts';

/** A list whose items have identities. */
export type ItemListType = KeyedListType | Extract<MergeType, { how: 'atomic' | 'set' }>;

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Is it an object in JSON's sense? */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The path element of an item. Throws FieldSetError. */
export function itemElement(type: ItemListType, item: unknown): string {
  if (type.how === 'map') return keyedElement(type, item);
  if (isObject(item))
    throw badFieldSet("associative list without keys has an element that's a map type");
  if (Array.isArray(item))
    throw badFieldSet('not supported: associative list with lists as elements');
  if (item === null || item === undefined)
    throw badFieldSet("associative list without keys has an element that's an explicit null");
  return valueElement(item);
}

function keyedElement(type: KeyedListType, item: unknown): string {
  if (item === null || item === undefined)
    throw badFieldSet('associative list with keys may not have a null element');
  if (!isObject(item))
    throw badFieldSet('associative list with keys may not have non-map elements');
  const keys: (readonly [string, unknown])[] = [];
  for (const { name, whenAbsent } of type.keys) {
    const value = item[name] ?? whenAbsent;
    if (value !== undefined) keys.push([name, value]);
  }
  if (keys.length > 0) return keyElement(keys);
  const names = type.keys.map(({ name }) => JSON.stringify(name)).join(' ');
  throw badFieldSet(
    `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`,
  );
}

/** Items by their element, in the order of their first coming. Two of one element are duplicates. */
export function itemsByElement(
  type: ItemListType,
  list: readonly unknown[],
): ReadonlyMap<string, readonly unknown[]> {
  const items = new Map<string, unknown[]>();
  for (const item of list) {
    const element = itemElement(type, item);
    const known = items.get(element);
    if (known) known.push(item);
    else items.set(element, [item]);
  }
  return items;
}
