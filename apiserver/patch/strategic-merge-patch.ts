// Strategic merge patch, `application/strategic-merge-patch+json`: a merge patch that knows from
// the schema which lists merge by key, and obeys the `$` directives. Rules: Kubernetes' documents
// on strategic merge. Invariant: pure; parts that the patch does not touch are shared with the
// object it was applied to.
import type { Schema } from '../../api/schema/schema.ts';
import { fieldSchema, patchStrategies } from '../../api/schema/schema.ts';
import { badRequest } from '../../api/status.ts';
import {
  DELETE_FROM_PRIMITIVE_LIST,
  directiveOf,
  isDirective,
  PATCH,
  RETAIN_KEYS,
  SET_ELEMENT_ORDER,
  withoutDirectives,
} from './patch-directives.ts';
import { checkDepth, doesNotApply, fromEntries, isObject, requireObject } from './patch-error.ts';
import type { JsonObject } from './patch-error.ts';
import { mergeKeyOf, mergeOrder } from './patch-order.ts';

/**
 * The object with the patch merged in. `schema` is that of the object's kind.
 * Throws BadRequest on a patch that is malformed, Invalid on list items without their merge key.
 */
export function applyStrategicMergePatch(
  current: JsonObject,
  patch: unknown,
  schema: Schema,
): JsonObject {
  const checked = requireObject(patch);
  checkDepth(checked);
  return mergeObject(current, checked, schema);
}

function mergeObject(
  current: JsonObject,
  patch: JsonObject,
  schema: Schema | undefined,
): JsonObject {
  const directive = directiveOf(patch);
  if (directive === 'replace') return withoutDirectives(patch) as JsonObject;
  if (directive === 'delete') return {};
  const merged = new Map(Object.entries(retained(current, patch)));
  for (const field of touchedFields(patch)) {
    const change: FieldChange = {
      value: patch[field],
      remove: listDirective(patch, DELETE_FROM_PRIMITIVE_LIST + field),
      order: listDirective(patch, SET_ELEMENT_ORDER + field),
    };
    const value = mergeField(merged.get(field), change, fieldSchema(schema, field));
    if (value === undefined) merged.delete(field);
    else merged.set(field, value);
  }
  return fromEntries(merged);
}

/** What a patch says about one field. */
interface FieldChange {
  readonly value: unknown;
  readonly remove: readonly unknown[] | undefined;
  readonly order: readonly unknown[] | undefined;
}

/** The field afterwards; undefined when it is gone. */
function mergeField(current: unknown, change: FieldChange, schema: Schema | undefined): unknown {
  const { value, remove, order } = change;
  if (value === null) return undefined;
  const merges = patchStrategies(schema).includes('merge');
  if (Array.isArray(current) && (value === undefined || Array.isArray(value))) {
    const lists: MergeLists = { current: without(current, remove), patch: value ?? [], order };
    if (merges) return mergeList(lists, schema);
    return value ?? lists.current;
  }
  if (value === undefined) return current;
  if (isObject(current) && isObject(value)) {
    return patchStrategies(schema).includes('replace')
      ? withoutDirectives(value)
      : mergeObject(current, value, schema);
  }
  return withoutDirectives(value);
}

/** The fields that the patch speaks of, by name or through a directive. */
function touchedFields(patch: JsonObject): Set<string> {
  const fields = new Set<string>();
  for (const [key, value] of Object.entries(patch)) {
    const prefix = LIST_DIRECTIVES.find((known) => key.startsWith(known));
    if (prefix !== undefined) fields.add(key.slice(prefix.length));
    else if (value !== undefined && !isDirective(key)) fields.add(key);
  }
  return fields;
}

const LIST_DIRECTIVES = [DELETE_FROM_PRIMITIVE_LIST, SET_ELEMENT_ORDER];

function listDirective(patch: JsonObject, key: string): readonly unknown[] | undefined {
  const value = patch[key];
  if (value === undefined || Array.isArray(value)) return value as readonly unknown[] | undefined;
  throw badRequest(`invalid patch format of ${key}: it must be a list`);
}

/** Drops the fields that `$retainKeys` does not name. */
function retained(current: JsonObject, patch: JsonObject): JsonObject {
  const keys = listDirective(patch, RETAIN_KEYS);
  if (keys === undefined) return current;
  for (const [key, value] of Object.entries(patch)) {
    if (value !== null && value !== undefined && !isDirective(key) && !keys.includes(key)) {
      throw badRequest(`invalid patch format of retainKeys: ${key} is set, but not retained`);
    }
  }
  return fromEntries(Object.entries(current).filter(([key]) => keys.includes(key)));
}

interface MergeLists {
  readonly current: readonly unknown[];
  readonly patch: readonly unknown[];
  readonly order: readonly unknown[] | undefined;
}

function without(list: readonly unknown[], removed: readonly unknown[] = []): readonly unknown[] {
  const gone = new Set(removed);
  return gone.size === 0 ? list : list.filter((item) => !gone.has(item));
}

function mergeList(lists: MergeLists, schema: Schema | undefined): readonly unknown[] {
  const { current, patch, order } = lists;
  const key = schema?.['x-kubernetes-patch-merge-key'];
  if (
    key !== undefined &&
    patch.some((item) => isObject(item) && directiveOf(item) === 'replace')
  ) {
    return withoutDirectives(
      patch.filter((item) => !(isObject(item) && PATCH in item)),
    ) as unknown[];
  }
  const merged =
    key === undefined
      ? [...new Set([...current, ...patch])]
      : mergeByKey(lists, { key, schema: schema?.items });
  return order === undefined ? merged : mergeOrder(merged, { current, patch, order, key });
}

/** Items of the patch change the item with their key, or come after all that are there. */
function mergeByKey(
  { current, patch }: MergeLists,
  { key, schema }: { key: string; schema: Schema | undefined },
): readonly unknown[] {
  const merged = new Map<unknown, unknown>(current.map((item) => [mergeKeyOf(item, key), item]));
  for (const item of patch) {
    const identity = mergeKeyOf(item, key);
    if (!isObject(item) || identity === undefined) {
      throw doesNotApply(
        `map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`,
      );
    }
    const found = merged.get(identity);
    if (directiveOf(item) === 'delete') merged.delete(identity);
    else
      merged.set(
        identity,
        isObject(found) ? mergeObject(found, item, schema) : withoutDirectives(item),
      );
  }
  return [...merged.values()];
}
