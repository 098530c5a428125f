// The patch of `pinnace apply`: from what was applied last, what is there and what is wanted.
// With a schema it is a strategic merge patch, without one a merge patch (RFC 7396); the same rules make both.
// Invariant: it speaks only of what is wanted and of what was applied last; whatever others wrote stays.
import { isDeepStrictEqual } from 'node:util';
import { fieldSchema, patchStrategies, type Schema } from '../../api/schema/schema.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The three states of one object. */
export interface ThreeWay {
  readonly last: Fields;
  readonly current: Fields;
  readonly wanted: Fields;
}

/** What makes the current object the wanted one; empty where it is already. */
export function threeWayPatch(states: ThreeWay, schema?: Schema): Record<string, unknown> {
  const { last, current, wanted } = states;
  const patch = new Map<string, unknown>();
  for (const key of Object.keys(last))
    if (!Object.hasOwn(wanted, key) && Object.hasOwn(current, key)) patch.set(key, null);
  for (const key of Object.keys(wanted)) {
    const field = { last: own(last, key), current: own(current, key), wanted: wanted[key] };
    for (const [name, value] of fieldPatch(key, field, fieldSchema(schema, key)))
      patch.set(name, value);
  }
  return Object.fromEntries(patch);
}

interface FieldStates {
  readonly last: unknown;
  readonly current: unknown;
  readonly wanted: unknown;
}

type Entries = readonly (readonly [string, unknown])[];

/** The entries of the patch about one field: none, its new value, or directives beside it. */
function fieldPatch(key: string, states: FieldStates, schema: Schema | undefined): Entries {
  const { last, current, wanted } = states;
  if (wanted === null) return current === undefined ? [] : [[key, null]];
  const strategies = patchStrategies(schema);
  if (isMap(wanted) && isMap(current) && !strategies.includes('replace')) {
    const patch = mapPatch({ last: isMap(last) ? last : {}, current, wanted }, schema);
    return Object.keys(patch).length === 0 ? [] : [[key, patch]];
  }
  if (isDeepStrictEqual(wanted, current)) return [];
  if (Array.isArray(wanted) && Array.isArray(current) && strategies.includes('merge'))
    return listPatch(key, { last: Array.isArray(last) ? last : [], current, wanted }, schema ?? {});
  return [[key, wanted]];
}

function listPatch(key: string, lists: ListStates, schema: Schema): Entries {
  const mergeKey = schema['x-kubernetes-patch-merge-key'];
  return mergeKey === undefined
    ? valuesPatch(key, lists)
    : itemsPatch(key, lists, { mergeKey, schema });
}

/** A changed map whose members exclude one another names those that are to stay. */
function mapPatch(states: ThreeWay, schema: Schema | undefined): Record<string, unknown> {
  const patch = threeWayPatch(states, schema);
  if (Object.keys(patch).length === 0 || !patchStrategies(schema).includes('retainKeys'))
    return patch;
  return { ...patch, $retainKeys: Object.keys(states.wanted) };
}

interface ListStates {
  readonly last: readonly unknown[];
  readonly current: readonly unknown[];
  readonly wanted: readonly unknown[];
}

/** A list of plain values that holds each once. */
function valuesPatch(key: string, { last, current, wanted }: ListStates): Entries {
  const added = wanted.filter((value) => !current.includes(value));
  const removed = last.filter((value) => !wanted.includes(value) && current.includes(value));
  return [
    ...(added.length > 0 ? [[key, added] as const] : []),
    ...(removed.length > 0 ? [[`$deleteFromPrimitiveList/${key}`, removed] as const] : []),
    ...(added.length > 0 ? [[`$setElementOrder/${key}`, wanted] as const] : []),
  ];
}

type Items = ReadonlyMap<unknown, Fields>;
interface ItemStates {
  readonly last: Items;
  readonly current: Items;
  readonly wanted: Items;
}

/** A list whose items are told apart by one of their fields. */
function itemsPatch(
  key: string,
  lists: ListStates,
  { mergeKey, schema }: { readonly mergeKey: string; readonly schema: Schema },
): Entries {
  const last = byKey(lists.last, mergeKey) ?? new Map<unknown, Fields>();
  const current = byKey(lists.current, mergeKey);
  const wanted = byKey(lists.wanted, mergeKey);
  // Items that the key does not tell apart (a port with TCP and UDP) cannot be merged by it.
  if (!current || !wanted) return [[key, [{ $patch: 'replace' }, ...lists.wanted]]];
  const states = { last, current, wanted };
  const items = [
    ...changedItems(states, schema),
    ...[...last.keys()]
      .filter((id) => !wanted.has(id) && current.has(id))
      .map((id) => [id, { $patch: 'delete' }] as const),
  ].map(([id, patch]) => ({ ...patch, [mergeKey]: id }));
  const order = [...wanted.keys()];
  const shown = [...current.keys()].filter((id) => wanted.has(id));
  if (items.length === 0 && isDeepStrictEqual(shown, order)) return [];
  const patch: Entries = items.length > 0 ? [[key, items]] : [];
  return [...patch, [`$setElementOrder/${key}`, order.map((id) => ({ [mergeKey]: id }))]];
}

/** What is to change in each wanted item; all of it in one that is not there. */
function changedItems(
  { last, current, wanted }: ItemStates,
  schema: Schema,
): (readonly [unknown, Fields])[] {
  // What the list's strategy says besides of merging holds for each of its items.
  const strategy = schema['x-kubernetes-patch-strategy'] ?? '';
  const itemSchema = { ...schema.items, 'x-kubernetes-patch-strategy': strategy };
  return [...wanted].flatMap(([id, item]) => {
    const found = current.get(id);
    const before = last.get(id) ?? {};
    const patch = found
      ? mapPatch({ last: before, current: found, wanted: item }, itemSchema)
      : item;
    return Object.keys(patch).length > 0 ? [[id, patch] as const] : [];
  });
}

/** The items by their merge key; undefined where one has none or two have the same. */
function byKey(list: readonly unknown[], mergeKey: string): Map<unknown, Fields> | undefined {
  const items = new Map<unknown, Fields>();
  for (const item of list) {
    const id = isMap(item) ? item[mergeKey] : undefined;
    if (id === undefined || items.has(id)) return undefined;
    items.set(id, item as Fields);
  }
  return items;
}

const own = (fields: Fields, key: string): unknown =>
  Object.hasOwn(fields, key) ? fields[key] : undefined;

function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
