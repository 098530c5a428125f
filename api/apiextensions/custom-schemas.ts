// How documents describe a custom kind: its schema with what every object has, and that of its list.
// Invariant: pure; names follow upstream's form, the group reversed: `com.example.stable.v1.CronTab`.
import type { JSONSchemaProps } from '../generated/types.ts';
import { isSchema } from '../schema/structural/sayings.ts';
import type { Schema } from '../schema/schema.ts';

const META = '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1';

interface CustomKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
}

/** The name of the kind's schema. */
export function customSchemaName({ group, version, kind }: Omit<CustomKind, 'listKind'>): string {
  return [...group.split('.').toReversed(), version, kind].join('.');
}

/** Schemas of the kind and of its list, by name. */
export function customSchemas(
  kind: CustomKind,
  schema: JSONSchemaProps,
): ReadonlyMap<string, Schema> {
  const { listKind } = kind;
  // No other key: clients compare the whole.
  const gvk = { group: kind.group, version: kind.version, kind: kind.kind };
  const name = customSchemaName(kind);
  const list = customSchemaName({ ...kind, kind: listKind });
  return new Map([
    [name, withCommon(schema, gvk)],
    [list, listOf(name, { ...gvk, kind: listKind })],
  ]);
}

const text = (description: string): Schema => ({ type: 'string', description });
const TYPE_FIELDS = {
  apiVersion: text('The group and version that the object is written in.'),
  kind: text('The kind of the object.'),
};

function withCommon(
  schema: JSONSchemaProps,
  gvk: { group: string; version: string; kind: string },
): Schema {
  const { properties, ...rest } = schema;
  return {
    ...plain(rest),
    properties: {
      ...plain({ properties }).properties,
      ...TYPE_FIELDS,
      metadata: { allOf: [{ $ref: `${META}.ObjectMeta` }], description: 'What every object has.' },
    },
    'x-kubernetes-group-version-kind': [gvk],
  };
}

/** As documents have it: a map of anything has the empty schema. */
function plain(schema: JSONSchemaProps): Schema {
  const { additionalProperties: additional, items, properties, ...rest } = schema;
  const parts = Object.entries(properties ?? {}).map(([name, part]) => [name, plain(part)]);
  return {
    ...(rest as Schema),
    ...(properties && { properties: Object.fromEntries(parts) as Schema['properties'] }),
    ...(isSchema(items) && { items: plain(items) }),
    ...(additional ? { additionalProperties: isSchema(additional) ? plain(additional) : {} } : {}),
  } as Schema;
}

function listOf(item: string, gvk: { group: string; version: string; kind: string }): Schema {
  return {
    type: 'object',
    description: `A list of ${item.split('.').at(-1)} objects.`,
    required: ['items'],
    properties: {
      ...TYPE_FIELDS,
      metadata: { allOf: [{ $ref: `${META}.ListMeta` }], description: 'What every list has.' },
      items: { type: 'array', items: { $ref: `#/components/schemas/${item}` } },
    },
    'x-kubernetes-group-version-kind': [gvk],
  };
}
