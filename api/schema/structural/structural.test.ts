// Custom resources against their schema: what is left out, what is filled in, which rules are broken, in upstream's words.
import { describe, expect, it } from 'vitest';
import type { JSONSchemaProps } from '../../generated/types.ts';
import { fillDefaults } from './defaults.ts';
import { formatRule } from './formats.ts';
import { duplicates } from './list-keys.ts';
import { pruned } from './prune.ts';
import { structuralOf } from './structural.ts';
import { MAX_SCHEMA_CHECKS, MAX_SCHEMA_ERRORS, schemaErrors } from './validate.ts';

/** A schema whose field `a` is this. */
const of = (field: object) =>
  structuralOf({ type: 'object', properties: { a: field as JSONSchemaProps } });
const told = (field: object, value: unknown) =>
  schemaErrors({ a: value }, of(field)).map(({ field: at, message }) => `${at}: ${message}`);

it('An object that takes more than MAX_SCHEMA_CHECKS is refused for that, and no rule is told by parts not looked at', () => {
  // A text that the pattern does not match: without checks left nobody knows, and neither `not` nor `oneOf` may tell.
  const pattern = `${'a?'.repeat(400)}b`;
  const many = (count: number) => Array.from({ length: count }, () => 'c'.repeat(2_000));
  const items = { type: 'string', not: { pattern }, oneOf: [{ pattern: '^c*$' }, { pattern }] };
  const field = { type: 'array', items };
  expect(told(field, many(1))).toEqual([]);
  expect(told(field, many(4))).toEqual([
    expect.stringContaining(`at most ${MAX_SCHEMA_CHECKS} checks`),
  ]);
});

describe('Values', () => {
  it.each<[string, object, unknown, string[]]>([
    ['a text', { type: 'string' }, 'x', []],
    [
      'a number for a text',
      { type: 'string' },
      1,
      ['a: Invalid value: "integer": a in body must be of type string: "integer"'],
    ],
    [
      'null for a text',
      { type: 'string' },
      null,
      ['a: Invalid value: "null": a in body must be of type string: "null"'],
    ],
    ['null where it may be', { type: 'string', nullable: true }, null, []],
    ['a whole number', { type: 'integer' }, 3, []],
    ['a whole number for a number', { type: 'number' }, 3, []],
    [
      'a fraction for a whole number',
      { type: 'integer' },
      1.5,
      ['a: Invalid value: "number": a in body must be of type integer: "number"'],
    ],
    [
      'less than the least',
      { type: 'number', minimum: 2, exclusiveMinimum: true },
      2,
      ['a: Invalid value: 2: a in body should be greater than 2'],
    ],
    [
      'more than the most',
      { type: 'number', maximum: 2, exclusiveMaximum: true },
      2,
      ['a: Invalid value: 2: a in body should be less than 2'],
    ],
    ['three tenths', { type: 'number', multipleOf: 0.1 }, 0.3, []],
    [
      'no multiple',
      { type: 'integer', multipleOf: 5 },
      7,
      ['a: Invalid value: 7: a in body should be a multiple of 5'],
    ],
    [
      'no multiple, however large',
      { type: 'integer', multipleOf: 3 },
      2 ** 40,
      ['a: Invalid value: 1099511627776: a in body should be a multiple of 3'],
    ],
    [
      'a text that is too short',
      { type: 'string', minLength: 2 },
      'x',
      ['a: Invalid value: "x": a in body should be at least 2 chars long'],
    ],
    [
      'a text that is too long',
      { type: 'string', maxLength: 2 },
      'xyz',
      ['a: Too long: may not be more than 2 bytes'],
    ],
    ['a text of as many characters', { type: 'string', maxLength: 2 }, '𝒳𝒴', []],
    [
      'none of the known',
      { enum: ['x', 'y'] },
      'z',
      ['a: Unsupported value: "z": supported values: "x", "y"'],
    ],
    [
      'a list that is too long',
      { type: 'array', maxItems: 1, items: {} },
      [1, 2],
      ['a: Too many: 2: must have at most 1 item'],
    ],
    [
      'a list that is too short',
      { type: 'array', minItems: 1, items: {} },
      [],
      ['a: Invalid value: 0: a in body should have at least 1 items'],
    ],
    [
      'an item',
      { type: 'array', items: { type: 'string' } },
      ['x', 1],
      ['a[1]: Invalid value: "integer": a[1] in body must be of type string: "integer"'],
    ],
    [
      'too many fields',
      { type: 'object', maxProperties: 1 },
      { x: 1, y: 2 },
      ['a: Too many: 2: must have at most 1 item'],
    ],
    [
      'too few',
      { type: 'object', minProperties: 1 },
      {},
      ['a: Invalid value: 0: a in body should have at least 1 properties'],
    ],
    [
      'a field that must be there',
      { type: 'object', required: ['b'] },
      {},
      ['a.b: Required value'],
    ],
    [
      'all of several',
      { type: 'string', allOf: [{ minLength: 2 }, { pattern: '^x' }] },
      'y',
      [
        'a: Invalid value: "y": a in body should be at least 2 chars long',
        'a: Invalid value: "y": a in body should match \'^x\'',
        '<nil>: Invalid value: "": "a" must validate all the schemas (allOf). None validated',
      ],
    ],
    [
      'any of several',
      { type: 'string', anyOf: [{ minLength: 2 }, { pattern: '^x' }] },
      'y',
      [
        '<nil>: Invalid value: "": "a" must validate at least one schema (anyOf)',
        'a: Invalid value: "y": a in body should be at least 2 chars long',
      ],
    ],
    [
      'one of several',
      { type: 'string', oneOf: [{ minLength: 2 }, { pattern: '^x' }] },
      'y',
      [
        '<nil>: Invalid value: "": "a" must validate one and only one schema (oneOf). Found none valid',
        'a: Invalid value: "y": a in body should be at least 2 chars long',
      ],
    ],
    [
      'any of several, and lacks least of the one that says most',
      {
        type: 'object',
        properties: { b: { type: 'integer' }, c: { type: 'integer' } },
        anyOf: [
          { properties: { b: { minimum: 5 } } },
          { properties: { b: { minimum: 1 }, c: { maximum: 1 } } },
        ],
      },
      { b: 3, c: 2 },
      [
        '<nil>: Invalid value: "": "a" must validate at least one schema (anyOf)',
        'a.c: Invalid value: 2: a.c in body should be less than or equal to 1',
      ],
    ],
    [
      'two of several',
      { type: 'string', oneOf: [{ minLength: 2 }, { pattern: '^x' }] },
      'xy',
      [
        '<nil>: Invalid value: "": "a" must validate one and only one schema (oneOf). Found 2 valid alternatives',
      ],
    ],
    [
      'what must not be',
      { type: 'string', not: { pattern: '^x' } },
      'xy',
      ['<nil>: Invalid value: "": "a" must not validate the schema (not)'],
    ],
    ['a number or a text', { 'x-kubernetes-int-or-string': true }, '50%', []],
    [
      'neither',
      { 'x-kubernetes-int-or-string': true },
      1.5,
      ['a: Invalid value: "number": a in body must be of type integer,string: "number"'],
    ],
    [
      'a bad format',
      { type: 'string', format: 'date' },
      '2026-02-30',
      ['a: Invalid value: "2026-02-30": a in body must be of type date: "2026-02-30"'],
    ],
    ['a format that nobody knows', { type: 'string', format: 'odd' }, 'x', []],
  ])('%s', (...[, field, value, errors]) => {
    expect(told(field, value)).toEqual(errors);
  });

  it('tell of so many broken rules and no more', () => {
    const list = Array.from({ length: 10 * MAX_SCHEMA_ERRORS }, () => 1);
    expect(told({ type: 'array', items: { type: 'string' } }, list)).toHaveLength(
      MAX_SCHEMA_ERRORS,
    );
  });

  it.each<[string, object, unknown]>([
    [
      'long lists with many choices',
      {
        type: 'array',
        items: { oneOf: Array.from({ length: 10_000 }, (_, i) => ({ minimum: i })) },
      },
      Array.from({ length: 2_000 }, (_, i) => i),
    ],
    [
      'many objects among many',
      { type: 'array', items: { enum: Array.from({ length: 20_000 }, (_, i) => ({ i })) } },
      Array.from({ length: 20_000 }, () => ({ i: -1 })),
    ],
    [
      'long texts with large patterns',
      { type: 'string', pattern: '(?:[ab]?c){900}d' },
      'abc'.repeat(50_000),
    ],
  ])('stop at %s', (...[, field, value]) => {
    const errors = schemaErrors({ a: value }, of(field));
    expect(errors.at(-1)?.message).toMatch(/must be checkable against its schema in at most/);
  });

  it('are looked up among many in no time', () => {
    const known = Array.from({ length: 20_000 }, (_, i) => `v${i}`);
    const list = { type: 'array', items: { type: 'string', enum: known } };
    expect(told(list, known)).toEqual([]);
  });

  it('stall at no pattern', () => {
    const evil = { type: 'string', pattern: '^(a+)+$' };
    expect(told(evil, `${'a'.repeat(5000)}!`)).toHaveLength(1);
  });

  it.each<[string, string[], string[]]>([
    [
      'date-time',
      ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.6+02:00'],
      ['2026-01-02', '2026-13-02T03:04:05Z', '2026-01-02T25:04:05Z', '2026-01-02T24:00:00Z'],
    ],
    ['duration', ['1h30m', '1.5s', '0', '-2ms'], ['1', 'soon', '1x']],
    ['ipv4', ['10.0.0.1'], ['::1', '10.0.0']],
    ['ipv6', ['::1'], ['10.0.0.1', 'fe80::1%eth0']],
    ['cidr', ['10.0.0.0/8'], ['10.0.0.0']],
    ['byte', ['YWJj', ''], ['a']],
    ['uuid', ['123e4567-e89b-12d3-a456-426614174000'], ['123e4567']],
    ['uuid4', ['123e4567-e89b-42d3-a456-426614174000'], ['123e4567-e89b-12d3-a456-426614174000']],
    ['hostname', ['a.example.com'], ['-a', '']],
    ['email', ['a@example.com'], ['a']],
    ['uri', ['https://example.com/a', '/a'], ['a b']],
    ['mac', ['00:11:22:33:44:55'], ['00:11']],
    ['isbn', ['0-306-40615-2', '978 0 306 40615 7'], ['0-306-40615-3', '1']],
    ['isbn10', ['0-8044-2957-X'], ['978-0-306-40615-7', '0-8044-2957-1', '0-8044-X957-X']],
    ['isbn13', ['978-0-306-40615-7'], ['978-0-306-40615-8', '0-306-40615-2']],
    ['creditcard', ['4111 1111 1111 1111', '3782-822463-10005'], ['4111111111111112', '1234']],
    ['ssn', ['123-45-6789', '123456789'], ['12-345-6789', '123-45-678']],
    ['hexcolor', ['#fff', '00ff7F'], ['#ff', 'red']],
    ['rgbcolor', ['rgb(0, 128,255)', 'rgb( 1,2,3 )'], ['rgb(0,0,256)', 'rgb(01,2,3)', 'rgb(1,2)']],
    [
      'bsonobjectid',
      ['507f1f77bcf86cd799439011'],
      ['507f1f77bcf86cd79943901', 'z07f1f77bcf86cd799439011'],
    ],
    ['k8s-short-name', ['a-1'], ['A', 'a.b', '-a', '']],
    ['k8s-long-name', ['a-1.b'], ['A.b', 'a..b', '']],
  ])('have the format %s', (format, right, wrong) => {
    const rule = formatRule(format);
    expect(right.filter((text) => !rule?.(text))).toEqual([]);
    expect(wrong.filter((text) => rule?.(text))).toEqual([]);
  });

  it('have no format that objects inherit', () => {
    expect(formatRule('constructor')).toBeUndefined();
  });
});

describe('Sets and keyed lists', () => {
  it.each<[string, object, unknown, string[]]>([
    [
      'a set',
      { type: 'array', items: {}, 'x-kubernetes-list-type': 'set' },
      ['x', 'y', 'x'],
      ['a[2]'],
    ],
    [
      'a set of objects',
      { type: 'array', items: {}, 'x-kubernetes-list-type': 'set' },
      [
        { x: 1, y: 2 },
        { y: 2, x: 1 },
      ],
      ['a[1]'],
    ],
    ['1 and "1"', { type: 'array', items: {}, 'x-kubernetes-list-type': 'set' }, [1, '1'], []],
    ['an atomic list', { type: 'array', items: {} }, ['x', 'x'], []],
    [
      'two keys',
      {
        type: 'array',
        items: {},
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k', 'l'],
      },
      [
        { k: 1, l: 1 },
        { k: 1, l: 2 },
        { k: 1, l: 1 },
      ],
      ['a[2]'],
    ],
  ])('%s', (...[, field, value, places]) => {
    expect(duplicates({ a: value }, of(field)).map(({ field: at }) => at)).toEqual(places);
  });
});

describe('Unknown fields and defaults', () => {
  const schema = structuralOf({
    type: 'object',
    properties: {
      known: { type: 'object', properties: { x: { type: 'string' } } },
      open: {
        type: 'object',
        'x-kubernetes-preserve-unknown-fields': true,
        properties: { half: { type: 'object', properties: {} } },
      },
      map: {
        type: 'object',
        additionalProperties: {
          type: 'object',
          properties: { x: { type: 'integer', default: 1 } },
        },
      },
      template: {
        type: 'object',
        'x-kubernetes-embedded-resource': true,
        'x-kubernetes-preserve-unknown-fields': true,
      },
      nested: { type: 'object', default: {}, properties: { y: { type: 'string', default: 'z' } } },
      nothing: { type: 'string', default: 'some' },
    },
  });

  it('go, and are named; open fields keep theirs', () => {
    const { object, unknownFields } = pruned(
      {
        apiVersion: 'v1',
        kind: 'A',
        metadata: { name: 'a', odd: 1 },
        known: { x: 'y', z: 1 },
        open: { any: { thing: 1 }, half: { gone: 1 } },
        map: { k: { x: 2, y: 3 } },
        template: { kind: 'Pod', metadata: { labels: { a: 'b' }, odd: 1 }, spec: { any: 1 } },
        'odd.name': 1,
        __proto__: null,
      },
      schema,
    );
    expect(object).toEqual({
      apiVersion: 'v1',
      kind: 'A',
      metadata: { name: 'a' },
      known: { x: 'y' },
      open: { any: { thing: 1 }, half: {} },
      map: { k: { x: 2 } },
      template: { kind: 'Pod', metadata: { labels: { a: 'b' } }, spec: { any: 1 } },
    });
    expect(unknownFields).toEqual([
      'metadata.odd',
      'known.z',
      'open.half.gone',
      'map.k.y',
      'template.metadata.odd',
      'odd.name',
    ]);
  });

  it('keep a key named __proto__ an ordinary one', () => {
    const value = JSON.parse('{"open":{"__proto__":{"polluted":1}}}') as Record<string, unknown>;
    const { object } = pruned(value, schema);
    expect(JSON.stringify(object)).toBe('{"open":{"__proto__":{"polluted":1}}}');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it('refuse what is nested without end', () => {
    let deep: object = {};
    for (let i = 0; i < 1000; i++) deep = { deep };
    expect(() => pruned({ open: deep }, schema)).toThrow(/max depth/);
  });

  it('are filled in where nothing stands, in maps too, and each object has its own', () => {
    const [one, two] = [{ map: { k: {} } }, { nothing: null, nested: { y: 'mine' } }];
    fillDefaults(one, schema);
    fillDefaults(two, schema);
    expect(one).toEqual({ map: { k: { x: 1 } }, nested: { y: 'z' }, nothing: 'some' });
    expect(two).toEqual({ nothing: 'some', nested: { y: 'mine' } });
    const three = { nested: undefined };
    fillDefaults(three, schema);
    expect((three as { nested?: unknown }).nested).not.toBe((one as { nested?: unknown }).nested);
  });
});
