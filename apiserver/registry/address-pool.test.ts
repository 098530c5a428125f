// Numbers held by one holder at a time, and free again only when every claim was given back.
import { describe, expect, it } from 'vitest';
import { NumberPool } from './address-pool.ts';

describe('NumberPool', () => {
  it('keeps a number that one of two claims of its holder still has', () => {
    const pool = new NumberPool(10, 5);
    expect(pool.claim(12, 'a')).toBe(true);
    expect(pool.claim(12, 'a')).toBe(true);
    pool.release(12, 'a');
    expect(pool.claim(12, 'b')).toBe(false);
    pool.release(12, 'a');
    expect(pool.claim(12, 'b')).toBe(true);
  });

  it('takes no number back from another holder', () => {
    const pool = new NumberPool(10, 5);
    pool.claim(12, 'a');
    pool.release(12, 'b');
    expect(pool.holder(12)).toBe('a');
  });

  it('gives out each number once, and says when there is none left', () => {
    const pool = new NumberPool(10, 3);
    const taken = [pool.take('a'), pool.take('b'), pool.take('c')];
    expect(new Set(taken)).toEqual(new Set([10, 11, 12]));
    expect(pool.take('d')).toBeUndefined();
  });
});
