// What is different between two schemas: fields that came and went, and values that are no longer, or newly, allowed.
// Invariant: pure; a change that may make a stored object invalid, or take something from it, is never called anything less.
import type { JSONSchemaProps, ValidationRule } from '../../../api/generated/types.ts';
import { deepEqual } from '../../../api/meta/deep-equal.ts';
import { isSchema } from '../../../api/schema/structural/sayings.ts';
import { fieldPath } from './kind-error.ts';

/** How a change bears on objects that are there: what is removed or narrowed may break them. */
export type ChangeSort = 'added' | 'changed' | 'narrowed' | 'removed' | 'widened';

/** One change, at a place of the schema. */
export interface SchemaChange {
  readonly sort: ChangeSort;
  readonly path: string;
  readonly what: string;
}

/** All changes from one schema to another, in the order of the new one. */
export function schemaChanges(
  before: JSONSchemaProps,
  after: JSONSchemaProps,
  path = '',
): SchemaChange[] {
  if (typeOf(before) !== typeOf(after)) {
    const free = typeOf(after) === ANYTHING;
    const what = `type ${typeOf(before)} -> ${typeOf(after)}`;
    return [{ sort: free ? 'widened' : 'narrowed', path, what }];
  }
  return [
    ...boundChanges(before, after, path),
    ...valueChanges(before, after, path),
    ...flagChanges(before, after, path),
    ...ruleChanges(before, after, path),
    ...fieldChanges(before, after, path),
    ...belowChanges(before, after, path),
  ];
}

const ANYTHING = 'anything';

function typeOf(schema: JSONSchemaProps): string {
  if (schema['x-kubernetes-int-or-string']) return 'integer or string';
  return schema.type || ANYTHING;
}

/** Bounds: whether more or less of them allows fewer values. */
const LOWER = ['minimum', 'minItems', 'minLength', 'minProperties'] as const;
const UPPER = ['maximum', 'maxItems', 'maxLength', 'maxProperties'] as const;

function boundChanges(before: JSONSchemaProps, after: JSONSchemaProps, path: string) {
  const changes: SchemaChange[] = [];
  const compare = (key: (typeof LOWER | typeof UPPER)[number], none: number) => {
    const [was = none, now = none] = [before[key], after[key]];
    if (was === now) return;
    const narrower = none < 0 ? now > was : now < was;
    const shown = (value: number) => (value === none ? 'none' : String(value));
    const what = `${key} ${shown(was)} -> ${shown(now)}`;
    changes.push({ sort: narrower ? 'narrowed' : 'widened', path, what });
  };
  for (const key of LOWER) compare(key, -Infinity);
  for (const key of UPPER) compare(key, Infinity);
  for (const key of ['exclusiveMinimum', 'exclusiveMaximum', 'nullable'] as const) {
    const [was = false, now = false] = [before[key], after[key]];
    if (was === now) continue;
    const narrower = key === 'nullable' ? was : now;
    changes.push({
      sort: narrower ? 'narrowed' : 'widened',
      path,
      what: `${key} ${was} -> ${now}`,
    });
  }
  return changes;
}

/** Keywords that narrow values by being there: another value of theirs may allow less. */
const NARROWING = ['allOf', 'anyOf', 'format', 'multipleOf', 'not', 'oneOf', 'pattern'] as const;

function valueChanges(before: JSONSchemaProps, after: JSONSchemaProps, path: string) {
  const changes: SchemaChange[] = enumChanges(before.enum, after.enum, path);
  for (const key of NARROWING) {
    const [was, now] = [before[key], after[key]];
    if (deepEqual(was, now)) continue;
    const sort = now === undefined ? 'widened' : 'narrowed';
    changes.push({ sort, path, what: `${key} ${shown(was)} -> ${shown(now)}` });
  }
  if (!deepEqual(before.default, after.default)) {
    const what = `default ${shown(before.default)} -> ${shown(after.default)}`;
    changes.push({ sort: 'changed', path, what });
  }
  return changes;
}

function enumChanges(
  before: readonly unknown[] | undefined,
  after: readonly unknown[] | undefined,
  path: string,
): SchemaChange[] {
  if (deepEqual(before, after)) return [];
  if (!before || !after) {
    const sort = after ? 'narrowed' : 'widened';
    return [{ sort, path, what: `enum ${shown(before)} -> ${shown(after)}` }];
  }
  const without = (list: readonly unknown[], others: readonly unknown[]) =>
    list.filter((value) => !others.some((other) => deepEqual(value, other)));
  const [gone, came] = [without(before, after), without(after, before)];
  return [
    ...gone.map((value) => change('narrowed', path, `value ${shown(value)} is gone`)),
    ...came.map((value) => change('widened', path, `value ${shown(value)} is new`)),
  ];
}

const change = (sort: ChangeSort, path: string, what: string): SchemaChange => ({
  sort,
  path,
  what,
});

/** Keywords of how lists, maps and whole objects are told. */
const FLAGS = [
  'x-kubernetes-embedded-resource',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
] as const;

function flagChanges(before: JSONSchemaProps, after: JSONSchemaProps, path: string) {
  const changes: SchemaChange[] = FLAGS.filter((key) => !deepEqual(before[key], after[key])).map(
    (key) => {
      const loose =
        after[key] === undefined || after[key] === 'atomic' || after[key] === 'granular';
      const what = `${key} ${shown(before[key])} -> ${shown(after[key])}`;
      return change(loose ? 'changed' : 'narrowed', path, what);
    },
  );
  if (isOpen(before) && !isOpen(after))
    changes.push(change('removed', path, 'fields that the schema does not name'));
  if (!isOpen(before) && isOpen(after))
    changes.push(change('widened', path, 'keeps fields that the schema does not name'));
  return changes;
}

/** Does it keep what it does not name? */
function isOpen(schema: JSONSchemaProps): boolean {
  const open = schema['x-kubernetes-preserve-unknown-fields'] ?? false;
  return open || schema.additionalProperties === true;
}

/** What is newly told of a field. Where anything could stand before, objects may have something else there. */
function cameTo(before: JSONSchemaProps, path: string, part: JSONSchemaProps): SchemaChange {
  if (!isOpen(before)) return change('added', path, typeOf(part));
  return change('narrowed', path, `type ${ANYTHING} -> ${typeOf(part)}`);
}

function ruleChanges(before: JSONSchemaProps, after: JSONSchemaProps, path: string) {
  const rulesOf = (schema: JSONSchemaProps) => schema['x-kubernetes-validations'] ?? [];
  const without = (some: readonly ValidationRule[], others: readonly ValidationRule[]) =>
    some.filter(({ rule }) => !others.some((other) => other.rule === rule));
  const [was, now] = [rulesOf(before), rulesOf(after)];
  return [
    ...without(now, was).map(({ rule }) => change('narrowed', path, `rule ${rule} is new`)),
    ...without(was, now).map(({ rule }) => change('widened', path, `rule ${rule} is gone`)),
  ];
}

function fieldChanges(before: JSONSchemaProps, after: JSONSchemaProps, path: string) {
  const [was, now] = [before.properties ?? {}, after.properties ?? {}];
  const required = (schema: JSONSchemaProps, name: string) =>
    schema.required?.includes(name) ?? false;
  const changes: SchemaChange[] = [];
  for (const name of new Set([...Object.keys(now), ...Object.keys(was)])) {
    const at = fieldPath(path, name);
    const [old, part] = [own(was, name), own(now, name)];
    const [needed, need] = [required(before, name), required(after, name)];
    if (old && !part) changes.push(change('removed', at, typeOf(old)));
    else if (!old && part) changes.push(cameTo(before, at, part));
    if (need && !needed) changes.push(change('narrowed', at, 'is required'));
    if (needed && !need && part) changes.push(change('widened', at, 'is no longer required'));
    if (old && part) changes.push(...schemaChanges(old, part, at));
  }
  return changes;
}

function own<T>(fields: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function belowChanges(before: JSONSchemaProps, after: JSONSchemaProps, path: string) {
  const changes: SchemaChange[] = [];
  for (const [key, step] of [
    ['items', '[]'],
    ['additionalProperties', '{}'],
  ] as const) {
    const [was, now] = [before[key], after[key]];
    const at = `${path}${step}`;
    if (isSchema(was) && isSchema(now)) changes.push(...schemaChanges(was, now, at));
    else if (isSchema(was)) changes.push(change('removed', at, typeOf(was)));
    else if (isSchema(now)) changes.push(cameTo(before, at, now));
  }
  return changes;
}

const shown = (value: unknown): string => (value === undefined ? 'none' : JSON.stringify(value));
