// Differences between schemas: what narrows is never told as anything less.
import { describe, expect, it } from 'vitest';
import type { CustomResourceDefinition, JSONSchemaProps } from '../../../api/generated/types.ts';
import { defineKind } from './define-kind.ts';
import { definitionChanges } from './definition-diff.ts';
import { schemaChanges } from './schema-diff.ts';
import { z } from './zod.ts';

const TEXT: JSONSchemaProps = { type: 'string' };
const object = (properties: Record<string, JSONSchemaProps>, required: string[] = []) => ({
  type: 'object',
  properties,
  required,
});
const changes = (before: JSONSchemaProps, after: JSONSchemaProps) =>
  schemaChanges(before, after).map(({ sort, path, what }) => `${sort} ${path}: ${what}`);
const OPEN = { 'x-kubernetes-preserve-unknown-fields': true };
const RULE = { 'x-kubernetes-validations': [{ rule: 'self > 1' }] };

describe('Between schemas', () => {
  it.each<[string, JSONSchemaProps, JSONSchemaProps, string[]]>([
    ['nothing', object({ a: TEXT }), object({ a: { ...TEXT, description: 'Said.' } }), []],
    ['fields', object({ a: TEXT }), object({ b: TEXT }), ['added b: string', 'removed a: string']],
    [
      'required fields',
      object({ a: TEXT }),
      object({ a: TEXT, b: TEXT }, ['a', 'b']),
      ['narrowed a: is required', 'added b: string', 'narrowed b: is required'],
    ],
    [
      'fields no longer required',
      object({ a: TEXT }, ['a']),
      object({ a: TEXT }),
      ['widened a: is no longer required'],
    ],
    ['types', TEXT, { type: 'integer' }, ['narrowed : type string -> integer']],
    ['any type', TEXT, OPEN, ['widened : type string -> anything']],
    ['a type at last', OPEN, TEXT, ['narrowed : type anything -> string']],
    [
      'least values',
      { type: 'integer', minimum: 1 },
      { type: 'integer', minimum: 2 },
      ['narrowed : minimum 1 -> 2'],
    ],
    [
      'no least value',
      { type: 'integer', minimum: 1 },
      { type: 'integer' },
      ['widened : minimum 1 -> none'],
    ],
    [
      'most characters',
      { ...TEXT, maxLength: 3 },
      { ...TEXT, maxLength: 4 },
      ['widened : maxLength 3 -> 4'],
    ],
    [
      'exclusive bounds',
      { type: 'number', minimum: 1 },
      { type: 'number', minimum: 1, exclusiveMinimum: true },
      ['narrowed : exclusiveMinimum false -> true'],
    ],
    ['null', { ...TEXT, nullable: true }, TEXT, ['narrowed : nullable true -> false']],
    [
      'values',
      { ...TEXT, enum: ['a', 'b'] },
      { ...TEXT, enum: ['b', 'c'] },
      ['narrowed : value "a" is gone', 'widened : value "c" is new'],
    ],
    ['values at last', TEXT, { ...TEXT, enum: ['b'] }, ['narrowed : enum none -> ["b"]']],
    [
      'patterns',
      { ...TEXT, pattern: 'a' },
      { ...TEXT, pattern: 'b' },
      ['narrowed : pattern "a" -> "b"'],
    ],
    ['no pattern', { ...TEXT, pattern: 'a' }, TEXT, ['widened : pattern "a" -> none']],
    ['defaults', TEXT, { ...TEXT, default: 'a' }, ['changed : default none -> "a"']],
    [
      'rules',
      { type: 'integer' },
      { type: 'integer', ...RULE },
      ['narrowed : rule self > 1 is new'],
    ],
    [
      'no rule',
      { type: 'integer', ...RULE },
      { type: 'integer' },
      ['widened : rule self > 1 is gone'],
    ],
    [
      'open objects that close',
      { type: 'object', ...OPEN },
      { type: 'object' },
      ['removed : fields that the schema does not name'],
    ],
    [
      'fields that are told where anything stood',
      { type: 'object', ...OPEN },
      { ...object({ a: TEXT }), ...OPEN },
      ['narrowed a: type anything -> string'],
    ],
    [
      'maps whose values are told at last',
      { type: 'object', additionalProperties: true },
      { type: 'object', additionalProperties: TEXT },
      ['removed : fields that the schema does not name', 'narrowed {}: type anything -> string'],
    ],
    [
      'kinds of lists',
      { type: 'array', items: TEXT },
      { type: 'array', items: TEXT, 'x-kubernetes-list-type': 'set' },
      ['narrowed : x-kubernetes-list-type none -> "set"'],
    ],
    [
      'items and values',
      object({
        a: { type: 'array', items: TEXT },
        b: { type: 'object', additionalProperties: TEXT },
      }),
      object({
        a: { type: 'array', items: { ...TEXT, maxLength: 1 } },
        b: { type: 'object', additionalProperties: { ...TEXT, maxLength: 1 } },
      }),
      ['narrowed a[]: maxLength none -> 1', 'narrowed b{}: maxLength none -> 1'],
    ],
    [
      'a map that becomes named fields',
      { type: 'object', additionalProperties: TEXT },
      object({ a: TEXT }),
      ['added a: string', 'removed {}: string'],
    ],
  ])('%s', (_what, ...[before, after, wanted]) => {
    expect(changes(before, after)).toEqual(wanted);
  });
});

describe('Between definitions', () => {
  const group = { group: 'example.com', kind: 'Dial', spec: z.object({}) } as const;
  const told = (before: CustomResourceDefinition, after: CustomResourceDefinition) =>
    definitionChanges(before, after).map(
      ({ sort, version, path, what }) => `${sort} ${version} ${path}: ${what}`,
    );
  const one = defineKind({ ...group, version: 'v1' });

  it('are versions that come and go, and which one is stored', () => {
    const two = defineKind({ ...group, version: 'v2', versions: [{ kind: one, served: false }] });
    expect(told(one.definition(), two.definition())).toEqual([
      'changed  storageVersion: "v1" -> "v2"',
      'added v2 : the version',
      'removed v1 : is no longer served',
    ]);
    const [, , gone] = told(two.definition(), one.definition());
    expect(gone).toBe('removed v2 : the version');
  });

  it('are names, columns and subresources, and nothing that a server fills in', () => {
    const crd = one.definition();
    const served = structuredClone(crd);
    served.spec.conversion = { strategy: 'None' };
    served.metadata = { ...served.metadata, uid: 'u', generation: 3 };
    expect(told(served, crd)).toEqual([]);
    const more = defineKind({
      ...group,
      version: 'v1',
      shortNames: ['dl'],
      status: z.object({}),
      columns: { Age: '.metadata.creationTimestamp' },
    });
    expect(told(crd, more.definition())).toEqual([
      'changed  shortNames: [] -> ["dl"]',
      'added v1 status: object',
      expect.stringMatching(/^changed v1 columns: none -> /),
      'changed v1 subresources: none -> {"status":{}}',
    ]);
  });
});
