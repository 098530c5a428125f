// Messages in protobuf's wire format (proto3), described by tables of fields. Pure.
// Invariants: what a table does not name is passed over when read, as newer runtimes say more; a field that is left out has its
// type's empty value; numbers and times of 64 bits keep every bit.
import { ProtobufError, readFields, type WireField } from '../../../api/schema/protobuf-reader.ts';

/** One field of a message: how its value is written, and how what came is added to what was there. */
export interface Field<T> {
  readonly number: number;
  readonly empty: T;
  write(value: T): readonly Uint8Array[];
  read(before: T, wire: WireField): T;
}

type ValueOfField<F> = F extends Field<infer T> ? T : never;

/** A message as a plain object; messages within it may be missing. */
export type ValueOf<M> = M extends Message<infer T> ? T : never;

/** A kind of message. */
export interface Message<T> {
  encode(value: Partial<T>): Uint8Array;
  /** Throws ProtobufError for bytes that are no such message. */
  decode(bytes: Uint8Array): T;
}

type FieldsOf<F> = { readonly [K in keyof F]: ValueOfField<F[K]> };

const VARINT = 0;
const DELIMITED = 2;

/** A message with these fields. */
export function message<F extends Readonly<Record<string, Field<unknown>>>>(
  fields: F,
): Message<FieldsOf<F>> {
  const entries = Object.entries<Field<unknown>>(fields);
  const byNumber = new Map(entries.map(([name, field]) => [field.number, { name, field }]));
  return {
    encode(value) {
      const given = value as Readonly<Record<string, unknown>>;
      return Buffer.concat(
        entries.flatMap(([name, field]) =>
          given[name] === undefined ? [] : field.write(given[name]),
        ),
      );
    },
    decode(bytes) {
      const value: Record<string, unknown> = {};
      for (const [name, field] of entries) value[name] = field.empty;
      for (const wire of readFields(bytes)) {
        const known = byNumber.get(wire.number);
        if (known) value[known.name] = known.field.read(value[known.name], wire);
      }
      return value as FieldsOf<F>;
    },
  };
}

/** A text. */
export const text = (number: number): Field<string> => ({
  number,
  empty: '',
  write: (value) => (value === '' ? [] : delimited(number, Buffer.from(value))),
  read: (_, wire) => Buffer.from(bytesOf(wire)).toString('utf8'),
});

/** Raw bytes. */
export const binary = (number: number): Field<Uint8Array> => ({
  number,
  empty: new Uint8Array(),
  write: (value) => (value.length === 0 ? [] : delimited(number, value)),
  read: (_, wire) => bytesOf(wire),
});

/** A truth value. */
export const flag = (number: number): Field<boolean> => ({
  number,
  empty: false,
  write: (value) => (value ? [tag(number, VARINT), varint(1n)] : []),
  read: (_, wire) => numberOf(wire) !== 0n,
});

/** A whole number that fits a JavaScript one, and the numbers of enumerations. */
export const whole = (number: number): Field<number> => ({
  number,
  empty: 0,
  write: (value) => (value === 0 ? [] : [tag(number, VARINT), varint(BigInt(Math.trunc(value)))]),
  read: (_, wire) => Number(numberOf(wire)),
});

/** A whole number of 64 bits: nanoseconds. */
export const long = (number: number): Field<bigint> => ({
  number,
  empty: 0n,
  write: (value) => (value === 0n ? [] : [tag(number, VARINT), varint(value)]),
  read: (_, wire) => numberOf(wire),
});

/** A message within the message; undefined where it is not there. One that is empty is written. */
export const nested = <T>(number: number, kind: Message<T>): Field<Partial<T> | undefined> => ({
  number,
  empty: undefined,
  write: (value) => (value === undefined ? [] : delimited(number, kind.encode(value))),
  read: (_, wire) => kind.decode(bytesOf(wire)) as Partial<T>,
});

/** Texts in their order. */
export const texts = (number: number): Field<readonly string[]> => ({
  number,
  empty: [],
  write: (values) => values.flatMap((value) => delimited(number, Buffer.from(value))),
  read: (before, wire) => [...before, Buffer.from(bytesOf(wire)).toString('utf8')],
});

/** Whole numbers in their order; they come packed or one by one. */
export const wholes = (number: number): Field<readonly number[]> => ({
  number,
  empty: [],
  write: (values) =>
    values.length === 0
      ? []
      : delimited(number, Buffer.concat(values.map((value) => varint(BigInt(value))))),
  read: (before, wire) => [...before, ...unpacked(wire)],
});

/** Messages in their order. */
export const list = <T>(number: number, kind: Message<T>): Field<readonly Partial<T>[]> => ({
  number,
  empty: [],
  write: (values) => values.flatMap((value) => delimited(number, kind.encode(value))),
  read: (before, wire) => [...before, kind.decode(bytesOf(wire)) as Partial<T>],
});

/** Texts by text. */
export const textMap = (number: number): Field<Readonly<Record<string, string>>> => ({
  number,
  empty: {},
  write: (value) =>
    Object.entries(value).flatMap((entry) => delimited(number, ENTRY.encode(keyed(entry)))),
  read: (before, wire) => {
    const { key, value } = ENTRY.decode(bytesOf(wire));
    return Object.fromEntries([...Object.entries(before), [key, value]]);
  },
});

const ENTRY = message({ key: text(1), value: text(2) });
const keyed = ([key, value]: readonly [string, string]) => ({ key, value });

function tag(number: number, wireType: number): Uint8Array {
  return varint(BigInt(number * 8 + wireType));
}

function delimited(number: number, bytes: Uint8Array): readonly Uint8Array[] {
  return [tag(number, DELIMITED), varint(BigInt(bytes.length)), bytes];
}

/** Numbers below zero take all 64 bits. */
function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, value);
  while (left > 0x7fn) {
    bytes.push(Number(left & 0x7fn) | 0x80);
    left >>= 7n;
  }
  bytes.push(Number(left));
  return Uint8Array.from(bytes);
}

function bytesOf({ value }: WireField): Uint8Array {
  if (typeof value === 'bigint') throw new ProtobufError('a number where bytes belong');
  return value;
}

function numberOf({ value }: WireField): bigint {
  if (typeof value !== 'bigint') throw new ProtobufError('bytes where a number belongs');
  return BigInt.asIntN(64, value);
}

/** A packed list is read as the fields of a message whose tags were left out: each number behind a tag of its own. */
function unpacked({ value }: WireField): number[] {
  if (typeof value === 'bigint') return [Number(BigInt.asIntN(64, value))];
  const numbers: number[] = [];
  let at = 0;
  while (at < value.length) {
    let end = at;
    while ((value[end] ?? 0) >= 0x80) end += 1;
    const one = Buffer.concat([tag(1, VARINT), value.subarray(at, end + 1)]);
    for (const field of readFields(one)) numbers.push(Number(numberOf(field)));
    at = end + 1;
  }
  return numbers;
}
