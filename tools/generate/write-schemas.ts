// Writes api/generated/schemas.json: an OpenAPI v3 schema for each model class, by upstream name.
// Invariant: every $ref points at a schema in the same file, and every QUANTITY_FIELDS entry was
// met.
import { QUANTITY_FIELDS } from './quantity-fields.ts';
import type { ModelAttribute, ModelClass, ModelPackage } from './read-models.ts';
import { groupVersionKind, schemaNames } from './schema-names.ts';
import { parseType } from './type-text.ts';
import type { TypeTree } from './type-text.ts';

type Json = Record<string, unknown>;

const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
const INT_OR_STRING = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';
const TIME = 'io.k8s.apimachinery.pkg.apis.meta.v1.Time';
const MICRO_TIME = 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime';

/** Schemas that are plain strings or numbers in the client package. */
const NAMED: Readonly<Record<string, Json>> = {
  [QUANTITY]: {
    description: 'An amount with an optional suffix, such as 250m, 1.5 or 128Mi.',
    oneOf: [{ type: 'string' }, { type: 'number' }],
  },
  [INT_OR_STRING]: {
    description: 'Either a whole number or a text.',
    format: 'int-or-string',
    oneOf: [{ type: 'integer' }, { type: 'string' }],
  },
  [TIME]: { description: 'A time to the second, RFC 3339.', type: 'string', format: 'date-time' },
  [MICRO_TIME]: {
    description: 'A time to the microsecond, RFC 3339.',
    type: 'string',
    format: 'date-time',
  },
};

/** Kinds without metadata. (An OwnerReference has apiVersion and kind too, but is not a kind.) */
const META_KINDS = /\.meta\.v1\.(API\w+|DeleteOptions)$/;

interface Field {
  readonly id: string;
  readonly format: string;
  readonly names: ReadonlyMap<string, string>;
}

/** The text of schemas.json. */
export function writeSchemas(source: ModelPackage): string {
  const names = schemaNames(source);
  const schemas: Record<string, Json> = { ...NAMED };
  const fields = new Set<string>();
  for (const model of source.models.values()) {
    const name = names.get(model.name) ?? '';
    schemas[name] = schemaOf(model, { name, names });
    for (const attribute of model.attributes) fields.add(`${name}.${attribute.name}`);
  }
  const missing = [...QUANTITY_FIELDS].filter((field) => !fields.has(field));
  if (missing.length > 0) throw new Error(`no such quantity fields: ${missing.join(', ')}`);
  const sorted = Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(Object.fromEntries(sorted));
}

function schemaOf(
  model: ModelClass,
  { name, names }: { name: string; names: ReadonlyMap<string, string> },
): Json {
  const required = model.attributes.filter((field) => !field.optional).map((field) => field.name);
  const properties = model.attributes.map((field) => [
    field.name,
    property(field, { name, names }),
  ]);
  const has = (field: string) => model.attributes.some((attribute) => attribute.name === field);
  return {
    ...(model.description ? { description: model.description } : {}),
    type: 'object',
    ...(required.length > 0 ? { required } : {}),
    ...(properties.length > 0 ? { properties: Object.fromEntries(properties) as Json } : {}),
    ...(has('apiVersion') && has('kind') && (has('metadata') || META_KINDS.test(name))
      ? { 'x-kubernetes-group-version-kind': [groupVersionKind(name)] }
      : {}),
  };
}

function property(
  attribute: ModelAttribute,
  owner: { name: string; names: ReadonlyMap<string, string> },
): Json {
  const { description, format } = attribute;
  const id = `${owner.name}.${attribute.name}`;
  const value = valueOf(parseType(attribute.type), { id, format, names: owner.names });
  if (description === '') return value;
  // Beside a $ref other keywords do not count, so the reference moves into allOf.
  return '$ref' in value ? { description, allOf: [value] } : { description, ...value };
}

function valueOf(tree: TypeTree, field: Field): Json {
  if (tree.kind === 'list') return { type: 'array', items: valueOf(tree.of, field) };
  if (tree.kind === 'map') return { type: 'object', additionalProperties: valueOf(tree.of, field) };
  if (tree.kind === 'model') {
    const name = field.names.get(tree.name);
    if (name === undefined) throw new Error(`${field.id}: no schema for ${tree.name}`);
    return ref(name);
  }
  return plain(tree.name, field);
}

function plain(type: string, { id, format }: Field): Json {
  switch (type) {
    case 'any':
      return {};
    case 'IntOrString':
      return ref(INT_OR_STRING);
    case 'Date':
      return ref(format === 'date-time-micro' ? MICRO_TIME : TIME);
    case 'number':
      return { type: format === 'double' ? 'number' : 'integer', format: wholeFormat(id, format) };
    case 'string':
      if (QUANTITY_FIELDS.has(id)) return ref(QUANTITY);
      return format === '' ? { type } : { type, format };
    default:
      return { type };
  }
}

function wholeFormat(id: string, format: string): string {
  if (['int32', 'int64', 'double'].includes(format)) return format;
  throw new Error(`${id}: a number of unknown size`);
}

function ref(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}
