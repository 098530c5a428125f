// The parts of timestamps and durations: `t.getHours('Europe/Berlin')`, `d.getSeconds()`.
// Invariant: UTC where no zone is named; a zone that nobody knows is a CelError.
import { table } from '../../../base/table.ts';
import { CelError } from '../cel-error.ts';
import type { Meter } from '../meter.ts';
import { type Library, method } from '../overload.ts';
import { modulo } from '../time-values.ts';
import type { CelValue, Duration, Timestamp } from '../values.ts';

const DAY_MS = 86_400_000;

/** What each method reads from a date whose UTC fields are the local ones. */
const PARTS: Readonly<Record<string, (date: Date) => number>> = table({
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDate: (date) => date.getUTCDate(),
  getDayOfMonth: (date) => date.getUTCDate() - 1,
  getDayOfWeek: (date) => date.getUTCDay(),
  getDayOfYear: (date) =>
    Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0)) / DAY_MS),
  getHours: (date) => date.getUTCHours(),
  getMinutes: (date) => date.getUTCMinutes(),
  getSeconds: (date) => date.getUTCSeconds(),
  getMilliseconds: (date) => date.getUTCMilliseconds(),
});

/** Nanoseconds of each unit that durations are asked for. */
const SPANS: Readonly<Record<string, bigint>> = table({
  getHours: 3_600_000_000_000n,
  getMinutes: 60_000_000_000n,
  getSeconds: 1_000_000_000n,
});

export const TIME_PARTS: Library = [
  ...Object.entries(PARTS).flatMap(([name, part]) => [
    method(`${name}(timestamp): int`, ([time]) => BigInt(part(dateOf(time!)))),
    method(`${name}(timestamp, string): int`, ([time, zone], meter) =>
      BigInt(part(local(dateOf(time!), zone as string, meter))),
    ),
  ]),
  ...Object.entries(SPANS).map(([name, unit]) =>
    method(`${name}(duration): int`, ([span]) => (span as Duration).nanos / unit),
  ),
  method(
    'getMilliseconds(duration): int',
    ([span]) => ((span as Duration).nanos / 1_000_000n) % 1000n,
  ),
];

function dateOf(time: CelValue): Date {
  const { nanos } = time as Timestamp;
  return new Date(Number((nanos - modulo(nanos, 1_000_000n)) / 1_000_000n));
}

const OFFSET = /^([-+])?(\d{2}):(\d{2})$/;

/** A date whose UTC fields are those of that zone. */
function local(date: Date, zone: string, meter: Meter): Date {
  if (zone === '' || zone === 'UTC') return date;
  const match = OFFSET.exec(zone);
  if (match === null) return new Date(inZone(date, formatOf(zone, meter)));
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return new Date(date.getTime() + (match[1] === '-' ? -minutes : minutes) * 60_000);
}

/** Zones whose rules are kept: each takes some tenths of a millisecond to load. */
const MAX_ZONES = 100;
const zones = new Map<string, Intl.DateTimeFormat>();

/** Loading a zone, or finding that there is none, and asking it: some tenths of a millisecond, some microseconds. */
const LOAD_WORK = 3000;
const ASK_WORK = 30;

function formatOf(zone: string, meter: Meter): Intl.DateTimeFormat {
  const known = zones.get(zone);
  meter.work(known === undefined ? LOAD_WORK : ASK_WORK);
  if (known) return known;
  const format = loadZone(zone);
  if (zones.size >= MAX_ZONES) zones.clear();
  zones.set(zone, format);
  return format;
}

function loadZone(timeZone: string): Intl.DateTimeFormat {
  const digits = '2-digit' as const;
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      era: 'short',
      year: 'numeric',
      month: digits,
      day: digits,
      hour: digits,
      minute: digits,
      second: digits,
      hourCycle: 'h23',
    });
  } catch {
    throw new CelError(`unknown time zone ${timeZone}`);
  }
}

function inZone(date: Date, format: Intl.DateTimeFormat): number {
  const parts = Object.fromEntries(
    format.formatToParts(date).map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  const local = new Date(
    Date.UTC(2000, month - 1, day, hour, minute, second, date.getUTCMilliseconds()),
  );
  local.setUTCFullYear(year, month - 1, day);
  return local.getTime();
}
