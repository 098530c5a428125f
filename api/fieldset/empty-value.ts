// What an object of a kind holds before anybody gave it anything: what a create is compared with.
// Invariant: made once per type and frozen; nobody comes to own what even an empty object has.
import type { JsonObject } from './list-items.ts';
import type { MergeType } from './merge-type.ts';

const made = new WeakMap<MergeType, JsonObject>();

/** The empty object: structs that are always there, and nothing in them. */
export function emptyValue(type: MergeType): JsonObject {
  const known = made.get(type);
  if (known) return known;
  const value: Record<string, unknown> = {};
  if (type.kind === 'struct')
    for (const key of type.always) {
      const field = type.field(key)?.type;
      value[key] = field?.kind === 'struct' && !field.atomic ? emptyValue(field) : emptyLeaf(field);
    }
  made.set(type, Object.freeze(value));
  return value;
}

const emptyLeaf = (type: MergeType | undefined): unknown =>
  Object.freeze(type?.kind === 'list' ? [] : {});
