// Custom resources as field sets where their schema names some fields and lets others stand.
import { describe, expect, it } from 'vitest';
import { structuralOf } from '../schema/structural/structural.ts';
import { misfitsOf } from './check-config.ts';
import { compare } from './compare.ts';
import { type FieldSet, pathsOf } from './field-set.ts';
import { type StructType, withoutNamed } from './merge-type.ts';
import { describePath } from './path-element.ts';
import { mergeTypeOfStructural } from './structural-type.ts';

const OPEN = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const named = { name: { type: 'string' } };
const type = mergeTypeOfStructural(
  structuralOf({
    type: 'object',
    properties: {
      open: { ...OPEN, properties: named },
      whole: { ...OPEN, 'x-kubernetes-embedded-resource': true },
      closed: { type: 'object', properties: named },
    },
  }),
);
const described = (set: FieldSet) => [...pathsOf(set)].map(describePath);

describe('Fields that a schema lets stand without naming them', () => {
  const value = { open: { name: 'a', other: { deep: 1 } }, whole: { kind: 'A', spec: { b: [2] } } };

  it('may be applied; elsewhere they may not', () => {
    expect(misfitsOf(type, value)).toEqual([]);
    expect(misfitsOf(type, { closed: { other: 1 } })).toEqual([
      '.closed.other: field not declared in schema',
    ]);
  });

  it('are owned as those with a name are, one by one', () => {
    const { changed } = compare(type, {}, value);
    expect(described(changed)).toEqual([
      '.open',
      '.whole',
      '.open.name',
      '.open.other',
      '.open.other.deep',
      '.whole.kind',
      '.whole.spec',
      '.whole.spec.b',
    ]);
    const after = { ...value, open: { name: 'a', more: 1, other: { deep: 2 } } };
    expect(described(compare(type, value, after).changed)).toEqual([
      '.open.more',
      '.open.other.deep',
    ]);
    expect(described(compare(type, after, value).removed)).toEqual(['.open.more']);
  });

  it('do not bring back what counts for nothing', () => {
    const open = mergeTypeOfStructural(structuralOf({ ...OPEN, properties: named }));
    const without = withoutNamed(open as StructType, new Set(['name', 'kind', 'apiVersion']));
    const { changed } = compare(without, {}, { kind: 'A', apiVersion: 'v1', name: 'a', b: 1 });
    expect(described(changed)).toEqual(['.b']);
  });
});
