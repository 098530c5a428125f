// Cutting a watch's bytes into events: any chunk borders, and nothing dropped in silence.
import { fc } from '../../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import { WatchLineDecoder } from './watch-lines.ts';

const event = (name: string) => ({
  type: 'ADDED',
  object: { apiVersion: 'v1', kind: 'Thing', metadata: { name } },
});
const line = (value: unknown) => `${JSON.stringify(value)}\n`;

describe('WatchLineDecoder', () => {
  it('gives the same events however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (names, cuts) => {
          const bytes = Buffer.from(names.map((name) => line(event(name))).join(''));
          const decoder = new WatchLineDecoder(1_000_000);
          const events = [];
          for (let at = 0, turn = 0; at < bytes.length; turn++) {
            const size = cuts[turn % cuts.length] ?? 1;
            const decoded = decoder.push(bytes.subarray(at, at + size));
            expect(decoded.error).toBeUndefined();
            events.push(...decoded.events);
            at += size;
          }
          expect(decoder.end()).toBeUndefined();
          expect(events).toEqual(names.map(event));
        },
      ),
    );
  });

  it.each([
    ['no JSON', '{"type":"ADDED",\n'],
    ['no event', line({ hello: 1 })],
    ['an unknown type', line({ type: 'RENAMED', object: { metadata: {} } })],
    ['no object', line({ type: 'ADDED', object: null })],
    ['an object without metadata', line({ type: 'ADDED', object: {} })],
    ['null', 'null\n'],
  ])('answers the events before a line that is %s, and an error', (_, bad) => {
    const decoder = new WatchLineDecoder(1000);
    const { events, error } = decoder.push(Buffer.from(line(event('a')) + bad + line(event('b'))));
    expect(events).toEqual([event('a')]);
    expect(error).toMatchObject({ name: 'ConnectionError', failure: 'malformed' });
  });

  it('refuses a line beyond the limit, whether it has ended or not', () => {
    const long = line(event('x'.repeat(200)));
    expect(new WatchLineDecoder(100).push(Buffer.from(long)).error?.failure).toBe('tooLarge');
    const decoder = new WatchLineDecoder(100);
    expect(decoder.push(Buffer.from(long.slice(0, 90))).error).toBeUndefined();
    expect(decoder.push(Buffer.from(long.slice(90, 120))).error?.failure).toBe('tooLarge');
  });

  it('takes the limit for each line, not for all', () => {
    const decoder = new WatchLineDecoder(100);
    const all = Buffer.from(line(event('a')).repeat(50));
    expect(decoder.push(all)).toMatchObject({ events: { length: 50 } });
  });

  it('says when the body ends within an event', () => {
    const decoder = new WatchLineDecoder(1000);
    decoder.push(Buffer.from(line(event('a')).slice(0, 20)));
    expect(decoder.end()?.failure).toBe('malformed');
  });
});
