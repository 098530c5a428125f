// Values without nulls.
import { expect, it } from 'vitest';
import { withoutNulls } from './without-nulls.ts';

it.each([
  [{ a: null, b: { c: undefined, d: 1 } }, { b: { d: 1 } }],
  [{ a: [null, { b: null }] }, { a: [null, {}] }],
  [{ a: { b: null } }, { a: {} }],
  [JSON.parse('{"__proto__":{"a":null}}'), JSON.parse('{"__proto__":{}}')],
  [null, null],
])('%j becomes %j', (value, without) => {
  const before = JSON.stringify(value);
  const result = withoutNulls(value);
  expect(JSON.stringify(result)).toBe(JSON.stringify(without));
  expect(JSON.stringify(value)).toBe(before);
});

it('what has none is the same, and parts without any are shared', () => {
  const kept = { list: [{ a: 0 }, ''] };
  expect(withoutNulls(kept)).toBe(kept);
  expect((withoutNulls({ kept, gone: null }) as { kept: unknown }).kept).toBe(kept);
});

it('looks at each part once, however deep a null is', () => {
  let looks = 0;
  const counted = Object.defineProperty({ gone: null }, 'part', {
    enumerable: true,
    get: () => (looks++, 1),
  });
  let value: object = { counted, gone: null };
  for (let depth = 0; depth < 100; depth++) value = { value };
  withoutNulls(value);
  // A copy of what holds the null is a look too.
  expect(looks).toBeLessThanOrEqual(2);
});
