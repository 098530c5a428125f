// Tests of taking log lines apart.
import { describe, expect, it } from 'vitest';
import { parseCriLine } from './cri-line.ts';

const parse = (text: string) => {
  const { text: bytes, ...rest } = parseCriLine(Buffer.from(text));
  return { ...rest, text: Buffer.from(bytes).toString() };
};

describe('parseCriLine', () => {
  it('takes time, stream, tag and text', () => {
    expect(parse('2026-01-01T00:00:00.123456789+00:00 stderr F a b  c')).toEqual({
      time: '2026-01-01T00:00:00.123456789+00:00',
      stream: 'stderr',
      partial: false,
      text: 'a b  c',
    });
  });

  it('knows lines that go on in the next', () => {
    expect(parse('2026-01-01T00:00:00Z stdout P half').partial).toBe(true);
    expect(parse('2026-01-01T00:00:00Z stdout P:x half').partial).toBe(true);
  });

  it('takes an empty text with and without its space', () => {
    expect(parse('2026-01-01T00:00:00Z stdout F ').text).toBe('');
    expect(parse('2026-01-01T00:00:00Z stdout F').text).toBe('');
  });

  it('gives what is of another form whole', () => {
    for (const text of ['', 'hello', 'hello there', 'a b c d', '2026 stdout X text'])
      expect(parse(text)).toEqual({ time: '', stream: 'stdout', partial: false, text });
  });
});
