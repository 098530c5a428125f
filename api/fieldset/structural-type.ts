// The schema of a custom resource made ready for field sets.
// Invariant: a type is made once for each stored definition, shared, and says the same whenever it is asked; metadata is that of
// every object.
import type { Structural } from '../schema/structural/structural.ts';
import {
  ANY,
  type Field,
  type ListKey,
  type MergeType,
  mergeTypeOf,
  type StructType,
} from './merge-type.ts';
import { fieldElement } from './path-element.ts';

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
const TEXT: MergeType = { kind: 'scalar', of: 'string' };

/** The type of whole objects of this schema. */
export function mergeTypeOfStructural(schema: Structural): MergeType {
  return structOf(schema, true);
}

function typeOf(schema: Structural): MergeType {
  if (schema.intOrString) return { kind: 'scalar', of: 'any' };
  switch (schema.type) {
    case 'array':
      return listOf(schema);
    case 'object':
      return objectOf(schema);
    case 'string':
    case 'boolean':
      return { kind: 'scalar', of: schema.type };
    case 'integer':
    case 'number':
      return { kind: 'scalar', of: 'number' };
    default:
      return ANY;
  }
}

function objectOf(schema: Structural): MergeType {
  const atomic = schema.mapType === 'atomic';
  if (schema.properties.size > 0 || schema.embedded) return structOf(schema, schema.embedded);
  const { additional } = schema;
  if (additional !== undefined && additional !== 'any')
    return { kind: 'map', atomic, value: typeOf(additional) };
  return atomic ? { kind: 'map', atomic, value: ANY } : ANY;
}

function listOf({ items, listType, listMapKeys }: Structural): MergeType {
  const item = items ? typeOf(items) : ANY;
  if (listType === 'set') return { kind: 'list', how: 'set', item };
  if (listType !== 'map') return { kind: 'list', how: 'atomic', item };
  const keys = listMapKeys.toSorted().map((name) => {
    const whenAbsent = items?.properties.get(name)?.default;
    return { name, whenAbsent: whenAbsent as ListKey['whenAbsent'] };
  });
  return { kind: 'list', how: 'map', keys, item };
}

/** Its fields are made when they are come to, as the schema's are. `whole`: an object with apiVersion, kind and metadata. */
function structOf(schema: Structural, whole: boolean): StructType {
  let made: Fields | undefined;
  const fields = () => (made ??= fieldsOf(schema, whole));
  return {
    kind: 'struct',
    atomic: schema.mapType === 'atomic',
    get fields() {
      return fields().inOrder;
    },
    always: [],
    field: (name) => fields().byName.get(name),
    ...(schema.preserveUnknownFields && { others: anyField }),
  };
}

const anyField = (name: string): Field => ({ name, element: fieldElement(name), type: ANY });

interface Fields {
  readonly inOrder: readonly Field[];
  readonly byName: ReadonlyMap<string, Field>;
}

function fieldsOf(schema: Structural, whole: boolean): Fields {
  const types = new Map([...schema.properties].map(([name, part]) => [name, typeOf(part)]));
  if (whole) {
    types.set('apiVersion', TEXT).set('kind', TEXT).set('metadata', mergeTypeOf(OBJECT_META));
  }
  const inOrder = [...types]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, type]): Field => ({ name, element: fieldElement(name), type }));
  return { inOrder, byName: new Map(inOrder.map((field) => [field.name, field])) };
}
