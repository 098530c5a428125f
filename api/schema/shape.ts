// Schemas made ready for decoding: references followed once, formats turned into kinds of value.
// Invariant: shapes are made on first use, shared, and never changed afterwards.
import { table } from '../../base/table.ts';
import { fieldsWithoutZero } from './protobuf-fields.ts';
import { refName, schemaOf } from './schema.ts';
import type { Schema } from './schema.ts';

/**
 * What a value must look like. `typeName` is the name that errors show, as clients know it. `omitEmpty`: a field of which what
 * is empty is left out. All sorts have the same fields first, which makes reading them several times faster.
 */
export type Shape =
  | {
      readonly kind: 'struct';
      readonly typeName: string;
      readonly omitEmpty: false;
      readonly structName: string;
      readonly schemaName: string;
      readonly fields: Fields;
    }
  | {
      readonly kind: 'list';
      readonly typeName: string;
      readonly omitEmpty: boolean;
      readonly item: Shape;
    }
  | {
      readonly kind: 'map';
      readonly typeName: string;
      readonly omitEmpty: boolean;
      readonly value: Shape;
    }
  | LeafShape;

/** A value without parts. */
interface LeafShape {
  readonly kind: LeafKind;
  readonly typeName: string;
  readonly omitEmpty: boolean;
}

/** Kinds of value without parts. */
export type LeafKind =
  | 'any'
  | 'bool'
  | 'bytes'
  | 'double'
  | 'int32'
  | 'int64'
  | 'int-or-string'
  | 'micro-time'
  | 'quantity'
  | 'string'
  | 'time';

/** Looks a field's shape up by its name on the wire. */
export interface Fields {
  get(name: string): Shape | undefined;
}

const NAMED_LEAVES: Readonly<Record<string, Shape>> = table({
  'io.k8s.apimachinery.pkg.api.resource.Quantity': leaf('quantity', 'resource.Quantity'),
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': leaf('int-or-string', 'intstr.IntOrString'),
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': leaf('time', 'v1.Time'),
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': leaf('micro-time', 'v1.MicroTime'),
});

const shapes = new Map<string, Shape>();

/** The shape of a named schema. */
export function shapeOf(name: string): Shape {
  const known = NAMED_LEAVES[name] ?? shapes.get(name);
  if (known !== undefined) return known;
  const made = structShape(name, schemaOf(name));
  shapes.set(name, made);
  return made;
}

function leaf(kind: LeafKind, typeName: string): Shape {
  return { kind, typeName, omitEmpty: false };
}

function structShape(name: string, schema: Schema): Shape {
  const [structName = '', version = ''] = name.split('.').reverse();
  const properties = new Map(Object.entries(schema.properties ?? {}));
  const made = new Map<string, Shape>();
  let withoutZero: ReadonlySet<string> | undefined;
  const get = (field: string): Shape | undefined => {
    const known = made.get(field);
    const property = known === undefined ? properties.get(field) : undefined;
    if (property === undefined) return known;
    withoutZero ??= fieldsWithoutZero(name);
    const shape = shapeOfField(schema, field, { name, property, withoutZero });
    made.set(field, shape);
    return shape;
  };
  return {
    kind: 'struct',
    typeName: `${version}.${structName}`,
    omitEmpty: false,
    structName,
    schemaName: name,
    fields: { get },
  };
}

/** Optional fields that upstream writes even when there is nothing in them, or that say something so: no more owners. */
const KEPT_EMPTY = new Set([
  'io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerStatus.currentMetrics',
  'io.k8s.api.discovery.v1.EndpointSlice.endpoints',
  'io.k8s.api.discovery.v1.EndpointSlice.ports',
  'io.k8s.api.rbac.v1.ClusterRole.rules',
  'io.k8s.api.rbac.v1.Role.rules',
  'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta.managedFields',
]);

/** Kinds of value that have a zero; amounts, times and the like have none. */
const HAVE_ZERO = new Set(['bool', 'bytes', 'double', 'int32', 'int64', 'string']);

interface FieldFacts {
  /** Of the schema that the field is in. */
  readonly name: string;
  readonly property: Schema;
  /** The fields of that schema of which a zero is as none. */
  readonly withoutZero: ReadonlySet<string>;
}

/** What is empty is left out where upstream leaves it out: lists and maps in optional fields but for the few above, zeros field by field. */
function shapeOfField({ required }: Schema, field: string, facts: FieldFacts): Shape {
  const shape = shapeOfValue(facts.property);
  if (HAVE_ZERO.has(shape.kind) && facts.withoutZero.has(field))
    return { ...(shape as LeafShape), omitEmpty: true };
  const optional = required?.includes(field) !== true && !KEPT_EMPTY.has(`${facts.name}.${field}`);
  const hasParts = shape.kind === 'list' || shape.kind === 'map';
  return optional && hasParts ? { ...shape, omitEmpty: true } : shape;
}

function shapeOfValue(schema: Schema): Shape {
  const name = refName(schema);
  if (name !== undefined) return shapeOf(name);
  if (schema.type === 'array' && schema.items !== undefined) {
    const item = shapeOfValue(schema.items);
    return { kind: 'list', typeName: `[]${item.typeName}`, omitEmpty: false, item };
  }
  if (schema.type === 'object' && schema.additionalProperties !== undefined) {
    const value = shapeOfValue(schema.additionalProperties);
    const typeName = value.kind === 'quantity' ? 'v1.ResourceList' : `map[string]${value.typeName}`;
    return { kind: 'map', typeName, omitEmpty: false, value };
  }
  return plainShape(schema);
}

function plainShape({ type, format }: Schema): Shape {
  if (type === 'string')
    return format === 'byte' ? leaf('bytes', '[]uint8') : leaf('string', 'string');
  if (type === 'boolean') return leaf('bool', 'bool');
  if (type === 'integer')
    return format === 'int32' ? leaf('int32', 'int32') : leaf('int64', 'int64');
  return type === 'number' ? leaf('double', 'float64') : leaf('any', 'interface {}');
}
