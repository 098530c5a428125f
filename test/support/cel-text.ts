// Values of CEL as texts that tests compare: types are told apart, maps are in order.
// Invariant: two values have the same text exactly when they have the same type and are equal.
import { itemsOf } from '../../api/cel/equality.ts';
import { durationText, timestampText } from '../../api/cel/time-values.ts';
import {
  type CelValue,
  Duration,
  ListValue,
  MapValue,
  Optional,
  Timestamp,
  typeName,
  TypeValue,
  Uint,
} from '../../api/cel/values.ts';

/** The text of a value: `1`, `1u`, `1.0`, `"a"`, `b"6162"`, `[…]`, `{…}`, `timestamp(…)`, `type(int)`. */
export function celText(value: CelValue): string {
  if (typeof value === 'number') return doubleText(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (value === null || typeof value !== 'object') return `${value}`;
  if (value instanceof ListValue) return `[${itemsOf(value).map(celText).join(', ')}]`;
  if (value instanceof MapValue) {
    const entries = value
      .keys()
      .map((key) => `${celText(key)}: ${celText(value.get(key) ?? null)}`);
    return `{${entries.sort().join(', ')}}`;
  }
  return leafText(value);
}

/** Doubles always have a point or an exponent, so that they are no ints. */
export function doubleText(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

function leafText(value: CelValue & object): string {
  if (value instanceof Uint) return `${value.value}u`;
  if (value instanceof Uint8Array) return `b"${Buffer.from(value).toString('hex')}"`;
  if (value instanceof Timestamp) return `timestamp(${timestampText(value)})`;
  if (value instanceof Duration) return `duration(${durationText(value)})`;
  if (value instanceof TypeValue) return `type(${value.name})`;
  if (value instanceof Optional)
    return value.value === undefined ? 'none' : `some(${celText(value.value)})`;
  return typeName(value);
}
