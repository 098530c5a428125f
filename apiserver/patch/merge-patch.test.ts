// RFC 7396 as a PATCH body uses it.
// JSON merge patch: the examples of RFC 7396 and the laws that hold for any document.
import { fc } from '../../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import { applyMergePatch } from './merge-patch.ts';
import { MAX_PATCH_DEPTH } from './patch-error.ts';

const json = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }));

function hasNull(value: unknown): boolean {
  if (value === null) return true;
  return typeof value === 'object' && !Array.isArray(value) && Object.values(value).some(hasNull);
}

describe('applyMergePatch', () => {
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j is %j', (current, patch, expected) => {
    expect(applyMergePatch(current, patch)).toEqual(expected);
  });

  it('changes neither object nor patch, and is the same when applied twice', () => {
    fc.assert(
      fc.property(json, json, (current, patch) => {
        const before = JSON.stringify([current, patch]);
        const once = applyMergePatch(current, patch);
        expect(JSON.stringify([current, patch])).toBe(before);
        expect(applyMergePatch(once, patch)).toEqual(once);
      }),
    );
  });

  it('makes any object without nulls out of an empty one', () => {
    fc.assert(
      fc.property(
        json.filter((value) => !hasNull(value)),
        (value) => {
          expect(applyMergePatch({}, value)).toEqual(value);
        },
      ),
    );
  });

  it('keeps __proto__ an ordinary key', () => {
    const patch = JSON.parse('{"labels": {"__proto__": {"polluted": 1}}}') as unknown;
    const { labels } = applyMergePatch({ labels: {} }, patch);
    expect(Object.keys(labels as object)).toEqual(['__proto__']);
    expect('polluted' in {}).toBe(false);
  });

  it('refuses a patch that is no object, and one nested without end', () => {
    expect(() => applyMergePatch({}, [1])).toThrow('cannot unmarshal array');
    let patch: object = {};
    for (let depth = 0; depth < MAX_PATCH_DEPTH; depth += 1) patch = { a: patch };
    expect(() => applyMergePatch({}, patch)).toThrow('nested deeper');
  });
});
