// Lists: order, sums, extremes and positions.
// Invariant: every item is charged for; an empty list has no extremes, which is a CelError.
import { CelError } from '../cel-error.ts';
import { LOOKS_AT_ALL, traversal } from '../costs.ts';
import { compare, equalItems, itemsOf } from '../equality.ts';
import type { Meter } from '../meter.ts';
import { type CostModel, type Library, method, type Overload } from '../overload.ts';
import { duration } from '../time-values.ts';
import {
  type CelValue,
  type Duration,
  int,
  type ListValue,
  sizeOf,
  type Uint,
  uint,
} from '../values.ts';

const items = (list: CelValue | undefined): readonly CelValue[] => itemsOf(list as ListValue);

/** Texts and bytes are walked over too. */
const LOOKS: CostModel = {
  ...LOOKS_AT_ALL,
  work: ([list]) => items(list).reduce<number>((all, item) => all + 1 + traversal(sizeOf(item)), 0),
};

const COMPARABLE = ['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes'];

function isSorted([list]: readonly CelValue[]): boolean {
  const all = items(list);
  return all.every((item, i) => i === 0 || compare(all[i - 1]!, item) <= 0);
}

function extreme(name: string, better: (order: number) => boolean): Overload['run'] {
  return ([list]) => {
    const [first, ...rest] = items(list);
    if (first === undefined) throw new CelError(`${name} called on empty list`);
    return rest.reduce((best, item) => (better(compare(item, best)) ? item : best), first);
  };
}

const min = extreme('min', (order) => order < 0);
const max = extreme('max', (order) => order > 0);

const ORDERED: Library = COMPARABLE.flatMap((type) => [
  method(`isSorted(list(${type})): bool`, isSorted, LOOKS),
  method(`min(list(${type})): ${type}`, min, LOOKS),
  method(`max(list(${type})): ${type}`, max, LOOKS),
]);

/** Once for each element type: lists of dyn fit all of them, and are all the same work. */
const SUMS: Library = [
  method('sum(list(int)): int', ([list]) => sumOf(items(list)), LOOKS),
  method('sum(list(uint)): uint', ([list]) => sumOf(items(list), uint(0n)), LOOKS),
  method('sum(list(double)): double', ([list]) => sumOf(items(list), 0), LOOKS),
  method('sum(list(duration)): duration', ([list]) => sumOf(items(list), duration(0n)), LOOKS),
];

function sumOf(all: readonly CelValue[], zero: CelValue = 0n): CelValue {
  const [first = zero] = all;
  const rest = all.slice(1);
  if (typeof first === 'bigint')
    return rest.reduce<bigint>((sum, item) => int(sum + as(item, first)), first);
  if (typeof first === 'number')
    return rest.reduce<number>((sum, item) => sum + as(item, first), first);
  const kind = first as Duration | Uint;
  if ('value' in kind)
    return rest.reduce<Uint>((sum, item) => uint(sum.value + as(item, kind).value), kind);
  if ('nanos' in kind)
    return rest.reduce<Duration>((sum, item) => duration(sum.nanos + as(item, kind).nanos), kind);
  throw new CelError('no such overload');
}

/** Items of one list may differ only where their type was not known. */
function as<T extends CelValue>(item: CelValue, like: T): T {
  const same =
    typeof item === typeof like &&
    (typeof like !== 'object' || item?.constructor === (like as object | null)?.constructor);
  if (!same) throw new CelError('no such overload');
  return item as T;
}

function indexOf([list, wanted]: readonly CelValue[], meter: Meter): bigint {
  return BigInt(items(list).findIndex((item) => equalItems(item, wanted!, meter)));
}

function lastIndexOf([list, wanted]: readonly CelValue[], meter: Meter): bigint {
  return BigInt(items(list).findLastIndex((item) => equalItems(item, wanted!, meter)));
}

export const LISTS: Library = [
  ...ORDERED,
  ...SUMS,
  method('indexOf(list(A), A): int', indexOf, LOOKS),
  method('lastIndexOf(list(A), A): int', lastIndexOf, LOOKS),
];
