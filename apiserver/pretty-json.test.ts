// Indented answers: the same JSON to the letter, and only for who reads it, within bounds.
import { describe, expect, it } from 'vitest';
import type { Reply, Request } from '../api/wire/exchange.ts';
import {
  indented as indentedBytes,
  MAX_PRETTY_ANSWER_BYTES,
  MAX_PRETTY_BYTES,
  prettyIfAsked,
} from './pretty-json.ts';
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
const indented = (json: string) => {
  const bytes = indentedBytes(Buffer.from(json));
  return bytes && Buffer.from(bytes).toString();
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

  it.each([
    ['deep', `${'['.repeat(300)}${']'.repeat(300)}`, true],
    ['too deep', `${'['.repeat(1000)}${']'.repeat(1000)}`, false],
    ['wide', `[${'0,'.repeat(30_000)}0]`, true],
    ['deep and wide', `${'['.repeat(490)}${'0,'.repeat(30_000)}0${']'.repeat(490)}`, false],
    ['many texts', JSON.stringify({ a: '\\"'.repeat(20_000) }), true],
  ])('is no larger than it may be of what is %s', (_, json, fits) => {
    const answer = indented(json);
    expect(answer !== undefined).toBe(fits);
    if (answer !== undefined) expect(answer).toBe(JSON.stringify(JSON.parse(json), null, 2));
  });

  it('may be as large as it may, and no larger', () => {
    const long = 'x'.repeat(MAX_PRETTY_ANSWER_BYTES - 2);
    expect(indented(`"${long}"`)).toHaveLength(MAX_PRETTY_ANSWER_BYTES);
    expect(indented(`"${long}x"`)).toBeUndefined();
  });

  it('leaves members in their places, doubled ones too', () => {
    expect(indented('{"b":1,"2":1,"1":1,"b":2}')).toBe(
      '{\n  "b": 1,\n  "2": 1,\n  "1": 1,\n  "b": 2\n}',
    );
  });

  it.each([']', '{}}', '[', '{"a', '"a\\', '"\\', '[['.repeat(40_000), ']'.repeat(80_000)])(
    'throws at nothing that is no JSON: %.9s',
    (json) => expect(indented(json)).toBeUndefined(),
  );
});

describe('An answer', () => {
  const headers = { 'content-type': 'application/json' };
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
  ])('of %s to %s is indented: %s', (target, agent, expected) => {
    const answer = bodyOf(prettyIfAsked(request(target, agent), reply));
    expect(answer).toBe(expected ? pretty : '{"a":1}\n');
  });

  it('with an ETag stays as it is, but for the version, which has one form', () => {
    const tagged = { ...reply, headers: { ...headers, etag: '"A"' } } as Reply;
    expect(prettyIfAsked(request('/apis?pretty=true', 'curl/8.1'), tagged)).toBe(tagged);
    expect(bodyOf(prettyIfAsked(request('/version?pretty=false'), tagged))).toBe(pretty);
  });

  it('that is no JSON, or is or would be too large, stays as it is', () => {
    const asked = request('/api?pretty=true');
    const deep = { body: [Buffer.from(`${'['.repeat(30_000)}${']'.repeat(30_000)}`)] };
    for (const other of [deep, { headers: { ...headers, 'content-encoding': 'gzip' } }]) {
      const left = { ...reply, ...other } as Reply;
      expect(prettyIfAsked(asked, left)).toBe(left);
    }
    const text = textReply('{"a":1}');
    expect(prettyIfAsked(asked, text)).toBe(text);
    const large = objectReply({ a: 'x'.repeat(MAX_PRETTY_BYTES) });
    expect(prettyIfAsked(asked, large)).toBe(large);
  });
});
