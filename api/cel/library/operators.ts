// Operators: arithmetic, comparison, indexing, membership.
// Invariant: ints and uints never wrap around; `&&`, `||`, `?:` and the optional forms are the planner's, not functions.
import { CelError } from '../cel-error.ts';
import { COMPARES, JOINS, sum, traversal } from '../costs.ts';
import { compare, equal, equalItems, identity, itemsOf } from '../equality.ts';
import type { Meter } from '../meter.ts';
import { type CostModel, type Library, method, overload, type Overload } from '../overload.ts';
import { duration, timestamp } from '../time-values.ts';
import {
  type CelValue,
  type Duration,
  int,
  ListValue,
  MapValue,
  PlainList,
  sizeOf,
  type Timestamp,
  uint,
  Uint,
} from '../values.ts';

type Whole = (a: bigint, b: bigint) => bigint;
type Real = (a: number, b: number) => number;

const nanosOf = (value: CelValue): bigint => (value as Duration | Timestamp).nanos;

function nonZero(b: bigint, what: string): bigint {
  if (b === 0n) throw new CelError(`${what} by zero`);
  return b;
}

/** Its quotient is no int, and so upstream refuses the remainder of the least int and -1 too. */
function remainder(a: bigint, b: bigint): bigint {
  int(a / nonZero(b, 'modulus'));
  return a % b;
}

/** Of int, uint and, where there is a rule for them, doubles. */
function arithmetic(name: string, whole: Whole, real?: Real): Overload[] {
  const wholes = [
    overload(`_${name}_(int, int): int`, ([a, b]) => int(whole(a as bigint, b as bigint))),
    overload(`_${name}_(uint, uint): uint`, ([a, b]) =>
      uint(whole((a as Uint).value, (b as Uint).value)),
    ),
  ];
  if (real === undefined) return wholes;
  const run: Overload['run'] = ([a, b]) => real(a as number, b as number);
  return [...wholes, overload(`_${name}_(double, double): double`, run)];
}

const ARITHMETIC: Library = [
  ...arithmetic(
    '+',
    (a, b) => a + b,
    (a, b) => a + b,
  ),
  ...arithmetic(
    '-',
    (a, b) => a - b,
    (a, b) => a - b,
  ),
  ...arithmetic(
    '*',
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  ...arithmetic(
    '/',
    (a, b) => a / nonZero(b, 'division'),
    (a, b) => a / b,
  ),
  ...arithmetic('%', remainder),
  overload('-_(int): int', ([a]) => int(-(a as bigint))),
  overload('-_(double): double', ([a]) => -(a as number)),
  overload('!_(bool): bool', ([a]) => !(a as boolean)),
];

const TIMES: Library = [
  overload('_+_(timestamp, duration): timestamp', ([a, b]) => timestamp(nanosOf(a!) + nanosOf(b!))),
  overload('_+_(duration, timestamp): timestamp', ([a, b]) => timestamp(nanosOf(a!) + nanosOf(b!))),
  overload('_+_(duration, duration): duration', ([a, b]) => duration(nanosOf(a!) + nanosOf(b!))),
  overload('_-_(timestamp, duration): timestamp', ([a, b]) => timestamp(nanosOf(a!) - nanosOf(b!))),
  overload('_-_(timestamp, timestamp): duration', ([a, b]) => duration(nanosOf(a!) - nanosOf(b!))),
  overload('_-_(duration, duration): duration', ([a, b]) => duration(nanosOf(a!) - nanosOf(b!))),
];

const CONCATENATES: CostModel = {
  cost: () => 1,
  size: ([a, b]) => sum(a?.size, b?.size),
  // Lists are copied here, not chained.
  work: ([a, b]) => (sizeOf(a!) + sizeOf(b!)) / 2,
};

const JOINING: Library = [
  overload('_+_(string, string): string', ([a, b]) => (a as string) + (b as string), JOINS),
  overload(
    '_+_(bytes, bytes): bytes',
    ([a, b]) => new Uint8Array(Buffer.concat([a as Uint8Array, b as Uint8Array])),
    JOINS,
  ),
  overload(
    '_+_(list(A), list(A)): list(A)',
    ([a, b], meter) => concatenated(a as ListValue, b as ListValue, meter),
    CONCATENATES,
  ),
];

/** Sets join as sets; in keyed lists, items of the right replace those of the left with the same key. */
function concatenated(a: ListValue, b: ListValue, meter: Meter): ListValue {
  const type = a.type;
  if (type === undefined) return new PlainList(itemsOf(a).concat(itemsOf(b)));
  const items = new Map<string, CelValue>();
  for (const item of itemsOf(a)) items.set(identity(item, type, meter), item);
  for (const item of itemsOf(b)) {
    const key = identity(item, type, meter);
    if (type.listType === 'map' || !items.has(key)) items.set(key, item);
  }
  return new PlainList([...items.values()], type);
}

const ORDERED = ['bool', 'int', 'uint', 'double', 'string', 'bytes', 'timestamp', 'duration'];
const NUMBERS = ['int', 'uint', 'double'];

function ordering(name: string, holds: (order: number) => boolean): Overload[] {
  const run: Overload['run'] = ([a, b]) => holds(compare(a!, b!));
  const pairs = [
    ...ORDERED.map((type) => [type, type]),
    ...NUMBERS.flatMap((a) => NUMBERS.filter((b) => b !== a).map((b) => [a, b])),
  ];
  return pairs.map(([a, b]) => {
    const costs = a === 'string' || a === 'bytes' ? COMPARES : undefined;
    return overload(`_${name}_(${a}, ${b}): bool`, run, costs);
  });
}

const COMPARISONS: Library = [
  ...ordering('<', (order) => order < 0),
  ...ordering('<=', (order) => order <= 0),
  ...ordering('>', (order) => order > 0),
  ...ordering('>=', (order) => order >= 0),
  overload('_==_(A, A): bool', ([a, b], meter) => equal(a!, b!, meter), COMPARES),
  overload('_!=_(A, A): bool', ([a, b], meter) => !equal(a!, b!, meter), COMPARES),
];

/** The item at an index of a list, or the value at a key of a map; undefined where there is none. */
export function indexed(value: CelValue, key: CelValue): CelValue | undefined {
  if (value instanceof MapValue) return value.get(key);
  if (!(value instanceof ListValue)) throw new CelError('no such overload');
  const index = key instanceof Uint ? key.value : key;
  if (typeof index !== 'bigint' && typeof index !== 'number')
    throw new CelError('no such overload');
  if (!Number.isInteger(Number(index))) throw new CelError(`unsupported index value: ${index}`);
  return index < 0 || index >= value.size ? undefined : value.at(Number(index));
}

/** A text is read to be found, each time where an expression made it. Upstream counts no key. */
export const keyWork = (key: CelValue): number =>
  typeof key === 'string' ? traversal(key.length) : 0;

/** A key as errors show it. */
export function keyText(key: CelValue): string {
  return key instanceof Uint ? `${key.value}` : `${key as bigint | boolean | number | string}`;
}

const INDEXING: Library = [
  overload('_[_](list(A), int): A', ([list, index]) => {
    const item = indexed(list!, index!);
    if (item === undefined) throw new CelError(`index out of bounds: ${keyText(index!)}`);
    return item;
  }),
  overload('_[_](map(A, B), A): B', ([map, key]) => {
    const value = indexed(map!, key!);
    if (value === undefined) throw new CelError(`no such key: ${keyText(key!)}`);
    return value;
  }),
];

const MEMBERSHIP: Library = [
  overload(
    '_in_(A, list(A)): bool',
    ([item, list], meter) =>
      itemsOf(list as ListValue).some((each) => equalItems(item!, each, meter)),
    { cost: ([, list = 0]) => list },
  ),
  overload('_in_(A, map(A, B)): bool', ([key, map]) => (map as MapValue).get(key!) !== undefined, {
    cost: () => 1,
    work: ([key]) => keyWork(key!),
  }),
];

/** Upstream counts one; code points must be counted all the same. */
const COUNTS: CostModel = {
  cost: () => 1,
  work: ([value]) => (typeof value === 'string' ? traversal(value.length) : 0),
};

const SIZES: Library = ['string', 'bytes', 'list(A)', 'map(A, B)'].flatMap((type) => [
  overload(`size(${type}): int`, ([value]) => sizeValue(value!), COUNTS),
  method(`size(${type}): int`, ([value]) => sizeValue(value!), COUNTS),
]);

function sizeValue(value: CelValue): bigint {
  return BigInt(typeof value === 'string' ? codePoints(value) : sizeOf(value));
}

/** Characters of a text as CEL counts them. */
export function codePoints(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length - 1; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit <= 0xdbff && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00)
      count -= 1;
  }
  return count;
}

export const OPERATORS: Library = [
  ...ARITHMETIC,
  ...TIMES,
  ...JOINING,
  ...COMPARISONS,
  ...INDEXING,
  ...MEMBERSHIP,
  ...SIZES,
];
