// One schema value gives the definition: what each construct of zod and of JSON Schema becomes in it.
import { describe, expect, it } from 'vitest';
import { defineKind } from './define-kind.ts';
import {
  anything,
  conditions,
  duration,
  embeddedObject,
  intOrString,
  listMap,
  listSet,
  quantity,
  timestamp,
} from './fields.ts';
import type { JsonSchema } from './json-schema.ts';
import { isKind } from './kind.ts';
import { KindError } from './kind-error.ts';
import type { SchemaValue } from './object-types.ts';
import { z } from './zod.ts';

const DIAL = { group: 'example.com', version: 'v1', kind: 'Dial' } as const;

/** The schema of a whole object. */
function schemaOf(spec: SchemaValue, more: object = {}) {
  const [version] = defineKind({ ...DIAL, spec, ...more }).definition().spec.versions;
  return version?.schema?.openAPIV3Schema;
}

/** What a field of the spec becomes. */
const fieldOf = (a: z.ZodType) =>
  schemaOf(z.object({ a }))?.properties?.['spec']?.properties?.['a'];
const jsonOf = (a: object) =>
  schemaOf({ type: 'object', properties: { a: a as JsonSchema } })?.properties?.['spec']
    ?.properties?.['a'];
const PRESERVED = { 'x-kubernetes-preserve-unknown-fields': true };
const EITHER = {
  anyOf: [{ type: 'integer' }, { type: 'string' }],
  'x-kubernetes-int-or-string': true,
};

describe('Schemas of zod become structural schemas', () => {
  it.each<[string, z.ZodType, object]>([
    ['texts', z.string().min(1).max(5), { type: 'string', minLength: 1, maxLength: 5 }],
    ['one pattern', z.string().regex(/^a/), { type: 'string', pattern: '^a' }],
    [
      'several patterns',
      z.string().startsWith('a').regex(/b$/),
      { type: 'string', allOf: [{ pattern: '^a.*' }, { pattern: 'b$' }] },
    ],
    ['whole numbers', z.int(), { type: 'integer', format: 'int64' }],
    [
      'numbers made whole',
      z.number().int().min(0),
      { type: 'integer', format: 'int64', minimum: 0 },
    ],
    ['small numbers', z.int32().max(9), { type: 'integer', format: 'int32', maximum: 9 }],
    [
      'bounds',
      z.number().gt(1).lte(2),
      { type: 'number', minimum: 1, exclusiveMinimum: true, maximum: 2 },
    ],
    ['flags with a default', z.boolean().default(true), { type: 'boolean', default: true }],
    ['enums', z.enum(['b', 'c']), { type: 'string', enum: ['b', 'c'] }],
    ['literals', z.literal([1, 2]), { type: 'integer', enum: [1, 2] }],
    [
      'unions of literals',
      z.union([z.literal('b'), z.literal('c')]),
      { type: 'string', enum: ['b', 'c'] },
    ],
    ['null', z.string().nullable(), { type: 'string', nullable: true }],
    [
      'null in a union',
      z.union([z.int32(), z.null()]),
      { type: 'integer', format: 'int32', nullable: true },
    ],
    ['numbers or texts', z.union([z.string(), z.int()]), EITHER],
    [
      'lists',
      z.array(z.string()).min(1).max(3),
      { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: 3 },
    ],
    [
      'maps',
      z.record(z.string(), z.string()),
      { type: 'object', additionalProperties: { type: 'string' } },
    ],
    ['anything', z.any(), PRESERVED],
    ['anything at all', z.unknown(), PRESERVED],
    [
      'open objects',
      z.looseObject({ b: z.string() }),
      { type: 'object', properties: { b: { type: 'string' } }, required: ['b'], ...PRESERVED },
    ],
    [
      'strict objects, which drop what is unknown',
      z.strictObject({ b: z.string() }),
      { type: 'object', properties: { b: { type: 'string' } }, required: ['b'] },
    ],
    ['moments', z.iso.datetime(), { type: 'string', format: 'date-time', pattern: 'T.*Z$' }],
    [
      'moments of any zone',
      z.iso.datetime({ offset: true }),
      { type: 'string', format: 'date-time', pattern: 'T[^z]*$' },
    ],
    ['days', z.iso.date(), { type: 'string', format: 'date' }],
    ['mail', z.email(), { type: 'string', format: 'email', pattern: expect.stringContaining('@') }],
    [
      'mail, the older way',
      z.string().email(),
      { type: 'string', format: 'email', pattern: expect.stringContaining('@') },
    ],
    ['URLs', z.url(), { type: 'string', format: 'uri', pattern: '^[A-Za-z][A-Za-z0-9+.-]*:' }],
    ['ids', z.uuid(), { type: 'string', format: 'uuid', pattern: expect.stringContaining('{12}') }],
    ['addresses', z.ipv4(), { type: 'string', format: 'ipv4' }],
    [
      'networks',
      z.cidrv4(),
      { type: 'string', format: 'cidr', pattern: expect.stringContaining('{3}') },
    ],
    ['bytes', z.base64(), { type: 'string', format: 'byte' }],
    ['what servers know no format of', z.cuid2(), { type: 'string', pattern: '^[0-9a-z]+$' }],
    ['descriptions', z.string().describe('A text.'), { type: 'string', description: 'A text.' }],
    ['examples', z.string().meta({ examples: ['b'] }), { type: 'string', example: 'b' }],
    [
      'keywords of Kubernetes',
      z.array(z.string()).meta({ 'x-kubernetes-list-type': 'atomic' }),
      { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'atomic' },
    ],
    [
      'rules at their place',
      z.int32().meta({ 'x-kubernetes-validations': [{ rule: 'self > 1' }] }),
      { type: 'integer', format: 'int32', 'x-kubernetes-validations': [{ rule: 'self > 1' }] },
    ],
    ['named schemas', z.string().meta({ id: 'kinds-test-name' }), { type: 'string' }],
    [
      'nested defaults',
      z.object({ b: z.int32().default(3) }).prefault({}),
      {
        type: 'object',
        default: {},
        properties: { b: { type: 'integer', format: 'int32', default: 3 } },
      },
    ],
  ])('%s', (_what, schema, wanted) => {
    expect(fieldOf(schema)).toEqual(wanted);
  });

  it.each<[string, z.ZodType, object]>([
    ['int or string', intOrString(), EITHER],
    ['quantities', quantity(), { ...EITHER, pattern: expect.stringMatching(/KMGTPE/) }],
    ['durations', duration(), { type: 'string', format: 'duration', example: '1h30m' }],
    ['times', timestamp(), { type: 'string', format: 'date-time' }],
    ['anything', anything(), PRESERVED],
    [
      'whole objects',
      embeddedObject(),
      { type: 'object', ...PRESERVED, 'x-kubernetes-embedded-resource': true },
    ],
    [
      'sets',
      listSet(z.string()),
      { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
    ],
    [
      'keyed lists',
      listMap(z.object({ b: z.string() }), 'b'),
      { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['b'] },
    ],
    ['conditions', conditions(), { 'x-kubernetes-list-map-keys': ['type'] }],
  ])('and Kubernetes’ own fields are what upstream’s kinds say: %s', (_what, schema, wanted) => {
    expect(fieldOf(schema)).toMatchObject(wanted);
  });

  it('a schema that stands at several places is the same at each', () => {
    const shared = z.object({ b: z.int32(), c: z.iso.date() });
    const made = schemaOf(z.object({ a: shared, b: z.array(shared) }))?.properties?.['spec'];
    const { a, b } = made?.properties ?? {};
    expect(b?.items).toEqual(a);
    expect(a?.properties?.['c']).toEqual({ type: 'string', format: 'date' });
  });
});

describe('JSON Schema becomes a structural schema', () => {
  it.each<[string, object, object]>([
    ['types beside null', { type: ['string', 'null'] }, { type: 'string', nullable: true }],
    ['constants', { const: 'b' }, { type: 'string', enum: ['b'] }],
    [
      'exclusive bounds',
      { type: 'number', exclusiveMinimum: 3 },
      { type: 'number', minimum: 3, exclusiveMinimum: true },
    ],
    [
      'objects that name no type',
      { properties: { b: { type: 'string' } } },
      { type: 'object', properties: { b: { type: 'string' } } },
    ],
    [
      'closed objects',
      { type: 'object', additionalProperties: false, properties: { b: { type: 'string' } } },
      { type: 'object', properties: { b: { type: 'string' } } },
    ],
    [
      'maps of anything',
      { type: 'object', additionalProperties: {} },
      { type: 'object', ...PRESERVED },
    ],
    ['lists of anything', { type: 'array' }, { type: 'array', items: PRESERVED }],
    [
      'types said again in alternatives',
      {
        type: 'string',
        anyOf: [
          { type: 'string', pattern: '^b' },
          { type: 'string', pattern: '^c' },
        ],
      },
      { type: 'string', anyOf: [{ pattern: '^b' }, { pattern: '^c' }] },
    ],
    [
      'alternatives of required fields',
      {
        type: 'object',
        properties: { b: { type: 'string' } },
        oneOf: [{ required: ['b'] }, { not: { required: ['b'] } }],
      },
      {
        type: 'object',
        properties: { b: { type: 'string' } },
        oneOf: [{ required: ['b'] }, { not: { required: ['b'] } }],
      },
    ],
    ['what a definition says already', EITHER, EITHER],
  ])('%s', (_what, schema, wanted) => {
    expect(jsonOf(schema)).toEqual(wanted);
  });

  it('and references are written out', () => {
    const $defs = { name: { type: 'string', maxLength: 3 } };
    const ref = { $ref: '#/$defs/name', description: 'A name.' };
    const made = schemaOf({ type: 'object', $defs, properties: { a: ref } } as SchemaValue);
    const wanted = { type: 'string', maxLength: 3, description: 'A name.' };
    expect(made?.properties?.['spec']?.properties?.['a']).toEqual(wanted);
  });
});

describe('A kind', () => {
  const spec = z.object({ size: z.int32().default(1), at: z.iso.datetime().optional() });

  it('names its resource and scope, and is known as a kind', () => {
    const kind = defineKind({
      ...DIAL,
      spec,
      scope: 'Cluster',
      shortNames: ['dl'],
      categories: ['all'],
    });
    expect(kind).toMatchObject({ plural: 'dials', namespaced: false, storageVersion: 'v1' });
    expect(kind.definition().spec).toMatchObject({
      scope: 'Cluster',
      names: {
        kind: 'Dial',
        plural: 'dials',
        singular: 'dial',
        listKind: 'DialList',
        shortNames: ['dl'],
        categories: ['all'],
      },
    });
    expect([isKind(kind), isKind({ ...DIAL }), isKind(null)]).toEqual([true, false, false]);
  });

  it.each([
    ['Policy', 'policies'],
    ['Ingress', 'ingresses'],
    ['Gateway', 'gateways'],
    ['Batch', 'batches'],
    ['Box', 'boxes'],
  ])('has a plural: %s', (kind, plural) => {
    expect(defineKind({ ...DIAL, kind, spec }).plural).toBe(plural);
  });

  it('requires a spec, unless it may be left out or has a default', () => {
    expect(schemaOf(spec)?.required).toEqual(['spec']);
    expect(schemaOf(spec.optional())?.required).toBeUndefined();
    expect(schemaOf(spec.prefault({}))?.required).toBeUndefined();
  });

  it('has columns with the types of their fields, scale, status and selectable fields', () => {
    const kind = defineKind({
      ...DIAL,
      spec,
      status: z.object({ replicas: z.int32().optional() }),
      columns: {
        Size: '.spec.size',
        At: '.spec.at',
        Odd: { jsonPath: '.spec.size', type: 'string', priority: 1 },
        Age: '.metadata.creationTimestamp',
      },
      scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.replicas' },
      selectableFields: ['.spec.size'],
      deprecated: 'use v2',
    });
    expect(kind.definition().spec.versions[0]).toMatchObject({
      additionalPrinterColumns: [
        { name: 'Size', type: 'integer' },
        { name: 'At', type: 'date' },
        { name: 'Odd', type: 'string', priority: 1 },
        { name: 'Age', type: 'date' },
      ],
      subresources: { status: {}, scale: { specReplicasPath: '.spec.size' } },
      selectableFields: [{ jsonPath: '.spec.size' }],
      deprecated: true,
      deprecationWarning: 'use v2',
    });
  });

  it('takes rules by path, and tells what each may cost', () => {
    const kind = defineKind({
      ...DIAL,
      spec: z.object({
        tags: z.record(z.string(), z.string()).optional(),
        list: z.array(z.int32()).max(5),
      }),
      rules: {
        '': "self.metadata.name != 'x'",
        'spec.list[]': { rule: 'self > 1', message: 'too small' },
        'spec.tags{}': ["self != ''"],
      },
    });
    const costs = kind.ruleCosts();
    expect(costs.map(({ path }) => path).toSorted()).toEqual(['', 'spec.list[]', 'spec.tags{}']);
    // Where nothing bounds a map, as many entries are counted as a request can hold.
    expect(costs[0]?.path).toBe('spec.tags{}');
    expect(costs.find(({ path }) => path === 'spec.list[]')?.cost).toBeLessThan(50);
  });

  it('answers definitions that are the caller’s own', () => {
    const kind = defineKind({ ...DIAL, spec });
    const one = kind.definition();
    one.spec.names.kind = 'Other';
    expect(kind.definition().spec.names.kind).toBe('Dial');
  });

  it('fills in defaults in objects, and leaves manifests as they were written', () => {
    const kind = defineKind({ ...DIAL, spec });
    const written = { metadata: { name: 'a' }, spec: {} };
    expect(kind.object(written)).toEqual({
      apiVersion: 'example.com/v1',
      kind: 'Dial',
      metadata: { name: 'a' },
      spec: { size: 1 },
    });
    expect(kind.manifest(written)['spec']).toEqual({});
  });

  it('documents every field, its default and its rules', () => {
    const kind = defineKind({
      ...DIAL,
      description: 'A dial on a wall.',
      spec: z.object({
        size: z.int32().min(1).default(1).describe('How large | in steps.'),
        mode: z.enum(['on', 'off']),
        hands: z.array(z.object({ length: z.number() })).max(3),
      }),
      rules: { spec: { rule: "self.mode == 'on'", message: 'is on' } },
      columns: { Size: '.spec.size' },
    });
    const page = kind.reference();
    for (const line of [
      '# Dial',
      'A dial on a wall.',
      '| `spec.size` | integer (int32) | `1` | How large \\| in steps. (at least `1`) |',
      '| `spec.mode` | `"on"` or `"off"` | required |  |',
      '| `spec.hands[].length` | number | required |  |',
      "- `spec`: `self.mode == 'on'` (is on)",
      'Columns of `kubectl get`: Size.',
    ])
      expect(page.split('\n')).toContain(line);
  });

  it('that is converted by functions has no definition until somebody says where', () => {
    const older = defineKind({
      ...DIAL,
      version: 'v1alpha1',
      spec: z.object({ width: z.int32() }),
    });
    const kind = defineKind({
      ...DIAL,
      spec,
      versions: [
        {
          kind: older,
          up: (old) => ({ spec: { size: old.spec.width } }),
          down: (now) => ({ spec: { width: now.spec.size } }),
        },
      ],
    });
    expect(() => kind.definition()).toThrow(
      /conversion: its versions are converted by functions: say where/,
    );
    const wrong = { strategy: 'Webhook', webhook: { conversionReviewVersions: [] } };
    expect(() => kind.definition({ conversion: wrong })).toThrow(KindError);
    const conversion = {
      strategy: 'Webhook',
      webhook: {
        conversionReviewVersions: ['v1'],
        clientConfig: { url: 'https://localhost:1/convert' },
      },
    };
    expect(kind.definition({ conversion }).spec).toMatchObject({ conversion });
    const told = defineKind({ ...DIAL, spec, versions: [{ kind: older }], conversion });
    expect(told.definition({ conversion: undefined }).spec).toMatchObject({ conversion });
  });
});
