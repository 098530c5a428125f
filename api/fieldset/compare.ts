// What changed between two states of an object, as field sets: what a write takes, and what it removes.
// Invariant: neither state is changed; parts that both states share are not walked.
import { deepEqual } from '../meta/deep-equal.ts';
import { EMPTY_SET, type FieldSet } from './field-set.ts';
import { type NodeStep, startsOf } from './known-nodes.ts';
import {
  isObject,
  itemElement,
  itemsByElement,
  type ItemListType,
  type JsonObject,
} from './list-items.ts';
import {
  ANY,
  type Field,
  fieldOf,
  isLeaf,
  type MergeType,
  otherFields,
  type StructType,
} from './merge-type.ts';

/** What a change did to whose fields. */
export interface Comparison {
  /** Paths that are new or have another value. */
  readonly changed: FieldSet;
  /** Paths that are gone. */
  readonly removed: FieldSet;
}

/** No change. */
export const NO_CHANGE: Comparison = { changed: EMPTY_SET, removed: EMPTY_SET };

/** Compares two objects of a type. Throws FieldSetError where a list's items have no identity. */
export function compare(type: MergeType, before: unknown, after: unknown): Comparison {
  const { changed, removed } = compareValues(type, before, after);
  return { changed: changed ?? EMPTY_SET, removed: removed ?? EMPTY_SET };
}

interface Nodes {
  readonly changed?: FieldSet | undefined;
  readonly removed?: FieldSet | undefined;
}

const SAME: Nodes = {};
const MODIFIED: Nodes = { changed: EMPTY_SET };

function compareValues(type: MergeType, before: unknown, after: unknown): Nodes {
  if (before === after) return SAME;
  if (before === undefined) return { changed: wholeNode(type, after) };
  if (after === undefined) return { removed: wholeNode(type, before) };
  if (isLeaf(type) || (holdsNothing(before) && holdsNothing(after)))
    return deepEqual(before, after) ? SAME : MODIFIED;
  if (type.kind === 'list') return compareLists(type, asList(before), asList(after));
  const maps = isObject(before ?? {}) && isObject(after ?? {});
  if (maps) return compareMaps(type, (before ?? {}) as JsonObject, (after ?? {}) as JsonObject);
  return compareUntyped(before, after);
}

/** Without a schema a value may turn from an object into something else, or back. */
function compareUntyped(before: unknown, after: unknown): Nodes {
  if (isObject(before)) return { changed: EMPTY_SET, removed: childrenOf(ANY, before, false) };
  if (isObject(after)) return { changed: childrenOf(ANY, after, true) };
  return deepEqual(before, after) ? SAME : MODIFIED;
}

function holdsNothing(value: unknown): boolean {
  if (value === null) return true;
  if (typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.length === 0;
  for (const key in value) if ((value as JsonObject)[key] !== undefined) return false;
  return true;
}

const asList = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? (value as unknown[]) : [];

function compareMaps(type: MergeType, before: JsonObject, after: JsonObject): Nodes {
  if (type.kind === 'struct') return compareStructs(type, before, after);
  const { parts } = startsOf(type);
  let [changed, removed] = [parts, parts];
  const visit = (key: string) => {
    const { element, type: field } = fieldOf(type, key);
    const nodes = compareValues(field, own(before, key), own(after, key));
    changed = changed.with(element, nodes.changed);
    removed = removed.with(element, nodes.removed);
  };
  for (const key of Object.keys(before)) visit(key);
  for (const key of Object.keys(after)) if (!Object.hasOwn(before, key)) visit(key);
  return nodesOf(changed, removed);
}

/** By the fields that are there, few of those that the schema knows: nearly all of an object is structs. */
function compareStructs(type: StructType, before: JsonObject, after: JsonObject): Nodes {
  if (type.others) return compareOpenStructs(type, before, after);
  const { parts } = startsOf(type);
  let [changed, removed] = [parts, parts];
  for (const name in after) {
    const [old, now] = [before[name], after[name]];
    const field = old === now || now === undefined ? undefined : type.field(name);
    if (!field) continue;
    if (old === undefined) {
      changed = changed.with(field.element, wholeField(field, now));
      continue;
    }
    const nodes = compareValues(field.type, old, now);
    changed = changed.with(field.element, nodes.changed);
    removed = removed.with(field.element, nodes.removed);
  }
  for (const name in before) {
    const old = before[name];
    const field = old === undefined || after[name] !== undefined ? undefined : type.field(name);
    if (field) removed = removed.with(field.element, wholeField(field, old));
  }
  return nodesOf(changed, removed);
}

const nodesOf = (changed: NodeStep, removed: NodeStep): Nodes => ({
  changed: changed.node(false),
  removed: removed.node(false),
});

function compareOpenStructs(type: StructType, before: JsonObject, after: JsonObject): Nodes {
  const { parts } = startsOf(type);
  let [changed, removed] = [parts, parts];
  for (const { name, element, type: field } of [
    ...type.fields,
    ...otherFields(type, before, after),
  ]) {
    const nodes = compareValues(field, own(before, name), own(after, name));
    changed = changed.with(element, nodes.changed);
    removed = removed.with(element, nodes.removed);
  }
  return nodesOf(changed, removed);
}

/** Keys are the clients' own: `constructor` is one of them only where they say so. */
const own = (map: JsonObject, key: string): unknown =>
  Object.hasOwn(map, key) ? map[key] : undefined;

function compareLists(
  type: ItemListType,
  before: readonly unknown[],
  after: readonly unknown[],
): Nodes {
  // Most lists stay as they are, and to see that is faster than to tell their items apart.
  if (before.length === after.length && deepEqual(before, after)) return SAME;
  if (before.length === 0) return { changed: itemNodes(type, after, false) };
  const [old, now] = [itemsByElement(type, before), itemsByElement(type, after)];
  const { parts } = startsOf(type);
  let [changed, removed] = [parts, parts];
  const visit = (element: string) => {
    const nodes = compareItems(type, old.get(element) ?? [], now.get(element) ?? []);
    changed = changed.with(element, nodes.changed);
    removed = removed.with(element, nodes.removed);
  };
  for (const element of old.keys()) visit(element);
  for (const element of now.keys()) if (!old.has(element)) visit(element);
  return nodesOf(changed, removed);
}

/** Duplicates of one element are owned as one, without what is in them. */
function compareItems(
  { item }: ItemListType,
  before: readonly unknown[],
  after: readonly unknown[],
): Nodes {
  if (before.length <= 1 && after.length <= 1) return compareValues(item, before[0], after[0]);
  if (before.length >= 2 && after.length >= 2) return deepEqual(before, after) ? SAME : MODIFIED;
  const single = compareValues(
    item,
    after.length >= 2 ? before[0] : undefined,
    before.length >= 2 ? after[0] : undefined,
  );
  return before.length >= 2
    ? { changed: single.changed, removed: EMPTY_SET }
    : { changed: EMPTY_SET, removed: single.removed };
}

/** The node of a value that came or went as a whole: every path in it, its own among them. */
function wholeNode(type: MergeType, value: unknown): FieldSet {
  if (typeof value !== 'object' || value === null || isLeaf(type)) return EMPTY_SET;
  const list = Array.isArray(value);
  if (list !== (type.kind === 'list')) return EMPTY_SET;
  if (type.kind === 'struct') return wholeStruct(type, value as JsonObject);
  const node = list
    ? itemNodes(type as ItemListType, value as unknown[], true)
    : childrenOf(type, value as JsonObject, true);
  return node as FieldSet;
}

function wholeStruct(type: StructType, value: JsonObject): FieldSet {
  if (type.others) return wholeOpenStruct(type, value);
  let node = startsOf(type).whole;
  for (const name in value) {
    const content = value[name];
    const field = content === undefined ? undefined : type.field(name);
    if (field) node = node.with(field.element, wholeField(field, content));
  }
  return node.node(true) as FieldSet;
}

/** Most fields are plain: their type is not asked for. */
const wholeField = (field: Field, content: unknown): FieldSet =>
  typeof content === 'object' && content !== null ? wholeNode(field.type, content) : EMPTY_SET;

function wholeOpenStruct(type: StructType, value: JsonObject): FieldSet {
  let node = startsOf(type).whole;
  for (const { name, element, type: field } of [...type.fields, ...otherFields(type, value)]) {
    const content = own(value, name);
    if (content !== undefined) node = node.with(element, wholeNode(field, content));
  }
  return node.node(true) as FieldSet;
}

/** `self`: the value's own path as well. */
function childrenOf(type: MergeType, value: JsonObject, self: boolean): FieldSet | undefined {
  let node = startOf(type, self);
  for (const key of Object.keys(value)) {
    if (value[key] === undefined) continue;
    const field = fieldOf(type, key);
    node = node.with(field.element, wholeNode(field.type, value[key]));
  }
  return node.node(self);
}

/** Items that are there twice are owned without what is in them. */
function itemNodes(
  type: ItemListType,
  list: readonly unknown[],
  self: boolean,
): FieldSet | undefined {
  let node = startOf(type, self);
  const nodes = list.length > 1 ? new Map<string, FieldSet>() : undefined;
  for (const item of list) {
    const element = itemElement(type, item);
    const below = nodes?.has(element) ? EMPTY_SET : wholeNode(type.item, item);
    if (nodes) nodes.set(element, below);
    else node = node.with(element, below);
  }
  if (nodes) for (const [element, below] of nodes) node = node.with(element, below);
  return node.node(self);
}

const startOf = (type: MergeType, self: boolean): NodeStep =>
  self ? startsOf(type).whole : startsOf(type).parts;
