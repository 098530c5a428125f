// Equality of API values.
import { describe, expect, it } from 'vitest';
import { deepEqual, sameMeaning } from './deep-equal.ts';

describe('deepEqual', () => {
  it.each<[unknown, unknown, boolean]>([
    [1, 1, true],
    [1, '1', false],
    [{ a: 1, b: undefined }, { a: 1 }, true],
    [{ a: null }, {}, true],
    [{}, { a: null }, true],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [[1, 2], [1, 2], true],
    [[1, 2], [2, 1], false],
    [[], {}, false],
    [{ a: [{ b: 1 }] }, { a: [{ b: 1 }] }, true],
    [{ toString: 1 }, {}, false],
    [{}, { a: {} }, false],
    [0, false, false],
    ['', undefined, false],
  ])('%j and %j: %s', (a, b, equal) => {
    expect(deepEqual(a, b)).toBe(equal);
    expect(deepEqual(b, a)).toBe(equal);
  });

  it('takes empty lists and maps for absent only when asked for meaning', () => {
    expect(deepEqual({ a: [] }, {})).toBe(false);
    expect(sameMeaning({ a: [], b: { c: {} } }, {})).toBe(true);
    expect(sameMeaning({ a: [{}] }, {})).toBe(false);
  });

  it.each<[unknown, unknown, boolean]>([
    [{ a: { b: { c: [] } } }, { a: null }, true],
    [{ a: 1, b: { c: {} } }, { a: 1 }, true],
    [{ a: 1, b: { c: 0 } }, { a: 1 }, false],
    [{ a: [{ b: {} }, 1] }, { a: [null, 1] }, true],
    [{ a: [1] }, { a: [1, {}] }, false],
    [{ a: [] }, { a: {} }, true],
    [{ a: '' }, {}, false],
    [{ toString: {} }, {}, true],
  ])('%j and %j mean the same: %s', (a, b, same) => {
    expect(sameMeaning(a, b)).toBe(same);
    expect(sameMeaning(b, a)).toBe(same);
  });
});
