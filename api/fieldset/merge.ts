// An applied configuration merged into the live object, and fields taken out of one again.
// Invariant: pure; parts that are not touched are shared with the live object.
import { type FieldSet, isMember } from './field-set.ts';
import {
  isObject,
  itemElement,
  itemsByElement,
  type ItemListType,
  type JsonObject,
} from './list-items.ts';
import { fieldOf, isLeaf, type MergeType } from './merge-type.ts';

/**
 * The live value with the configuration laid over it: maps and keyed lists entry by entry, everything else as a whole. A
 * null of the configuration stays, to be taken for nothing. Throws FieldSetError.
 */
export function merge(type: MergeType, live: unknown, config: unknown): unknown {
  if (config === undefined) return live;
  if (isLeaf(type) || live === undefined) return config;
  if (type.kind === 'list') {
    if (config === null) return live;
    if (!Array.isArray(config) || !Array.isArray(live)) return config;
    return mergeLists(type, live as unknown[], config as unknown[]);
  }
  if (isObject(live) && (config === null || isObject(config))) {
    if (config === null) return Object.keys(live).length === 0 ? null : live;
    return mergeMaps(type, live, config);
  }
  return config;
}

function mergeMaps(type: MergeType, live: JsonObject, config: JsonObject): JsonObject {
  const merged = new Map(Object.entries(live));
  for (const [key, value] of Object.entries(config))
    merged.set(key, merge(fieldOf(type, key).type, merged.get(key), value));
  return Object.fromEntries(merged);
}

/**
 * Items of the configuration come in its order. Those that only the live list has keep their place before the shared item
 * that followed them.
 */
function mergeLists(
  type: ItemListType,
  live: readonly unknown[],
  config: readonly unknown[],
): unknown[] {
  const liveElements = live.map((item) => itemElement(type, item));
  const liveItems = itemsByElement(type, live);
  const configElements = config.map((item) => itemElement(type, item));
  const wanted = new Set(configElements);
  const shared = configElements.filter((element) => liveItems.has(element));
  const merged: unknown[] = [];
  let at = 0;
  let nextShared = 0;
  const takeLiveOnly = (stop: string | undefined) => {
    for (; at < live.length; at += 1) {
      const element = liveElements[at] as string;
      if (!wanted.has(element)) merged.push(live[at]);
      else if (element === stop) return;
    }
  };
  for (const [i, element] of configElements.entries()) {
    const stop = shared[nextShared];
    takeLiveOnly(stop);
    const same = liveItems.get(element) ?? [];
    // Of duplicates none is the one to merge with.
    merged.push(merge(type.item, same.length === 1 ? same[0] : undefined, config[i]));
    if (element === stop) {
      nextShared += 1;
      at += 1;
    }
  }
  takeLiveOnly(undefined);
  return merged;
}

/** The value without the paths of a set; undefined when nothing is left of it. */
export function withoutFields(type: MergeType, value: unknown, set: FieldSet): unknown {
  if (isLeaf(type) || typeof value !== 'object' || value === null) return value;
  if (type.kind === 'list')
    return Array.isArray(value) ? listWithout(type, value as unknown[], set) : value;
  return isObject(value) ? mapWithout(type, value, set) : value;
}

function mapWithout(type: MergeType, value: JsonObject, set: FieldSet): JsonObject | undefined {
  const kept: [string, unknown][] = [];
  let touched = false;
  for (const [key, field] of Object.entries(value)) {
    const node = set[`f:${key}`];
    const rest =
      node === undefined || field === undefined
        ? field
        : isMember(node)
          ? undefined
          : withoutFields(fieldOf(type, key).type, field, node);
    if (rest !== field) touched = true;
    if (rest !== undefined) kept.push([key, rest]);
  }
  if (!touched) return value;
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function listWithout(
  type: ItemListType,
  list: readonly unknown[],
  set: FieldSet,
): readonly unknown[] | undefined {
  const kept: unknown[] = [];
  let touched = false;
  for (const item of list) {
    const node = set[itemElement(type, item)];
    const gone = node !== undefined && isMember(node);
    const rest =
      node === undefined ? item : gone ? undefined : withoutFields(type.item, item, node);
    if (rest !== item) touched = true;
    if (rest !== undefined) kept.push(rest);
  }
  if (!touched) return list;
  return kept.length === 0 ? undefined : kept;
}
