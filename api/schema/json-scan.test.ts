// A look through JSON bytes agrees with what JSON.parse makes of them, whatever strings hold.
import { describe, expect, it } from 'vitest';
import { scanJson } from './json-scan.ts';

const scan = (text: string) => scanJson(Buffer.from(text));

describe('scanJson', () => {
  it('counts members, those that come twice too, and no colons in strings', () => {
    expect(scan('{"a:":":","b" : {"\\"c\\":":["x:","\\\\",{"d":1}],"b":2},"b":{}}').members).toBe(
      6,
    );
    expect(scan('[1,"a:b",[":"]]').members).toBe(0);
    expect(scan('{"\u00fc:":"\u{1f600}:"}').members).toBe(1);
  });

  it.each(['1234567890123456', '-1234567890123456', '1e400', '1.5E+999', '0.1e-3', '9e9'])(
    'doubts %s wherever a number can stand',
    (number) => {
      for (const text of [number, `[1,${number}]`, `{"a": ${number}}`, ` ${number} `])
        expect(scan(text).doubtful, text).toBe(true);
    },
  );

  it('doubts neither short numbers nor what stands in strings', () => {
    const text =
      '{"a":123456789012345,"b":-0.5,"c":"1234567890123456","d":"4e123","e":[true,false,null]}';
    expect(scan(text).doubtful).toBe(false);
  });

  it('ends on bytes that are no JSON', () => {
    for (const text of ['"', '"\\', '12', '1e', '{"a', '']) expect(() => scan(text)).not.toThrow();
  });
});
