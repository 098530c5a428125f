// Tables asked with words that every object inherits.
import { expect, it } from 'vitest';
import { table } from './table.ts';

it('answers for its own entries and for no inherited ones', () => {
  const known = table({ b: 1, a: 2 });
  expect(Object.entries(known)).toEqual([
    ['b', 1],
    ['a', 2],
  ]);
  for (const word of ['__proto__', 'constructor', 'toString', 'valueOf'])
    expect([known[word], word in known]).toEqual([undefined, false]);
});
