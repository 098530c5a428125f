// Decodes values without parts: numbers, texts, times, quantities.
// Invariant: what comes out is in the form the API writes (times in UTC, quantities as texts).
import { tryCanonicalQuantity } from '../meta/quantity.ts';
import { DecodeError, jsonType, typeMismatch } from './decode-place.ts';
import type { Place } from './decode-place.ts';
import type { LeafKind, Shape } from './shape.ts';

/** A leaf shape that is not free-form. */
export type LeafShape = Extract<Shape, { kind: LeafKind }>;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const TIME =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/;

/** The value in its normal form. Throws DecodeError when it does not fit. */
export function decodeLeaf(shape: LeafShape, value: unknown, at: Place): unknown {
  switch (shape.kind) {
    case 'bool':
      return plain(shape, { value, type: 'boolean', at });
    case 'string':
      return plain(shape, { value, type: 'string', at });
    case 'double':
      return plain(shape, { value: toDouble(value), type: 'number', at });
    case 'int32':
    case 'int64':
      return whole(shape, value, at);
    case 'bytes':
      return base64(plain(shape, { value, type: 'string', at }) as string);
    case 'int-or-string':
      return intOrString(value);
    case 'quantity':
      return quantity(value);
    case 'time':
    case 'micro-time':
      return time(shape.kind, value);
    case 'any':
      return value;
  }
}

function plain(
  shape: LeafShape,
  { value, type, at }: { value: unknown; type: 'boolean' | 'number' | 'string'; at: Place },
): unknown {
  if (typeof value !== type) throw typeMismatch(shape, value, at);
  return value;
}

function whole(shape: LeafShape, value: unknown, at: Place): number {
  if (typeof value === 'bigint' && shape.kind === 'int64') throw beyondExact(shape, value, at);
  if (typeof value !== 'number') throw typeMismatch(shape, value, at);
  const fits = shape.kind === 'int64' || (value >= -INT32_END && value < INT32_END);
  if (Number.isSafeInteger(value) && fits) return value;
  throw typeMismatch(shape, value, at);
}

const INT32_END = 2 ** 31;

/** Built-in kinds count in numbers; what these do not hold exactly is refused rather than rounded. */
function beyondExact(shape: LeafShape, value: bigint, at: Place): DecodeError {
  const { message } = typeMismatch(shape, value, at);
  const most = Number.MAX_SAFE_INTEGER;
  return new DecodeError(`${message}: this server keeps integers between -${most} and ${most}`);
}

const toDouble = (value: unknown) => (typeof value === 'bigint' ? Number(value) : value);

function intOrString(value: unknown): number | string {
  if (typeof value === 'string') return value;
  const fits = Number.isInteger(value) && Math.abs(value as number) < 2 ** 31;
  if (fits) return value as number;
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  const what = isNumber ? `number ${value}` : jsonType(value);
  throw new DecodeError(`json: cannot unmarshal ${what} into Go value of type int32`);
}

/** The canonical text (`0.5` becomes `500m`), so that equal amounts are equal texts. */
function quantity(value: unknown): string {
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  const text = isNumber ? String(value) : value;
  const canonical = typeof text === 'string' ? tryCanonicalQuantity(text) : undefined;
  if (canonical !== undefined) return canonical;
  throw new DecodeError(
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  );
}

function base64(text: string): string {
  const packed = text.replaceAll(/[\r\n]/g, '');
  if (BASE64.test(packed)) return packed;
  const bad = /[^A-Za-z0-9+/]/.exec(packed.replace(/=+$/, ''))?.index ?? packed.length;
  throw new DecodeError(`illegal base64 data at input byte ${bad}`);
}

/** Times come out in UTC: whole seconds for Time, six digits for MicroTime. */
function time(kind: 'micro-time' | 'time', value: unknown): string {
  if (typeof value !== 'string') {
    throw new DecodeError(`json: cannot unmarshal ${jsonType(value)} into Go value of type string`);
  }
  const parts = TIME.exec(value);
  const ms = parts === null ? Number.NaN : Date.parse(value.replace(',', '.'));
  if (parts === null || Number.isNaN(ms)) {
    const layout =
      kind === 'time' ? '2006-01-02T15:04:05Z07:00' : '2006-01-02T15:04:05.000000Z07:00';
    throw new DecodeError(
      `parsing time ${JSON.stringify(value)} as "${layout}": cannot parse it as such`,
    );
  }
  const seconds = new Date(ms).toISOString().slice(0, 19);
  return kind === 'time'
    ? `${seconds}Z`
    : `${seconds}.${(parts[7] ?? '').padEnd(6, '0').slice(0, 6)}Z`;
}
