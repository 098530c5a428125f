// Timestamps and durations: read from texts, written to texts, to the nanosecond.
// Invariant: a Timestamp lies within the years 1 to 9999, a Duration within 64 bits of nanoseconds; else a CelError.
import { table } from '../../base/table.ts';
import { CelError } from './cel-error.ts';
import { Duration, Timestamp } from './values.ts';

const SECOND = 1_000_000_000n;
const FIRST = BigInt(Date.parse('0001-01-01T00:00:00Z')) * 1_000_000n;
const LAST = BigInt(Date.parse('9999-12-31T23:59:59Z')) * 1_000_000n + SECOND - 1n;
const MAX_DURATION = 2n ** 63n - 1n;

const RFC3339 =
  /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(?:([Zz])|([+-])(\d\d):(\d\d))$/;
const DATE = /^\d{4}-\d\d-\d\d$/;
const UNITS: Readonly<Record<string, bigint>> = table({
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: SECOND,
  m: 60n * SECOND,
  h: 3600n * SECOND,
});
const DURATION = /^([-+]?)(?:0|((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+))$/;
const PART = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g;
/** Longer texts are no durations; they would only cost time. */
const MAX_DURATION_TEXT = 1000;

/** Within range, or a CelError. */
export function timestamp(nanos: bigint): Timestamp {
  if (nanos < FIRST || nanos > LAST) throw new CelError('timestamp overflow');
  return new Timestamp(nanos);
}

/** Within range, or a CelError. */
export function duration(nanos: bigint): Duration {
  if (nanos > MAX_DURATION || nanos < -MAX_DURATION - 1n) throw new CelError('integer overflow');
  return new Duration(nanos);
}

/** The time of an RFC 3339 text; undefined when it is none. */
export function readTimestamp(text: string): Timestamp | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [, date = '', time = '', fraction = '', , sign, hours = '0', minutes = '0'] = match;
  const ms = Date.parse(`${date}T${time}Z`);
  if (Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(date)) return undefined;
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined;
  const offset = (BigInt(hours) * 3600n + BigInt(minutes) * 60n) * SECOND;
  const nanos = BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
  return within(sign === '-' ? nanos + offset : nanos - offset);
}

function within(nanos: bigint): Timestamp | undefined {
  return nanos < FIRST || nanos > LAST ? undefined : new Timestamp(nanos);
}

/** The first moment of a day such as `2026-01-02`; undefined when it is none. */
export function readDate(text: string): Timestamp | undefined {
  return DATE.test(text) ? readTimestamp(`${text}T00:00:00Z`) : undefined;
}

/** The duration of a text such as `1h30m` or `-1.5s`; undefined when it is none. */
export function readDuration(text: string): Duration | undefined {
  if (text.length > MAX_DURATION_TEXT) return undefined;
  const match = DURATION.exec(text);
  if (match === null) return undefined;
  let nanos = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of (match[2] ?? '').matchAll(PART)) {
    const size = UNITS[unit] ?? 0n;
    nanos += BigInt(whole === '' ? 0 : whole) * size;
    nanos += (BigInt(fraction === '' ? 0 : fraction) * size) / 10n ** BigInt(fraction.length);
  }
  const signed = match[1] === '-' ? -nanos : nanos;
  return nanos > MAX_DURATION ? undefined : new Duration(signed);
}

/** RFC 3339 in UTC, with as many digits as there are. */
export function timestampText({ nanos }: Timestamp): string {
  const fraction = modulo(nanos, SECOND);
  const seconds = (nanos - fraction) / SECOND;
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${text}${fractionText(fraction)}Z`;
}

/** In seconds, as CEL writes durations: `5400s`, `1.5s`. */
export function durationText({ nanos }: Duration): string {
  const size = nanos < 0n ? -nanos : nanos;
  return `${nanos < 0n ? '-' : ''}${size / SECOND}${fractionText(size % SECOND)}s`;
}

/** In hours, minutes and seconds, as the API writes durations: `1h30m0s`. */
export function goDurationText({ nanos }: Duration): string {
  if (nanos === 0n) return '0s';
  const size = nanos < 0n ? -nanos : nanos;
  const sign = nanos < 0n ? '-' : '';
  if (size < SECOND) return `${sign}${smallText(size)}`;
  const [hours, minutes] = [size / UNITS['h']!, (size / UNITS['m']!) % 60n];
  const seconds = `${(size / SECOND) % 60n}${fractionText(size % SECOND)}s`;
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0n ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

function smallText(nanos: bigint): string {
  const unit = nanos >= 1_000_000n ? 'ms' : nanos >= 1000n ? 'µs' : 'ns';
  return `${Number(nanos) / Number(UNITS[unit])}${unit}`;
}

function fractionText(nanos: bigint): string {
  if (nanos === 0n) return '';
  return `.${nanos.toString().padStart(9, '0').replace(/0+$/, '')}`;
}

/** The remainder that is never negative. */
export function modulo(value: bigint, by: bigint): bigint {
  const rest = value % by;
  return rest < 0n ? rest + by : rest;
}
