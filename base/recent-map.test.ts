// The map of limited size: what stays and what goes.
import { expect, it } from 'vitest';
import { RecentMap } from './recent-map.ts';

it('forgets what was not asked for for longest, and never holds more than its limit', () => {
  const map = new RecentMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  expect(map.get('a')).toBe(1);
  map.set('c', 3);
  expect([map.get('a'), map.get('b'), map.get('c'), map.size]).toEqual([1, undefined, 3, 2]);
  map.set('c', 4);
  expect([map.get('a'), map.get('c'), map.size]).toEqual([1, 4, 2]);
});
