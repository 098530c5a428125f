// The JSON of a value: for patches, audit annotations and the identity of items.
// Invariant: pure; what JSON cannot say is a CelError; every part that is made is charged for. What was JSON before comes
// back as it was, shared: whoever changes the result copies it first.
import { exactInteger } from '../../base/exact-json.ts';
import { CelError } from './cel-error.ts';
import { unescapedName } from './escape.ts';
import { sourceJson } from './json-values.ts';
import type { Meter } from './meter.ts';
import { TRAVERSAL } from './overload.ts';
import { durationText, timestampText } from './time-values.ts';
import {
  type CelValue,
  Duration,
  ListValue,
  MapValue,
  ObjectValue,
  Optional,
  sizeOf,
  Timestamp,
  typeName,
  Uint,
} from './values.ts';

/** The JSON of a value. Throws a CelError for values that have none. */
export function jsonOf(value: CelValue, meter: Meter): unknown {
  meter.work(TRAVERSAL * (1 + (typeof value === 'string' ? sizeOf(value) * TRAVERSAL : 0)));
  if (typeof value === 'bigint') return exactInteger(value);
  if (typeof value !== 'object' || value === null) return value;
  const known = sourceJson(value);
  if (known !== undefined) return known;
  if (value instanceof ListValue)
    return Array.from({ length: value.size }, (_, i) => jsonOf(value.at(i) ?? null, meter));
  if (value instanceof MapValue)
    return fields(
      value.keys().map((key) => [keyText(key), value.get(key)]),
      meter,
    );
  if (value instanceof ObjectValue)
    return fields(
      value.names().map((name) => [unescapedName(name), value.get(name)]),
      meter,
    );
  return leaf(value, meter);
}

function fields(entries: [string, CelValue | undefined][], meter: Meter): object {
  const known = entries.flatMap(([name, part]) =>
    part === undefined ? [] : [[name, jsonOf(part, meter)] as const],
  );
  return Object.fromEntries(known);
}

function keyText(key: CelValue): string {
  if (typeof key === 'string') return key;
  throw new CelError(`JSON has no maps with keys of type ${typeName(key)}`);
}

function leaf(value: CelValue & object, meter: Meter): unknown {
  if (value instanceof Uint) return Number(value.value);
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof Duration) return durationText(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Optional && value.value !== undefined) return jsonOf(value.value, meter);
  throw new CelError(`JSON has no values of type ${typeName(value)}`);
}
