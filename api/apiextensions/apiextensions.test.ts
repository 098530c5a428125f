// CustomResourceDefinitions: rules with their fields and types, defaults, what changes may be made.
import { describe, expect, it } from 'vitest';
import { broken, cells, made } from '../../test/support/kind-rules.ts';
import type { CustomResourceDefinition, JSONSchemaProps } from '../generated/types.ts';
import { customResourceDefinitionDefinition as definition } from './custom-resource-definition.ts';
import { MAX_DEFINITION_ERRORS } from './definition-validation.ts';
import { cpuMs } from '../../test/support/cpu.ts';

const OPEN = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const SCHEMA = 'spec.validation.openAPIV3Schema';

interface Parts {
  readonly spec?: object;
  readonly version?: object;
  readonly names?: object;
  readonly metadata?: object;
}

function crd({ spec, version, names, metadata }: Parts = {}): CustomResourceDefinition {
  return made(definition, {
    metadata: { name: 'tabs.example.com', ...metadata },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'tabs', kind: 'Tab', ...names },
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: OPEN }, ...version },
      ],
      ...spec,
    },
  });
}

const withSchema = (schema: object) => crd({ version: { schema: { openAPIV3Schema: schema } } });
/** A schema whose one field is this. */
const withField = (field: object, more: object = {}) =>
  withSchema({ type: 'object', properties: { a: field }, ...more });
const FIELD = `${SCHEMA}.properties[a]`;

describe('CustomResourceDefinitions', () => {
  it('take names from their kind', () => {
    expect(crd().spec.names).toMatchObject({ singular: 'tab', listKind: 'TabList' });
    expect(crd().spec.conversion).toEqual({ strategy: 'None' });
  });

  it('are told of formats of texts that nobody knows, each once, and of no others', () => {
    const text = (format: string) => ({ type: 'string', format });
    const properties = {
      a: text('guess'),
      b: text('guess'),
      c: { type: 'array', items: text('any-day') },
      d: { type: 'object', additionalProperties: text('int64') },
      e: text('date-time'),
      f: text('password'),
      g: { type: 'integer', format: 'int17' },
    };
    const told = (schema: object) => definition.warnings?.(withSchema(schema), undefined);
    expect(told({ type: 'object', properties })).toEqual([
      'unrecognized format "any-day"',
      'unrecognized format "guess"',
      'unrecognized format "int64"',
    ]);
    expect(told(OPEN)).toEqual([]);
  });

  it('show when they were made', () => {
    const one = crd({ metadata: { creationTimestamp: '2026-01-02T03:04:05Z' } });
    expect(cells(definition, one)).toEqual({
      Name: 'tabs.example.com',
      'Created At': '2026-01-02T03:04:05Z',
    });
  });

  it('list the versions that objects were stored in', () => {
    const one = crd();
    definition.prepareForCreate?.(one);
    expect(one.status).toMatchObject({ storedVersions: ['v1'] });
    const next = crd({ version: { name: 'v2' } });
    next.status = one.status;
    definition.prepareForUpdate?.(next, one);
    expect(next.status?.storedVersions).toEqual(['v1', 'v2']);
    expect(broken(definition, next, one)).toEqual(['status.storedVersions[0] Invalid']);
  });

  it.each<[string, Parts, string[]]>([
    ['that are well', {}, []],
    ['with another name', { metadata: { name: 'tabs' } }, ['metadata.name Invalid']],
    [
      'of a group without a dot',
      { spec: { group: 'example' }, metadata: { name: 'tabs.example' } },
      ['spec.group Invalid'],
    ],
    [
      'of a group that is the project’s own',
      { spec: { group: 'example.k8s.io' }, metadata: { name: 'tabs.example.k8s.io' } },
      ['metadata.annotations[api-approved.kubernetes.io] Required'],
    ],
    ['of no scope', { spec: { scope: '' } }, ['spec.scope Required']],
    ['of an odd scope', { spec: { scope: 'World' } }, ['spec.scope NotSupported']],
    [
      'whose kind is no name',
      { names: { kind: 'T_b' } },
      ['spec.names.singular Invalid', 'spec.names.kind Invalid', 'spec.names.listKind Invalid'],
    ],
    [
      'whose list is called as the kind',
      { names: { listKind: 'Tab' } },
      ['spec.names.listKind Invalid'],
    ],
    [
      'with odd short names',
      { names: { shortNames: ['T'], categories: ['A B'] } },
      ['spec.names.shortNames[0] Invalid', 'spec.names.categories[0] Invalid'],
    ],
    ['without versions', { spec: { versions: [] } }, ['spec.versions Invalid']],
    ['with no stored version', { version: { storage: false } }, ['spec.versions Invalid']],
    ['with an odd version', { version: { name: '1' } }, ['spec.versions[0].name Invalid']],
    [
      'without a schema',
      { version: { schema: {} } },
      ['spec.versions[0].schema.openAPIV3Schema Required'],
    ],
    [
      'that would keep all',
      { spec: { preserveUnknownFields: true } },
      ['spec.preserveUnknownFields Invalid'],
    ],
    [
      'with a warning without need',
      { version: { deprecationWarning: 'go' } },
      ['spec.versions[0].deprecationWarning Invalid'],
    ],
    [
      'converted by nobody',
      { spec: { conversion: { strategy: 'Webhook' } } },
      [
        'spec.conversion.webhookClientConfig Required',
        'spec.conversion.webhook.conversionReviewVersions Required',
      ],
    ],
    [
      'converted for nothing',
      { spec: { conversion: { strategy: 'None', webhook: { conversionReviewVersions: ['v1'] } } } },
      ['spec.conversion.webhook Forbidden'],
    ],
    [
      'with odd columns',
      {
        version: {
          additionalPrinterColumns: [
            { name: '', type: 'odd', jsonPath: '' },
            { name: 'a', type: 'string', jsonPath: 'spec' },
            { name: 'a', type: 'string', format: 'odd', jsonPath: '.spec[' },
          ],
        },
      },
      [
        'spec.additionalPrinterColumns[0].name Required',
        'spec.additionalPrinterColumns[0].type NotSupported',
        'spec.additionalPrinterColumns[0].JSONPath Required',
        'spec.additionalPrinterColumns[1].jsonPath Invalid',
        'spec.additionalPrinterColumns[2].format NotSupported',
        'spec.additionalPrinterColumns[2].jsonPath Invalid',
      ].sort(),
    ],
    [
      'with an odd scale',
      {
        version: {
          subresources: {
            scale: {
              specReplicasPath: '.status.a',
              statusReplicasPath: '',
              labelSelectorPath: 'a',
            },
          },
        },
      },
      [
        'spec.subresources.scale.specReplicasPath Invalid',
        'spec.subresources.scale.statusReplicasPath Required',
        'spec.subresources.scale.labelSelectorPath Invalid',
      ],
    ],
    [
      'with odd fields to select by',
      {
        version: {
          selectableFields: [
            { jsonPath: '.metadata.name' },
            { jsonPath: '.spec.a' },
            { jsonPath: '.spec.a' },
            { jsonPath: 'a' },
          ],
        },
      },
      [
        'spec.selectableFields[0].jsonPath Invalid',
        'spec.selectableFields[1].jsonPath Invalid',
        'spec.selectableFields[2].jsonPath Duplicate',
        'spec.selectableFields[3].jsonPath Invalid',
      ],
    ],
  ])('%s', (_, parts, errors) => {
    expect(broken(definition, crd(parts)).sort()).toEqual(errors.toSorted());
  });

  it('tell of a schema at the version that has it, where versions differ', () => {
    const version = { served: true, storage: false, schema: { openAPIV3Schema: OPEN } };
    const two = crd({
      spec: {
        versions: [
          { ...version, name: 'v1', storage: true },
          { ...version, name: 'v2', schema: { openAPIV3Schema: { type: 'string' } } },
        ],
      },
    });
    expect(broken(definition, two)).toEqual([
      'spec.versions[1].schema.openAPIV3Schema.type Invalid',
    ]);
  });

  it('keep group and names, and once established scope and kind', () => {
    const old = crd();
    const next = crd({ spec: { scope: 'Cluster' }, names: { kind: 'Tub' } });
    next.status = { storedVersions: ['v1'] };
    expect(broken(definition, next, old)).toEqual([]);
    old.status = { conditions: [{ type: 'Established', status: 'True' }], storedVersions: ['v1'] };
    expect(broken(definition, next, old)).toEqual([
      'spec.scope Invalid',
      'spec.names.kind Invalid',
    ]);
  });
});

describe('Schemas of custom resources', () => {
  it.each<[string, CustomResourceDefinition, string[]]>([
    ['of no type', withSchema({ properties: {} }), [`${SCHEMA}.type Required`]],
    [
      'that may be null',
      withSchema({ type: 'object', nullable: true }),
      [`${SCHEMA}.nullable Forbidden`],
    ],
    [
      'that are maps',
      withSchema({ type: 'object', additionalProperties: { type: 'string' } }),
      [`${SCHEMA}.additionalProperties Forbidden`],
    ],
    [
      'with rules of metadata',
      withSchema({
        type: 'object',
        properties: { metadata: { type: 'object', properties: { labels: OPEN } } },
      }),
      [`${SCHEMA}.properties[metadata] Forbidden`],
    ],
    [
      'with rules of names',
      withSchema({
        type: 'object',
        properties: {
          metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 9 } } },
        },
      }),
      [],
    ],
    [
      'with a kind that is no text',
      withSchema({ type: 'object', properties: { kind: { type: 'integer' } } }),
      [`${SCHEMA}.properties[kind].type Invalid`],
    ],
    ['with a field of no type', withField({}), [`${FIELD}.type Required`]],
    ['with a field of an odd type', withField({ type: 'text' }), [`${FIELD}.type NotSupported`]],
    ['with a list of nothing', withField({ type: 'array' }), [`${FIELD}.items Required`]],
    [
      'with items of no type',
      withField({ type: 'array', items: {} }),
      [`${FIELD}.items.type Required`],
    ],
    [
      'with items of several schemas',
      withField({ type: 'array', items: [{ type: 'string' }] }),
      [`${FIELD}.items Forbidden`, `${FIELD}.items Required`],
    ],
    [
      'with what nobody supports',
      withField({
        type: 'object',
        $ref: '#/a',
        definitions: { a: {} },
        patternProperties: { a: {} },
        uniqueItems: true,
      }),
      [
        `${FIELD}.$ref Forbidden`,
        `${FIELD}.definitions Forbidden`,
        `${FIELD}.patternProperties Forbidden`,
        `${FIELD}.uniqueItems Forbidden`,
      ],
    ],
    [
      'that are struct and map',
      withField({
        type: 'object',
        properties: { b: { type: 'string' } },
        additionalProperties: true,
      }),
      [`${FIELD}.additionalProperties Forbidden`],
    ],
    [
      'with a type in a rule',
      withField({ type: 'object', anyOf: [{ type: 'object' }] }),
      [`${FIELD}.anyOf[0].type Forbidden`],
    ],
    [
      'with a field in a rule alone',
      withField({
        type: 'object',
        properties: { b: { type: 'string' } },
        oneOf: [{ properties: { b: { pattern: 'x' }, c: { pattern: 'y' } } }],
      }),
      [`${FIELD}.properties[c] Required`],
    ],
    [
      'with a rule of a known field',
      withField({
        type: 'object',
        properties: { b: { type: 'string' } },
        not: { properties: { b: { enum: ['x'] } }, required: ['b'] },
      }),
      [],
    ],
    [
      'with a pattern that is none',
      withField({ type: 'string', pattern: '(' }),
      [`${FIELD}.pattern Invalid`],
    ],
    [
      'with a pattern that RE2 has not',
      withField({ type: 'string', pattern: '(a)\\1' }),
      [`${FIELD}.pattern Invalid`],
    ],
    [
      'of an integer or a text',
      withField({
        'x-kubernetes-int-or-string': true,
        anyOf: [{ type: 'integer' }, { type: 'string' }],
      }),
      [],
    ],
    [
      'of both and a type',
      withField({ 'x-kubernetes-int-or-string': true, type: 'string' }),
      [`${FIELD}.type Invalid`],
    ],
    [
      'with whole objects',
      withField({ type: 'object', 'x-kubernetes-embedded-resource': true }),
      [`${FIELD}.properties Required`],
    ],
    [
      'with a keyed list without keys',
      withField({ type: 'array', items: OPEN, 'x-kubernetes-list-type': 'map' }),
      [`${FIELD}.x-kubernetes-list-map-keys Required`],
    ],
    [
      'with a keyed list whose key may be missing',
      withField({
        type: 'array',
        items: { type: 'object', properties: { k: { type: 'string' } } },
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k'],
      }),
      [`${FIELD}.items.properties[k].default Required`],
    ],
    [
      'with a key that is no field',
      withField({
        type: 'array',
        items: OPEN,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k'],
      }),
      [`${FIELD}.x-kubernetes-list-map-keys[0] Invalid`],
    ],
    [
      'with keys of no keyed list',
      withField({ type: 'array', items: { type: 'string' }, 'x-kubernetes-list-map-keys': ['k'] }),
      [`${FIELD}.x-kubernetes-list-type Required`],
    ],
    [
      'with a set of objects',
      withField({ type: 'array', items: OPEN, 'x-kubernetes-list-type': 'set' }),
      [`${FIELD}.items.x-kubernetes-map-type Required`],
    ],
    [
      'with an atomic text',
      withField({ type: 'string', 'x-kubernetes-map-type': 'atomic' }),
      [`${FIELD}.type Invalid`],
    ],
    ['with a default', withField({ type: 'integer', default: 3 }), []],
    [
      'with a default of another type',
      withField({ type: 'integer', default: 'x' }),
      [`${FIELD}.default TypeInvalid`],
    ],
    [
      'whose default is an object with metadata that is none',
      withField({
        type: 'object',
        'x-kubernetes-embedded-resource': true,
        'x-kubernetes-preserve-unknown-fields': true,
        default: { apiVersion: 'v1', kind: 'Pod', metadata: { labels: 1 } },
      }),
      [`${FIELD}.default Invalid`],
    ],
    [
      'whose default is an object that does not say what it is',
      withField({
        type: 'object',
        'x-kubernetes-embedded-resource': true,
        'x-kubernetes-preserve-unknown-fields': true,
        default: { kind: 'Pod' },
      }),
      [`${FIELD}.default.apiVersion Required`],
    ],
    ['whose default is null, which is none', withField({ type: 'string', default: null }), []],
    [
      'with a default beyond its bounds',
      withField({ type: 'integer', minimum: 5, default: 3 }),
      [`${FIELD}.default Invalid`],
    ],
    [
      'with a default with odd fields',
      withField({ type: 'object', properties: {}, default: { b: 1 } }),
      [`${FIELD}.default Invalid`],
    ],
    [
      'with a default at the root',
      withSchema({ type: 'object', default: {} }),
      [`${SCHEMA}.default Forbidden`],
    ],
  ])('%s', (_, one, errors) => {
    expect(broken(definition, one).sort()).toEqual(errors.toSorted());
  });

  it('with defaults within defaults and patterns at every level are checked once', () => {
    let deep: JSONSchemaProps = { type: 'string', default: 'x' };
    for (let level = 0; level < 200; level++) {
      const patterned = Array.from({ length: 20 }, (_, i) => [
        `p${i}`,
        { type: 'string', pattern: `^[a-z]+${i}-${level}$` },
      ]);
      const properties = Object.fromEntries([...patterned, ['n', deep]]) as Record<string, object>;
      deep = { type: 'object', default: {}, properties };
    }
    expect(broken(definition, withField(deep))).toEqual([]);
  });

  it('tell of so many broken rules and no more', () => {
    const properties = Object.fromEntries(
      Array.from({ length: 10 * MAX_DEFINITION_ERRORS }, (_, i) => [`f${i}`, {}]),
    );
    expect(broken(definition, withSchema({ type: 'object', properties }))).toHaveLength(
      MAX_DEFINITION_ERRORS,
    );
  });

  it('of 8,000 fields and 500 KB are checked in a moment', () => {
    const description = 'What this field is for, told at some length so that it weighs something.';
    const leaf = { type: 'string', description, default: 'x', maxLength: 100 };
    const branch = (depth: number): JSONSchemaProps => ({
      type: 'object',
      properties: Object.fromEntries(
        Array.from({ length: 20 }, (_, i) => [`f${i}`, depth === 0 ? leaf : branch(depth - 1)]),
      ),
    });
    const schema = branch(2);
    expect(JSON.stringify(schema).length).toBeGreaterThan(500_000);
    // A generous ceiling: the goal of 150 ms is held in docs/performance.md.
    const check = () => expect(broken(definition, withSchema(schema))).toEqual([]);
    expect(cpuMs(check)).toBeLessThan(3000);
  });
});
