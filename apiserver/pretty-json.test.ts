// Indented answers: the same JSON to the letter, and only for who reads it.
import { describe, expect, it } from 'vitest';
import type { Reply, Request } from '../api/wire/exchange.ts';
import { indented, MAX_PRETTY_BYTES, prettyIfAsked } from './pretty-json.ts';
import { objectReply, textReply } from './reply.ts';

const request = (target: string, agent?: string): Request => {
  const { pathname, searchParams } = new URL(target, 'http://host');
  return {
    method: 'GET',
    path: pathname,
    query: searchParams,
    headers: agent === undefined ? {} : { 'user-agent': agent },
    signal: new AbortController().signal,
  };
};
const bodyOf = (reply: Reply) =>
  reply.kind === 'body' ? Buffer.concat(reply.body).toString() : undefined;

describe('indented', () => {
  it.each<[string, unknown]>([
    ['an object', { a: 1, b: { c: [] }, d: {}, e: [1, [2, { f: null }]], g: true }],
    ['a list', [{}, [], '']],
    ['texts that look like JSON', { 'a"{': 'x,: {}[]\\"\\\\', b: '\\', 'c\\"': '"', d: 'é\n\t ' }],
    ['a word', 'a'],
    ['a number', -1.5e-7],
  ])('is as JSON.stringify writes it: %s', (_, value) => {
    expect(indented(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2));
  });

  it('passes over blanks, and leaves numbers as they are', () => {
    expect(indented(' { "a" : 12345678901234567890 ,\r\n"b":[ ], "c":{\t} } \n')).toBe(
      '{\n  "a": 12345678901234567890,\n  "b": [],\n  "c": {}\n}',
    );
  });

  it('takes time that is linear in what it is given', () => {
    const deep = `${'['.repeat(400)}${']'.repeat(400)}`;
    expect(JSON.parse(indented(deep))).toEqual(JSON.parse(deep));
    const long = JSON.stringify({ a: '\\"'.repeat(200_000) });
    expect(indented(long)).toHaveLength(long.length + 5);
  });
});

describe('An answer', () => {
  const reply = objectReply({ a: 1 });
  const pretty = '{\n  "a": 1\n}';

  it.each<[string, string | undefined, boolean]>([
    ['/api', undefined, false],
    ['/api', 'kubectl/v1.36.0', false],
    ['/api', 'curl/8.1', true],
    ['/api', 'Wget/1.2', true],
    ['/api', 'Mozilla/5.0 (X11)', true],
    ['/api?pretty=true', undefined, true],
    ['/api?pretty=1', undefined, true],
    ['/api?pretty=yes', 'curl/8.1', false],
    ['/api?pretty=false', 'curl/8.1', false],
    ['/api?pretty=', 'curl/8.1', true],
    ['/version', undefined, true],
    ['/openapi/v3', 'curl/8.1', false],
  ])('of %s to %s is indented: %s', (target, agent, expected) => {
    const answer = bodyOf(prettyIfAsked(request(target, agent), reply));
    expect(answer).toBe(expected ? pretty : '{"a":1}\n');
  });

  it('that is no JSON, or too large, stays as it is', () => {
    const asked = request('/api?pretty=true');
    const text = textReply('{"a":1}');
    expect(prettyIfAsked(asked, text)).toBe(text);
    const large = objectReply({ a: 'x'.repeat(MAX_PRETTY_BYTES) });
    expect(prettyIfAsked(asked, large)).toBe(large);
  });
});
