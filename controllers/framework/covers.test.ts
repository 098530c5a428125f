// Whether an apply would change anything, case by case.
import { describe, expect, it } from 'vitest';
import { covers } from './covers.ts';

const live = { a: 1, b: { c: 'x', d: [{ e: 1, f: 2 }] }, g: [], h: { i: null } };

describe('covers', () => {
  it.each([
    ['less than there is', { b: { c: 'x' } }],
    ['items of which less is said', { b: { d: [{ e: 1 }] } }],
    ['fields that are left out', { a: undefined, z: undefined }],
    ['an empty list, and an empty object', { g: [], b: {} }],
    ['null', { h: { i: null } }],
  ])('is content with %s', (_, wanted) => {
    expect(covers(live, wanted)).toBe(true);
  });

  it.each([
    ['another value', { a: 2 }],
    ['a field that is not there', { b: { z: 1 } }],
    ['a field that objects inherit', { constructor: {} }],
    ['fewer items than wanted', { g: [1] }],
    ['more items than wanted', { b: { d: [] } }],
    ['another order of items', { b: { d: [{ e: 2 }] } }],
    ['an object in place of a list', { b: { d: { 0: { e: 1 } } } }],
    ['a list in place of an object', { b: [] }],
    ['an object in place of null', { h: { i: {} } }],
    ['null in place of a value', { a: null }],
  ])('misses %s', (_, wanted) => {
    expect(covers(live, wanted)).toBe(false);
  });

  it('misses everything where there is nothing', () => {
    expect(covers(undefined, {})).toBe(false);
  });
});
