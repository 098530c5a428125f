// The codec against bytes as the protobuf documentation has them, and against itself.
import { describe, expect, it } from 'vitest';
import { fc } from '../../../test/support/properties.ts';
import {
  binary,
  flag,
  list,
  long,
  message,
  nested,
  text,
  textMap,
  texts,
  whole,
  wholes,
} from './protobuf-codec.ts';

const Inner = message({ name: text(1), size: whole(2) });
const Outer = message({
  name: text(1),
  on: flag(2),
  count: whole(3),
  nanos: long(4),
  inner: nested(5, Inner),
  all: list(6, Inner),
  words: texts(7),
  numbers: wholes(8),
  labels: textMap(9),
  raw: binary(20),
});

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytes = (text: string) => Buffer.from(text, 'hex');

describe('messages', () => {
  it('are written as the encoding guide of protobuf has it', () => {
    expect(hex(message({ a: whole(1) }).encode({ a: 150 }))).toBe('089601');
    expect(hex(message({ b: text(2) }).encode({ b: 'testing' }))).toBe('120774657374696e67');
    expect(hex(message({ c: nested(3, message({ a: whole(1) })) }).encode({ c: { a: 150 } }))).toBe(
      '1a03089601',
    );
    expect(hex(message({ f: wholes(6) }).encode({ f: [3, 270, 86942] }))).toBe('3206038e029ea705');
    expect(hex(message({ a: whole(1) }).encode({ a: -2 }))).toBe('08feffffffffffffffff01');
  });

  it('leave out what is empty, but for a message', () => {
    const empty = { name: '', on: false, count: 0, nanos: 0n, words: [], labels: {} };
    expect(hex(Outer.encode(empty))).toBe('');
    expect(hex(Outer.encode({ inner: {} }))).toBe('2a00');
  });

  it('come back as they went', () => {
    const inner = fc.record({ name: fc.string(), size: fc.nat() });
    const outer = fc.record({
      name: fc.string(),
      on: fc.boolean(),
      count: fc.integer(),
      nanos: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      inner: fc.option(inner, { nil: undefined }),
      all: fc.array(inner),
      words: fc.array(fc.string()),
      numbers: fc.array(fc.integer()),
      labels: fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }),
      raw: fc.uint8Array().map((value) => Buffer.from(value)),
    });
    fc.assert(
      fc.property(outer, (value) => {
        const back = Outer.decode(Outer.encode(value));
        expect({ ...back, raw: Buffer.from(back.raw) }).toEqual(value);
      }),
    );
  });

  it('pass over what a newer writer says beyond their fields', () => {
    const newer = message({ name: text(1), more: text(77), count: whole(3) });
    expect(Outer.decode(newer.encode({ name: 'x', more: 'y', count: 4 }))).toMatchObject({
      name: 'x',
      count: 4,
      inner: undefined,
      words: [],
    });
  });

  it('take numbers of a list one by one, too', () => {
    expect(message({ f: wholes(6) }).decode(bytes('3003308e02')).f).toEqual([3, 270]);
  });

  it.each([
    ['bytes where a number belongs', '1a0161'],
    ['a number where bytes belong', '0805'],
    ['a text that is cut off', '0a05616263'],
  ])('refuse %s', (_, wrong) => {
    expect(() => Outer.decode(bytes(wrong))).toThrow(/number|bytes|end/);
  });
});
