// Counts, shares and choices.
import { describe, expect, it } from 'vitest';
import {
  between,
  countOrPercent,
  oneOf,
  percentOf,
  quantityNotNegative,
  requiredOneOf,
  resolveCountOrPercent,
} from './numbers.ts';

describe('counts and shares', () => {
  it.each<[number | string | undefined, number, 'up' | 'down', number]>([
    [3, 10, 'up', 3],
    ['25%', 10, 'up', 3],
    ['25%', 10, 'down', 2],
    ['25%', 1, 'up', 1],
    ['25%', 1, 'down', 0],
    ['0%', 10, 'up', 0],
    ['100%', 7, 'down', 7],
    ['29%', 100, 'up', 29],
    [undefined, 10, 'up', 0],
    ['bad', 10, 'up', 0],
  ])('%s of %i rounded %s is %i', (...[value, total, round, resolved]) => {
    expect(resolveCountOrPercent(value, total, round)).toBe(resolved);
  });

  it('are read as percentages only when they are', () => {
    expect([percentOf('25%'), percentOf('25'), percentOf(25)]).toEqual([25, undefined, undefined]);
  });

  it('break rules by name', () => {
    expect(countOrPercent('x', 'p')).toHaveLength(1);
    expect(countOrPercent(-1, 'p')).toHaveLength(1);
    expect(countOrPercent('5%', 'p')).toEqual([]);
    expect(between(0, [1, 2], 'p')).toMatchObject([{ field: 'p', type: 'FieldValueInvalid' }]);
    expect(quantityNotNegative('-1', 'p')).toHaveLength(1);
    expect(quantityNotNegative('x', 'p')).toHaveLength(1);
    expect(quantityNotNegative(undefined, 'p')).toEqual([]);
  });

  it('tell a missing choice from an unknown one', () => {
    expect(oneOf(undefined, ['a'], 'p')).toEqual([]);
    expect(requiredOneOf(undefined, ['a'], 'p')).toMatchObject([{ type: 'FieldValueRequired' }]);
    expect(requiredOneOf('b', ['a'], 'p')).toMatchObject([{ type: 'FieldValueNotSupported' }]);
  });
});
