// The ordered map against a plain Map that is sorted at each look.
// Small key alphabets make collisions and block borders likely.
import { fc } from '../../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import { MAX_EMPTY_PREFIXES, OrderedMap } from './ordered-map.ts';

describe('OrderedMap', () => {
  it('agrees with a sorted list after any changes, for any range and page', () => {
    const keys = fc.stringMatching(/^\/[ab]{1,2}\/[a-d0-9-]{1,3}$/);
    const changes = fc.array(fc.tuple(keys, fc.boolean()), { maxLength: 300, size: 'max' });
    fc.assert(
      fc.property(changes, keys, fc.nat(20), (all, after, limit) => {
        const map = new OrderedMap<string>();
        const model = new Map<string, string>();
        for (const [key, add] of all) {
          if (add) {
            map.set(key, key);
            model.set(key, key);
          } else expect(map.delete(key)).toBe(model.delete(key));
        }
        expect(map.size).toBe(model.size);
        for (const prefix of ['', '/a/', '/ab/', '/b', '/c/'])
          for (const start of [undefined, after]) {
            const expected = [...model.keys()]
              .filter((key) => key.startsWith(prefix) && (start === undefined || key > start))
              .sort();
            expect([...map.range({ prefix, after: start })]).toEqual(expected);
            expect(map.slice({ prefix, after: start }, limit)).toEqual({
              values: expected.slice(0, limit),
              remaining: Math.max(0, expected.length - limit),
            });
          }
      }),
    );
  });

  it('finds what came into a range that was empty when it was asked for before', () => {
    const map = new OrderedMap<number>();
    const found = (prefix: string) => map.slice({ prefix }, 9).values;
    for (const prefix of ['/a/', '/a/b/', '/b/', '/']) expect(found(prefix)).toEqual([]);
    map.set('/a/b/c', 1);
    expect(['/a/', '/a/b/', '/', '/b/'].map(found)).toEqual([[1], [1], [1], []]);
    map.set('/b/', 2);
    expect(found('/b/')).toEqual([2]);
    map.delete('/a/b/c');
    expect(found('/a/')).toEqual([]);
    map.set('/a/c', 3);
    expect(found('/a/')).toEqual([3]);
  });

  it('knows an end of a range from an empty one', () => {
    const map = new OrderedMap<number>();
    map.set('/a/b', 1);
    expect(map.slice({ prefix: '/a/', after: '/a/b' }, 9).values).toEqual([]);
    expect(map.slice({ prefix: '/a/' }, 9).values).toEqual([1]);
  });

  it('forgets which ranges were empty when there are too many of them', () => {
    const map = new OrderedMap<number>();
    const prefixes = Array.from({ length: MAX_EMPTY_PREFIXES + 1 }, (_, i) => `/${i}/`);
    const found = () => prefixes.map((prefix) => map.slice({ prefix }, 9).values.length);
    expect(new Set(found())).toEqual(new Set([0]));
    for (const prefix of prefixes) map.set(`${prefix}a`, 1);
    expect(new Set(found())).toEqual(new Set([1]));
  });

  it('stays in order over many blocks', () => {
    const map = new OrderedMap<number>();
    const count = 20_000;
    for (let i = 0; i < count; i++) {
      const n = (i * 7_919) % count;
      map.set(String(n).padStart(6, '0'), n);
    }
    expect([...map.range({ prefix: '' })]).toEqual(Array.from({ length: count }, (_, i) => i));
    expect(map.slice({ prefix: '0100', after: '010010' }, 5)).toEqual({
      values: [10_011, 10_012, 10_013, 10_014, 10_015],
      remaining: 84,
    });
    for (let n = 0; n < count; n += 2) map.delete(String(n).padStart(6, '0'));
    expect(map.size).toBe(count / 2);
    expect(map.get('000001')).toBe(1);
    expect(map.get('000002')).toBeUndefined();
  });
});
