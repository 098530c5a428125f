// Joining what comes of items is flatMap, and of what is not there it is nothing.
import { describe, expect, it } from 'vitest';
import { gather, gatherMembers } from './gather.ts';

describe('gather', () => {
  it('joins in order, as flatMap does', () => {
    const twice = (item: string, i: number) => (i === 1 ? [] : [item, `${item}${i}`]);
    const items = ['a', 'b', 'c'];
    expect(gather(items, twice)).toEqual(items.flatMap(twice));
    expect(gather(undefined, twice)).toEqual([]);
  });

  it('joins what comes of the members of a map, whatever they are called', () => {
    const members = JSON.parse('{"b":1,"__proto__":2,"a":3}') as Record<string, number>;
    const told = gatherMembers(members, (key, value) => [`${key}=${value}`]);
    expect(told).toEqual(['b=1', '__proto__=2', 'a=3']);
    expect(gatherMembers(undefined, () => ['x'])).toEqual([]);
  });
});
