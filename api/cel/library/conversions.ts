// Conversions between types: `int('5')`, `string(1.5)`, `timestamp('…')`, and `type(x)`.
// Invariant: a value that the other type cannot hold is a CelError, never another value.
import { table } from '../../../base/table.ts';
import { CelError } from '../cel-error.ts';
import { traversal, walks } from '../costs.ts';
import { type CostModel, type Library, overload } from '../overload.ts';
import {
  durationText,
  readDuration,
  readTimestamp,
  timestamp,
  timestampText,
} from '../time-values.ts';
import {
  type CelValue,
  Duration,
  int,
  type Timestamp,
  typeName,
  TypeValue,
  uint,
  type Uint,
} from '../values.ts';

function conversionError(value: CelValue, to: string): CelError {
  return new CelError(`type conversion error from '${typeName(value)}' to '${to}'`);
}

const INT = /^[-+]?(?:\d{1,40}|0x[0-9a-fA-F]{1,16})$/;
const UINT = /^(?:\d{1,40}|0x[0-9a-fA-F]{1,16})$/;
const DOUBLE = /^[-+]?(?:\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)$/;
const SPECIAL = /^([-+]?)(?:inf|infinity)$/i;
const BOOLS: Readonly<Record<string, boolean>> = table({
  '1': true,
  t: true,
  T: true,
  true: true,
  TRUE: true,
  True: true,
  '0': false,
  f: false,
  F: false,
  false: false,
  FALSE: false,
  False: false,
});

function wholeOf(text: string): bigint {
  return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text.replace(/^\+/, ''));
}

function textToInt(text: string): bigint {
  if (!INT.test(text) || /^[-+]?0x/.test(text)) throw conversionError(text, 'int');
  return int(wholeOf(text));
}

function textToUint(text: string): Uint {
  if (!UINT.test(text) || text.startsWith('0x')) throw conversionError(text, 'uint');
  return uint(wholeOf(text));
}

function textToDouble(text: string): number {
  const special = SPECIAL.exec(text);
  if (special) return special[1] === '-' ? -Infinity : Infinity;
  if (/^[-+]?nan$/i.test(text)) return Number.NaN;
  const value = DOUBLE.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) throw conversionError(text, 'double');
  return value;
}

/** Toward zero; what lies outside of the range is an error. */
function truncated(
  value: number,
  { min, end }: { min: number; end: number },
  what: string,
): bigint {
  if (!(value > min && value < end)) throw new CelError(`${what} overflow`);
  return BigInt(Math.trunc(value));
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function bytesToText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new CelError('invalid UTF-8 in bytes, cannot convert to string');
  }
}

/** As Go writes doubles with `%g`, in the fewest digits: 1, 1.5, 100000, 1e+06, 1.234567e+06, 1e-05. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const size = Math.abs(value);
  const text = size !== 0 && (size >= 1e6 || size < 1e-4) ? value.toExponential() : String(value);
  return text.replace(/e([-+])(\d)$/, 'e$10$2');
}

const TO_BYTES: CostModel = {
  ...walks(0),
  size: ([text]) => ({ min: text?.size.min ?? 0, max: (text?.size.max ?? 0) * 4 }),
};
const FROM_BYTES: CostModel = {
  ...walks(0),
  size: ([bytes]) => ({ min: Math.floor((bytes?.size.min ?? 0) / 4), max: bytes?.size.max ?? 0 }),
};
/** Upstream counts one; a text must be read all the same. */
const READS: CostModel = { cost: () => 1, work: ([text]) => traversal((text as string).length) };

const same = ([value]: readonly CelValue[]): CelValue => value!;
const SECOND = 1_000_000_000n;

const TO_INT: Library = [
  overload('int(int): int', same),
  overload('int(uint): int', ([value]) => int((value as Uint).value)),
  overload('int(double): int', ([value]) =>
    truncated(value as number, { min: -(2 ** 63), end: 2 ** 63 }, 'integer'),
  ),
  overload('int(string): int', ([value]) => textToInt(value as string), READS),
  overload('int(timestamp): int', ([value]) => floorDivide((value as Timestamp).nanos, SECOND)),
  overload('int(duration): int', ([value]) => (value as Duration).nanos),
];

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value < 0n && value % by !== 0n ? quotient - 1n : quotient;
}

const TO_NUMBERS: Library = [
  ...TO_INT,
  overload('uint(uint): uint', same),
  overload('uint(int): uint', ([value]) => uint(value as bigint)),
  overload('uint(double): uint', ([value]) =>
    uint(truncated(value as number, { min: -1, end: 2 ** 64 }, 'unsigned integer')),
  ),
  overload('uint(string): uint', ([value]) => textToUint(value as string), READS),
  overload('double(double): double', same),
  overload('double(int): double', ([value]) => Number(value as bigint)),
  overload('double(uint): double', ([value]) => Number((value as Uint).value)),
  overload('double(string): double', ([value]) => textToDouble(value as string), READS),
  overload('bool(bool): bool', same),
  overload('bool(string): bool', ([value]) => {
    const known = Object.hasOwn(BOOLS, value as string) ? BOOLS[value as string] : undefined;
    if (known === undefined) throw conversionError(value!, 'bool');
    return known;
  }),
];

const TO_TEXTS: Library = [
  overload('string(string): string', same),
  overload('string(bool): string', ([value]) => `${value as boolean}`),
  overload('string(int): string', ([value]) => `${value as bigint}`),
  overload('string(uint): string', ([value]) => `${(value as Uint).value}`),
  overload('string(double): string', ([value]) => doubleText(value as number)),
  overload('string(bytes): string', ([value]) => bytesToText(value as Uint8Array), FROM_BYTES),
  overload('string(timestamp): string', ([value]) => timestampText(value as Timestamp)),
  overload('string(duration): string', ([value]) => durationText(value as Duration)),
  overload('bytes(bytes): bytes', same),
  overload(
    'bytes(string): bytes',
    ([value]) => new Uint8Array(Buffer.from(value as string, 'utf8')),
    TO_BYTES,
  ),
];

const TO_TIMES: Library = [
  overload('timestamp(timestamp): timestamp', same),
  overload('timestamp(int): timestamp', ([value]) => timestamp((value as bigint) * SECOND)),
  overload('timestamp(string): timestamp', ([value]) => {
    const read = readTimestamp(value as string);
    if (read === undefined) throw conversionError(value!, 'google.protobuf.Timestamp');
    return read;
  }),
  overload('duration(duration): duration', same),
  overload('duration(int): duration', ([value]) => new Duration(value as bigint)),
  overload('duration(string): duration', ([value]) => {
    const read = readDuration(value as string);
    if (read === undefined) throw conversionError(value!, 'google.protobuf.Duration');
    return read;
  }),
];

export const CONVERSIONS: Library = [
  ...TO_NUMBERS,
  ...TO_TEXTS,
  ...TO_TIMES,
  overload('dyn(A): dyn', same),
  overload('type(A): type', ([value]) => new TypeValue(typeName(value!))),
];
