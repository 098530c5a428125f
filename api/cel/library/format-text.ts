// `'%d of %s'.format([1, 'x'])`.
// Invariant: every clause names one argument; a clause or an argument that does not fit is a CelError. The length of the
// text is charged for.
import { table } from '../../../base/table.ts';
import { CelError } from '../cel-error.ts';
import { sum, traversal, walks } from '../costs.ts';
import { itemsOf } from '../equality.ts';
import { MAX_PRECISION } from '../limits.ts';
import type { Meter } from '../meter.ts';
import { type Library, method } from '../overload.ts';
import { durationText, timestampText } from '../time-values.ts';
import {
  type CelValue,
  Duration,
  ListValue,
  MapValue,
  sizeOf,
  Timestamp,
  typeName,
  TypeValue,
  Uint,
} from '../values.ts';
import { doubleText } from './conversions.ts';
import { chargeText } from './strings.ts';

const CLAUSE = /%(?:%|(?:\.(\d*))?([^%])|)/gu;

function format([template, list]: readonly CelValue[], meter: Meter): string {
  const args = itemsOf(list as ListValue);
  let next = 0;
  return (template as string).replaceAll(CLAUSE, (whole, precision?: string, verb?: string) => {
    if (whole === '%%') return '%';
    const arg = args[next];
    if (arg === undefined && verb !== undefined) throw failure(`index ${next} out of range`);
    next += 1;
    const text = clause({ verb, precision, arg: arg ?? null, meter });
    chargeText(text.length, meter);
    return text;
  });
}

function failure(why: string): CelError {
  return new CelError(`error during formatting: ${why}`);
}

interface Clause {
  readonly verb: string | undefined;
  readonly precision: string | undefined;
  readonly arg: CelValue;
  readonly meter: Meter;
}

function clause(it: Clause): string {
  const write =
    it.verb === undefined || !Object.hasOwn(VERBS, it.verb) ? undefined : VERBS[it.verb];
  if (write === undefined) {
    const why =
      it.verb === undefined
        ? 'unexpected end of string'
        : `unrecognized formatting clause "${it.verb}"`;
    throw failure(`could not parse formatting clause: ${why}`);
  }
  return write(it);
}

function wrongType(clauseName: string, takes: string, arg: CelValue): CelError {
  return failure(`${clauseName} clause can only be used on ${takes}, was given ${typeName(arg)}`);
}

/** The worth of an int or uint; undefined for what is none. */
function whole(arg: CelValue): bigint | undefined {
  return arg instanceof Uint ? arg.value : typeof arg === 'bigint' ? arg : undefined;
}

function digits({ precision }: Clause): number {
  const count = precision === undefined ? 6 : Number(precision);
  if (count > MAX_PRECISION) throw failure(`precision ${count} is more than ${MAX_PRECISION}`);
  return count;
}

function decimal({ arg }: Clause): string {
  const value = whole(arg) ?? (typeof arg === 'number' ? arg : undefined);
  if (typeof value === 'number') return special(value) ?? doubleText(value);
  if (value === undefined) throw wrongType('decimal', 'numbers', arg);
  return `${value}`;
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return undefined;
  return value > 0 ? 'Infinity' : '-Infinity';
}

function real(name: string, { arg }: Clause): number {
  const value = typeof arg === 'number' ? arg : whole(arg);
  if (value === undefined) throw wrongType(name, 'numbers', arg);
  return Number(value);
}

/** Beyond 100 digits, and beyond 1e21, JavaScript writes doubles in another way. */
function fixed(it: Clause): string {
  const value = real('fixed-point', it);
  const count = digits(it);
  const known = special(value);
  if (known !== undefined) return known;
  if (count <= 100 && Math.abs(value) < 1e21) return rounded(value, count);
  const text = Math.abs(value) < 1e21 ? value.toFixed(100) : `${BigInt(value)}.`;
  return count === 0 ? text.replace('.', '') : text.padEnd(text.indexOf('.') + 1 + count, '0');
}

/** Exact halves go to the even digit; JavaScript takes them away from zero. */
function rounded(value: number, count: number): string {
  const text = value.toFixed(count);
  const exact = Math.abs(value).toFixed(100);
  const rest = exact.slice(exact.indexOf('.') + 1 + count);
  if (!/^50*$/.test(rest) || !/[13579]$/.test(text)) return text;
  const sign = value < 0 ? '-' : '';
  return `${sign}${exact.slice(0, exact.indexOf('.') + (count === 0 ? 0 : 1 + count))}`;
}

function scientific(it: Clause): string {
  const value = real('scientific', it);
  const count = digits(it);
  const known = special(value);
  if (known !== undefined) return known;
  const [mantissa = '', exponent = ''] = value.toExponential(Math.min(count, 100)).split('e');
  const padded = count > 100 ? mantissa.padEnd(mantissa.indexOf('.') + 1 + count, '0') : mantissa;
  return `${padded}e${exponent.replace(/^([-+])(\d)$/, '$10$2')}`;
}

function inBase(base: 2 | 8 | 16, name: string): (it: Clause) => string {
  return ({ arg }) => {
    if (base === 2 && typeof arg === 'boolean') return arg ? '1' : '0';
    const value = whole(arg);
    if (value !== undefined) return value.toString(base);
    if (base === 16 && typeof arg === 'string') return Buffer.from(arg).toString('hex');
    if (base === 16 && arg instanceof Uint8Array) return Buffer.from(arg).toString('hex');
    throw wrongType(name, base === 8 ? 'integers' : 'integers, and what can be written so', arg);
  };
}

const hex = inBase(16, 'hex');
const VERBS: Readonly<Record<string, (it: Clause) => string>> = table({
  s: ({ arg, meter }) => textOf(arg, meter),
  d: decimal,
  f: fixed,
  e: scientific,
  b: inBase(2, 'binary'),
  o: inBase(8, 'octal'),
  x: hex,
  X: (it) => hex(it).toUpperCase(),
});

/** Any value as a text. */
function textOf(value: CelValue, meter: Meter): string {
  meter.work(1 + traversal(sizeOf(value)));
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return special(value) ?? doubleText(value);
  if (value === null || typeof value !== 'object') return `${value}`;
  if (value instanceof ListValue)
    return `[${itemsOf(value)
      .map((item) => textOf(item, meter))
      .join(', ')}]`;
  if (value instanceof MapValue) return mapText(value, meter);
  return leafText(value);
}

function mapText(map: MapValue, meter: Meter): string {
  const entries = map.keys().map((key) => {
    const name = textOf(key, meter);
    return [name, `${name}: ${textOf(map.get(key) ?? null, meter)}`] as const;
  });
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([, text]) => text).join(', ')}}`;
}

function leafText(value: CelValue & object): string {
  if (value instanceof Uint) return `${value.value}`;
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof Duration) return durationText(value);
  if (value instanceof TypeValue) return value.name;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  throw failure(
    `string clause can only be used on values that are texts, was given ${typeName(value)}`,
  );
}

export const FORMAT_TEXT: Library = [
  method('format(string, list(dyn)): string', format, {
    ...walks(0),
    size: ([template, list]) => sum(template?.size, list?.size),
  }),
];
