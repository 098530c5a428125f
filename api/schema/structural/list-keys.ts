// Sets have no item twice, keyed lists no key: checked in custom resources as upstream does.
// Invariant: pure; time grows with the list's length, not with its square.
import type { FieldError } from '../../field-error.ts';
import { duplicate } from '../../field-error.ts';
import { type Path, textOf } from './place.ts';
import type { Structural } from './structural.ts';

/** Items that stand twice. */
export function duplicates(value: unknown, schema: Structural, at?: Path): FieldError[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return listDuplicates(value, schema, at);
  const { properties, additional } = schema;
  if (properties.size === 0 && (additional === undefined || additional === 'any')) return [];
  return Object.entries(value).flatMap(([key, part]) => {
    const of = properties.get(key) ?? (additional === 'any' ? undefined : additional);
    return of ? duplicates(part, of, { parent: at, key }) : [];
  });
}

function listDuplicates(
  list: readonly unknown[],
  schema: Structural,
  at: Path | undefined,
): FieldError[] {
  const errors: FieldError[] = [];
  const { items, listType } = schema;
  if (listType === 'map' || listType === 'set') {
    const seen = new Set<string>();
    list.forEach((item, key) => {
      const identity = listType === 'set' ? item : keysOf(item, schema);
      const text = canonical(identity);
      if (seen.has(text)) errors.push(duplicate(textOf({ parent: at, key }), identity));
      seen.add(text);
    });
  }
  if (items === undefined) return errors;
  const below = list.flatMap((item, key) => duplicates(item, items, { parent: at, key }));
  return [...errors, ...below];
}

function keysOf(item: unknown, { listMapKeys }: Structural): unknown {
  if (typeof item !== 'object' || item === null) return item;
  const fields = item as Record<string, unknown>;
  return Object.fromEntries(listMapKeys.map((key) => [key, fields[key]]));
}

/** The same text for the same value, whatever the order of its keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const parts = Object.entries(value).filter(([, part]) => part !== undefined);
  const sorted = parts.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, part]) => `${JSON.stringify(key)}:${canonical(part)}`).join()}}`;
}
