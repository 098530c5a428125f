// When values are equal, and which comes first.
// Invariant: numbers compare by what they are worth whatever their type; values of other different types are never
// equal. Deep comparisons are charged for every part that they look at.
import { CelError } from './cel-error.ts';
import type { ListType } from './cel-type.ts';
import { jsonOf } from './json-of.ts';
import { sourceJson } from './json-values.ts';
import type { Meter } from './meter.ts';
import { TRAVERSAL } from './overload.ts';
import {
  type CelValue,
  Duration,
  ListValue,
  MapValue,
  ObjectValue,
  OpaqueValue,
  Optional,
  PlainList,
  sizeOf,
  Timestamp,
  TypeValue,
  Uint,
} from './values.ts';

/** Are they equal? */
export function equal(a: CelValue, b: CelValue, meter: Meter): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return equalPlain(a, b);
  if (a === null || b === null) return a === b;
  // The same JSON, such as a part that an update left alone, need not be looked into.
  const source = sourceJson(a);
  if (source !== undefined && source === sourceJson(b)) return true;
  if (a instanceof ListValue) return b instanceof ListValue && equalLists(a, b, meter);
  if (a instanceof MapValue) return b instanceof MapValue && equalMaps(a, b, meter);
  if (a instanceof ObjectValue) return b instanceof ObjectValue && equalObjects(a, b, meter);
  return equalLeaves(a, b, meter);
}

function equalPlain(a: CelValue, b: CelValue): boolean {
  if (typeof a === typeof b) return a === b;
  const [left, right] = [numeric(a), numeric(b)];
  return left !== undefined && right !== undefined && order(left, right) === 0;
}

/** The worth of a number of any type; undefined for what is none. */
function numeric(value: CelValue): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  return value instanceof Uint ? value.value : undefined;
}

function equalLeaves(a: CelValue & object, b: CelValue & object, meter: Meter): boolean {
  if (a instanceof OpaqueValue) return b instanceof OpaqueValue && a.equals(b);
  if (a instanceof Uint) return b instanceof Uint && a.value === b.value;
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos;
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos;
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  return a instanceof Optional && b instanceof Optional && equalOptionals(a, b, meter);
}

function equalOptionals(a: Optional, b: Optional, meter: Meter): boolean {
  if (a.value === undefined || b.value === undefined) return a.value === b.value;
  return equal(a.value, b.value, meter);
}

/** Are these items of lists equal? The caller has charged for looking at them; long ones are charged for besides. */
export function equalItems(a: CelValue, b: CelValue, meter: Meter): boolean {
  meter.work(Math.min(sizeOf(a), sizeOf(b)) * TRAVERSAL * TRAVERSAL);
  return equal(a, b, meter);
}

/** One part of a deep comparison. */
function equalParts(a: CelValue, b: CelValue | undefined, meter: Meter): boolean {
  meter.work(1);
  return b !== undefined && equalItems(a, b, meter);
}

function equalLists(a: ListValue, b: ListValue, meter: Meter): boolean {
  if (a.size !== b.size) return false;
  const type = a.type ?? b.type;
  if (type !== undefined) return equalKeyed([a, b], type, meter);
  for (let i = 0; i < a.size; i += 1) {
    if (!equalParts(a.at(i) ?? null, b.at(i), meter)) return false;
  }
  return true;
}

/** Sets and keyed lists are equal in any order. */
function equalKeyed([a, b]: [ListValue, ListValue], type: ListType, meter: Meter): boolean {
  const others = new Map<string, CelValue>();
  for (const item of itemsOf(b)) others.set(identity(item, type, meter), item);
  for (const item of itemsOf(a)) {
    if (!equalParts(item, others.get(identity(item, type, meter)), meter)) return false;
  }
  return true;
}

/** A text that tells an item of a set or keyed list from the others. */
export function identity(item: CelValue, { listType, keys = [] }: ListType, meter: Meter): string {
  const parts =
    listType === 'map' && item instanceof ObjectValue
      ? keys.map((key) => jsonOf(item.get(key) ?? null, meter))
      : jsonOf(item, meter);
  const text = JSON.stringify(parts);
  meter.work(text.length * TRAVERSAL);
  return text;
}

/** The items one after the other. */
export function itemsOf(list: ListValue): readonly CelValue[] {
  if (list instanceof PlainList) return list.items;
  return Array.from({ length: list.size }, (_, i) => list.at(i) ?? null);
}

function equalMaps(a: MapValue, b: MapValue, meter: Meter): boolean {
  if (a.size !== b.size) return false;
  return a.keys().every((key) => equalParts(a.get(key) ?? null, b.get(key), meter));
}

function equalObjects(a: ObjectValue, b: ObjectValue, meter: Meter): boolean {
  if (a.typeName !== b.typeName) return false;
  const names = a.names();
  if (names.length !== b.names().length) return false;
  return names.every((name) => equalParts(a.get(name) ?? null, b.get(name), meter));
}

/** Below, equal, above: negative, 0, positive; NaN where doubles cannot be compared. A CelError where the types cannot. */
export function compare(a: CelValue, b: CelValue): number {
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b);
  const [left, right] = [sortable(a), sortable(b)];
  const numbers = typeof left !== 'string' && typeof right !== 'string';
  if (numbers || typeof left === typeof right) return order(left, right);
  throw new CelError('no such overload');
}

/** Beside a double, ints are doubles too: the largest int is as large as 2^63. */
function order(a: bigint | number | string, b: bigint | number | string): number {
  const left = typeof b === 'number' ? Number(a) : a;
  const right = typeof a === 'number' ? Number(b) : b;
  if (left < right) return -1;
  if (left > right) return 1;
  return Number.isNaN(left) || Number.isNaN(right) ? Number.NaN : 0;
}

function sortable(value: CelValue): bigint | number | string {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value instanceof Uint) return value.value;
  if (value instanceof Timestamp || value instanceof Duration) return value.nanos;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  throw new CelError('no such overload');
}

const SURROGATE = /[\ud800-\udfff]/;

/** By code points, as their UTF-8 is ordered; the UTF-16 unit of a surrogate would come too early. */
function compareTexts(a: string, b: string): number {
  if (SURROGATE.test(a) || SURROGATE.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return order(a, b);
}
