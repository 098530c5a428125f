// Schemas made ready for field sets: what is owned part by part, and what only as a whole.
// Invariant: types are made on first use, shared, and never changed afterwards.
import { table } from '../../base/table.ts';
import { type Schema, refName, resolve, schemaOf } from '../schema/schema.ts';
import { fieldElement } from './path-element.ts';
import { alwaysThere, keyDefault } from './schema-facts.ts';

/** Plain values, as upstream's messages tell them apart. */
export type ScalarKind = 'string' | 'number' | 'boolean' | 'any';

/** A field: its name, its path element, made once, and its type. */
export interface Field {
  readonly name: string;
  readonly element: string;
  readonly type: MergeType;
}

/** A struct: fields that are known by name. */
export interface StructType {
  readonly kind: 'struct';
  readonly atomic: boolean;
  /** All fields, in the order of field sets. */
  readonly fields: readonly Field[];
  /** Fields that even an empty object has: structs that are no pointers. */
  readonly always: readonly string[];
  field(name: string): Field | undefined;
  /** Set where other fields may stand as well: the field of a name that none has. */
  others?(name: string): Field | undefined;
}

/** A key of the items of a list, and what it counts as where an item leaves it out. */
export interface ListKey {
  readonly name: string;
  readonly whenAbsent: boolean | number | string | undefined;
}

/** What a value is to server-side apply. */
export type MergeType =
  | { readonly kind: 'scalar'; readonly of: ScalarKind }
  /** No schema: objects go field by field, everything else as a whole. */
  | { readonly kind: 'any' }
  | StructType
  | { readonly kind: 'map'; readonly atomic: boolean; readonly value: MergeType }
  | { readonly kind: 'list'; readonly how: 'atomic' | 'set'; readonly item: MergeType }
  | {
      readonly kind: 'list';
      readonly how: 'map';
      readonly keys: readonly ListKey[];
      readonly item: MergeType;
    };

/** A list whose items have keys. */
export type KeyedListType = Extract<MergeType, { how: 'map' }>;

const SCALARS: Readonly<Record<string, ScalarKind>> = table({
  'io.k8s.apimachinery.pkg.api.resource.Quantity': 'any',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 'any',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': 'any',
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': 'any',
});
/** The type of what has no schema. */
export const ANY: MergeType = { kind: 'any' };
const types = new Map<string, MergeType>();

/** The type of a named schema. */
export function mergeTypeOf(name: string): MergeType {
  const known = types.get(name);
  if (known) return known;
  const scalar = SCALARS[name];
  const made: MergeType = scalar ? { kind: 'scalar', of: scalar } : typeOf(schemaOf(name), name);
  types.set(name, made);
  return made;
}

/** The field or entry of that name in a value of this type; what the schema does not know has no type. */
export function fieldOf(type: MergeType, key: string): Field {
  const known = type.kind === 'struct' ? type.field(key) : undefined;
  if (known) return known;
  const element = fieldElement(key);
  return { name: key, element, type: type.kind === 'map' ? type.value : ANY };
}

/** Fields of the values that the struct lets stand without naming them. */
export function otherFields(type: StructType, ...values: readonly object[]): Field[] {
  if (!type.others) return [];
  const names = new Set(values.flatMap((value) => Object.keys(value)));
  return [...names].flatMap((name) => (type.field(name) ? [] : (type.others?.(name) ?? [])));
}

/** Is a value of this type owned as a whole? */
export function isLeaf(type: MergeType): boolean {
  switch (type.kind) {
    case 'scalar':
      return true;
    case 'any':
      return false;
    case 'list':
      return type.how === 'atomic';
    default:
      return type.atomic;
  }
}

/** A type of a schema that stands in a field, list or map; `field` is `<schema>.<property>`. */
function typeOf(schema: Schema, field: string): MergeType {
  const name = refName(schema);
  if (name !== undefined) {
    const type = mergeTypeOf(name);
    const atomic = schema['x-kubernetes-map-type'] === 'atomic';
    return atomic && (type.kind === 'struct' || type.kind === 'map') ? { ...type, atomic } : type;
  }
  const atomic = schema['x-kubernetes-map-type'] === 'atomic';
  if (schema.properties !== undefined) return structOf(schema, field, atomic);
  if (schema.type === 'array' && schema.items) return listOf(schema, schema.items, field);
  if (schema.additionalProperties) {
    return { kind: 'map', atomic, value: typeOf(schema.additionalProperties, field) };
  }
  return scalarOf(schema);
}

function structOf(schema: Schema, name: string, atomic: boolean): StructType {
  const fields = Object.entries(schema.properties ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, property]) => new LazyField(key, property, `${name}.${key}`));
  const byName = new Map(fields.map((field) => [field.name, field]));
  const always = alwaysThere(name, schema);
  return { kind: 'struct', atomic, fields, always, field: (key) => byName.get(key) };
}

/** A field whose type is made when it is asked for: schemas may contain themselves. */
class LazyField implements Field {
  readonly name: string;
  readonly element: string;
  readonly #schema: Schema;
  readonly #at: string;
  #type: MergeType | undefined;

  constructor(name: string, schema: Schema, at: string) {
    this.name = name;
    this.element = fieldElement(name);
    this.#schema = schema;
    this.#at = at;
  }

  get type(): MergeType {
    this.#type ??= typeOf(this.#schema, this.#at);
    return this.#type;
  }
}

/** The struct without these fields: what is in them then counts for nothing. */
export function withoutNamed(type: StructType, names: ReadonlySet<string>): StructType {
  const fields = type.fields.filter(({ name }) => !names.has(name));
  const always = type.always.filter((name) => !names.has(name));
  const field = (name: string) => (names.has(name) ? undefined : type.field(name));
  const others = (name: string) => (names.has(name) ? undefined : type.others?.(name));
  return { ...type, fields, always, field, ...(type.others && { others }) };
}

/** The struct with another type for one of its fields. */
export function withFieldType(type: StructType, name: string, other: MergeType): StructType {
  const replaced = (field: Field): Field =>
    field.name === name ? { name, element: field.element, type: other } : field;
  const fields = type.fields.map(replaced);
  const byName = new Map(fields.map((field) => [field.name, field]));
  return { ...type, fields, field: (key) => byName.get(key) };
}

function listOf(schema: Schema, items: Schema, field: string): MergeType {
  const item = typeOf(items, field);
  const how = schema['x-kubernetes-list-type'];
  if (how === 'set') return { kind: 'list', how, item };
  if (how !== 'map') return { kind: 'list', how: 'atomic', item };
  const names = [...(schema['x-kubernetes-list-map-keys'] ?? [])].sort();
  const owner = refName(items) ?? field;
  const keys = names.map((name) => ({ name, whenAbsent: keyDefault(owner, name) }));
  return { kind: 'list', how, keys, item };
}

function scalarOf(schema: Schema): MergeType {
  const { type } = resolve(schema);
  if (type === 'string' || type === 'boolean') return { kind: 'scalar', of: type };
  if (type === 'integer' || type === 'number') return { kind: 'scalar', of: 'number' };
  return schema.oneOf ? { kind: 'scalar', of: 'any' } : ANY;
}
