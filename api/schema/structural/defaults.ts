// Fills in the defaults of a custom resource's schema.
// Invariant: what the writer said is never replaced, but for a null where the schema has a default and allows no null.
// Nulls that are neither allowed nor replaced are taken out before, with unknown fields (prune.ts).
import { setOwn } from '../decode.ts';
import type { Structural } from './structural.ts';

/** Changes the object in place. */
export function fillDefaults(value: unknown, schema: Structural): void {
  if (!schema.hasDefaults || typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items) for (const item of value) fillDefaults(item, items);
    return;
  }
  const object = value as Record<string, unknown>;
  for (const [name, part] of schema.properties) {
    if (part.hasDefaults) fillField(object, name, part);
  }
  const { additional } = schema;
  if (additional === undefined || additional === 'any') return;
  for (const key of Object.keys(object)) {
    if (!schema.properties.has(key)) fillField(object, key, additional);
  }
}

function fillField(object: Record<string, unknown>, name: string, schema: Structural): void {
  const present = Object.hasOwn(object, name) ? object[name] : undefined;
  const missing = present === undefined || (present === null && !schema.nullable);
  if (missing && schema.default !== undefined) setOwn(object, name, copied(schema.default));
  fillDefaults(object[name], schema);
}

/** Defaults are checked with the definition, so they are as flat as it. */
function copied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copied);
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value)) setOwn(copy, key, copied(part));
  return copy;
}
