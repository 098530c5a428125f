// Schemas made ready for field sets: what is owned part by part, and what only as a whole.
// Invariant: types are made on first use, shared, and never changed afterwards.
import { type Schema, refName, resolve, schemaOf } from '../schema/schema.ts';
import { fieldElement } from './path-element.ts';
import { alwaysThere, keyDefault } from './schema-facts.ts';

/** Plain values, as upstream's messages tell them apart. */
export type ScalarKind = 'string' | 'number' | 'boolean' | 'any';

/** A field: its path element, made once, and its type. */
export interface Field {
  readonly element: string;
  readonly type: MergeType;
}

/** A struct: fields that are known by name. */
export interface StructType {
  readonly kind: 'struct';
  readonly atomic: boolean;
  /** Names of all fields. */
  readonly names: readonly string[];
  /** Fields that even an empty object has: structs that are no pointers. */
  readonly always: readonly string[];
  field(name: string): Field | undefined;
}

/** A key of the items of a list, and what it counts as where an item leaves it out. */
export interface ListKey {
  readonly name: string;
  readonly whenAbsent: string | undefined;
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

const SCALARS: Readonly<Record<string, ScalarKind>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': 'any',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 'any',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': 'any',
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': 'any',
};
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
  return { element: fieldElement(key), type: type.kind === 'map' ? type.value : ANY };
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
  const properties = schema.properties ?? {};
  const made = new Map<string, Field>();
  return {
    kind: 'struct',
    atomic,
    names: Object.keys(properties),
    always: alwaysThere(name, schema),
    field(key) {
      const known = made.get(key);
      // Names that are no fields come from clients: remembering them would fill the memory.
      if (known !== undefined || !Object.hasOwn(properties, key)) return known;
      const type = typeOf(properties[key] as Schema, `${name}.${key}`);
      const field = { element: fieldElement(key), type };
      made.set(key, field);
      return field;
    },
  };
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
