// Whole numbers of 64 bits, in and out of JSON.
import { describe, expect, it, vi } from 'vitest';
import { exactInteger, parseExactJson } from './exact-json.ts';

describe('Exact JSON', () => {
  it.each([
    '{"a":9007199254740993}',
    '[9223372036854775807, -9223372036854775808]'.replace(' ', ''),
    '{"a":{"b":[1,9007199254740993,"9007199254740993"]},"c":1.5}',
    '{"plain":1,"text":"x:9007199254740993"}',
  ])('comes out as it went in: %s', (text) => {
    expect(JSON.stringify(parseExactJson(text))).toBe(text);
  });

  it('holds as numbers whatever numbers hold', () => {
    expect(
      parseExactJson('[9007199254740991,1e18,1234567890123456.5,0.1234567890123456789]'),
    ).toEqual([9007199254740991, 1e18, 1234567890123456.5, 0.12345678901234568]);
    expect(parseExactJson('[9223372036854775808]')).toEqual([2 ** 63]);
  });

  it('finds them behind white space and in lists', () => {
    expect(parseExactJson('{"a" :\n  -9007199254740993 , "b": [ 9007199254740995]}')).toEqual({
      a: -9007199254740993n,
      b: [9007199254740995n],
    });
  });

  it.each(['1e400', '-1E+999', '[1,2.5e1000]', '{"a" : 1e0400}', '9'.repeat(400)])(
    'refuses what would come out as null: %.20s',
    (text) => {
      expect(() => parseExactJson(text)).toThrow(/^the number .* is out of range$/);
    },
  );

  it('takes the largest and the least of doubles, and such signs in texts', () => {
    const text = '[1.7976931348623157e+308,5e-324,1e-400,"1e400"]';
    expect(parseExactJson(text)).toEqual([Number.MAX_VALUE, 5e-324, 0, '1e400']);
  });

  it('looks at no value one by one where texts only look like such numbers', () => {
    const parse = vi.spyOn(JSON, 'parse');
    const text = JSON.stringify({
      uid: '70e6ca3b-5359-4a74-ac7d-43c0e50624d0',
      names: ['web-7d9e123f', '1e400', '9'.repeat(400)],
      when: '2026-01-02T03:04:05Z',
      small: [1.5e22, -1e-7, 123456789012345],
    });
    expect(JSON.stringify(parseExactJson(text))).toBe(text);
    expect(parse.mock.lastCall).toEqual([text]);
    parse.mockRestore();
  });

  it('takes a bigint for what it is', () => {
    expect(exactInteger(5n)).toBe(5);
    expect(exactInteger(2n ** 62n + 1n)).toBe(2n ** 62n + 1n);
    expect(exactInteger(2n ** 64n)).toBe(2 ** 64);
  });
});
