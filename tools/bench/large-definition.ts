// A definition as large as the largest that are in use: an operator's kind with eight pod templates inside, written out in full.
// Invariant: the same text each time, made from the schemas of the built-in kinds, so that no half a megabyte is kept as a file.
import type { CustomResourceDefinition, JSONSchemaProps } from '../../api/generated/types.ts';
import { refName, type Schema, schemaOf } from '../../api/schema/schema.ts';

const POD_TEMPLATE = 'io.k8s.api.core.v1.PodTemplateSpec';
const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
/** Parts of a monitoring system, each with a pod template of its own. */
const PARTS = [
  'collector',
  'store',
  'ruler',
  'alerter',
  'gateway',
  'compactor',
  'console',
  'proxy',
];
/** Descriptions are cut here: whole ones make six times as much text, which most projects leave out. */
const DESCRIPTION_CHARACTERS = 20;

/** The group and kind of the definition. */
export const LARGE = {
  group: 'watch.example.com',
  version: 'v1',
  plural: 'observatories',
} as const;

/** The definition: over 500 KB of JSON, 9,000 properties. */
export function largeDefinition(): CustomResourceDefinition {
  const { group, version, plural } = LARGE;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind: 'Observatory', plural, shortNames: ['obs'] },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.shards',
              statusReplicasPath: '.status.shards',
              labelSelectorPath: '.status.selector',
            },
          },
          additionalPrinterColumns: [
            { name: 'Shards', type: 'integer', jsonPath: '.spec.shards' },
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
          schema: { openAPIV3Schema: wholeSchema() },
        },
      ],
    },
  };
}

/** An object of it that uses three of its templates. */
export function largeInstance(name: string): object {
  const { group, version } = LARGE;
  return {
    apiVersion: `${group}/${version}`,
    kind: 'Observatory',
    metadata: { name },
    spec: {
      retention: '15d',
      ...Object.fromEntries(PARTS.slice(0, 3).map((part) => [part, { template: template(part) }])),
    },
  };
}

function template(part: string): object {
  return {
    metadata: { labels: { part } },
    spec: {
      containers: [
        {
          name: part,
          image: `registry.example.com/watch/${part}:1.4.2`,
          ports: [{ containerPort: 9090 }],
          env: [{ name: 'PART', value: part }],
          resources: { requests: { cpu: '100m', memory: '128Mi' } },
          readinessProbe: { httpGet: { path: '/readyz', port: 9090 }, periodSeconds: 1 },
        },
      ],
    },
  };
}

/** How many properties a schema has, at every depth. */
export function countProperties(schema: JSONSchemaProps): number {
  const { properties = {}, items, additionalProperties } = schema;
  const parts = [...Object.values(properties), items, additionalProperties] as unknown[];
  const below = parts.filter((part): part is JSONSchemaProps => part instanceof Object);
  const own = Object.keys(properties).length;
  return below.reduce((count, part) => count + countProperties(part), own);
}

function wholeSchema(): JSONSchemaProps {
  const parts = PARTS.map((part): [string, JSONSchemaProps] => [
    part,
    {
      type: 'object',
      description: `How the ${part} runs.`,
      properties: {
        version: { type: 'string', pattern: '^v?[0-9]+(\\.[0-9]+)*$' },
        paused: { type: 'boolean', default: false },
        template: expanded(schemaOf(POD_TEMPLATE), DESCRIPTION_CHARACTERS),
      },
    },
  ]);
  const status = { shards: { type: 'integer' }, selector: { type: 'string' } };
  return {
    type: 'object',
    required: ['spec'],
    properties: {
      spec: {
        type: 'object',
        properties: {
          shards: { type: 'integer', minimum: 0, default: 1 },
          retention: { type: 'string', pattern: '^[0-9]+(ms|[smhdwy])$', default: '24h' },
          ...Object.fromEntries(parts),
        },
      },
      status: { type: 'object', properties: status },
    },
  };
}

/**
 * A built-in schema as a definition may have it: nothing is referred to, and the keys of lists are always there. Descriptions
 * are cut to so many characters.
 */
export function expanded(schema: Schema, characters: number): JSONSchemaProps {
  const name = refName(schema);
  const described = describe(schema, characters);
  if (name === OBJECT_META) return { ...described, ...TEMPLATE_META };
  if (name !== undefined) return { ...expanded(schemaOf(name), characters), ...described };
  if (schema.oneOf) return { ...described, ...INT_OR_STRING };
  const { properties, items, additionalProperties, required = [] } = schema;
  const keys = schema['x-kubernetes-list-map-keys'];
  const below = (part: Schema) => expanded(part, characters);
  const fields = Object.entries(properties ?? {});
  return {
    ...described,
    ...(schema.type && { type: schema.type }),
    ...(schema.format && { format: schema.format }),
    ...(required.length > 0 && { required: [...required] }),
    ...(fields.length > 0 && {
      properties: Object.fromEntries(fields.map(([key, part]) => [key, below(part)])),
    }),
    ...(items && { items: keys ? withKeys(below(items), keys) : below(items) }),
    ...(additionalProperties && { additionalProperties: below(additionalProperties) }),
    ...listTypeOf(schema),
  };
}

/** What operators let be said of a template's metadata. */
const MARKS: JSONSchemaProps = { type: 'object', additionalProperties: { type: 'string' } };
const TEMPLATE_META: JSONSchemaProps = {
  type: 'object',
  properties: { name: { type: 'string' }, labels: MARKS, annotations: MARKS },
};
const INT_OR_STRING: JSONSchemaProps = {
  anyOf: [{ type: 'integer' }, { type: 'string' }],
  'x-kubernetes-int-or-string': true,
};

function describe({ description }: Schema, characters: number): JSONSchemaProps {
  return description === undefined ? {} : { description: description.slice(0, characters) };
}

function listTypeOf(schema: Schema): JSONSchemaProps {
  const keys = schema['x-kubernetes-list-map-keys'];
  const type = schema['x-kubernetes-list-type'];
  const mapType = schema['x-kubernetes-map-type'];
  return {
    ...(type && { 'x-kubernetes-list-type': type }),
    ...(keys && { 'x-kubernetes-list-map-keys': [...keys] }),
    ...(mapType && { 'x-kubernetes-map-type': mapType }),
  };
}

/** Keys that may be left out get a default. */
function withKeys(items: JSONSchemaProps, keys: readonly string[]): JSONSchemaProps {
  const properties = { ...items.properties };
  for (const key of keys) {
    const part = properties[key];
    if (part === undefined || items.required?.includes(key)) continue;
    properties[key] = { ...part, default: key === 'protocol' ? 'TCP' : '' };
  }
  return { ...items, properties };
}
