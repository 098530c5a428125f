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

/**
 * The value without the paths of a set; undefined when nothing is left of it. What is emptied stays, empty, where `keep` has
 * its path.
 */
export function withoutFields(
  type: MergeType,
  value: unknown,
  { gone, keep }: { readonly gone: FieldSet; readonly keep?: FieldSet },
): unknown {
  return cutValue(type, value, { gone, keep });
}

interface Cut {
  readonly gone: FieldSet;
  /** The node of what is to stay; none where nothing below is. */
  readonly keep: FieldSet | undefined;
}

function cutValue(type: MergeType, value: unknown, cut: Cut): unknown {
  if (isLeaf(type) || typeof value !== 'object' || value === null) return value;
  if (type.kind === 'list')
    return Array.isArray(value) ? cutList(type, value as unknown[], cut) : value;
  return isObject(value) ? cutMap(type, value, cut) : value;
}

function cutMap(type: MergeType, value: JsonObject, { gone, keep }: Cut): JsonObject | undefined {
  const kept: [string, unknown][] = [];
  let touched = false;
  for (const [key, content] of Object.entries(value)) {
    const field = fieldOf(type, key);
    const rest = cutPart(field.type, content, {
      gone: gone[field.element],
      keep: keep?.[field.element],
    });
    if (rest !== content) touched = true;
    if (rest !== undefined) kept.push([key, rest]);
  }
  if (!touched) return value;
  return kept.length > 0 || staysEmpty(keep) ? Object.fromEntries(kept) : undefined;
}

function cutList(
  type: ItemListType,
  list: readonly unknown[],
  { gone, keep }: Cut,
): readonly unknown[] | undefined {
  const kept: unknown[] = [];
  let touched = false;
  for (const item of list) {
    const element = itemElement(type, item);
    const rest = cutPart(type.item, item, { gone: gone[element], keep: keep?.[element] });
    if (rest !== item) touched = true;
    if (rest !== undefined) kept.push(rest);
  }
  if (!touched) return list;
  return kept.length > 0 || staysEmpty(keep) ? kept : undefined;
}

const staysEmpty = (keep: FieldSet | undefined): boolean => keep !== undefined && isMember(keep);

/** An entry or item with its own nodes; without a node nothing of it is in the set. */
function cutPart(
  type: MergeType,
  part: unknown,
  { gone, keep }: { gone: FieldSet | undefined; keep: FieldSet | undefined },
): unknown {
  if (gone === undefined || part === undefined) return part;
  return isMember(gone) ? undefined : cutValue(type, part, { gone, keep });
}
