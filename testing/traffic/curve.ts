// Traffic over time: points, a function, or the text of a CSV file, as requests per second for each second. Pure.
// Invariant: a curve has a finite rate of at least 0 for every second that it covers; what would have none is refused with its place.
import { TrafficError } from './traffic-error.ts';

/** Longest curve: a week. */
export const MAX_CURVE_SECONDS = 7 * 86_400;
/** Most points of a curve. */
export const MAX_POINTS = 100_000;
/** Most requests per second. */
export const MAX_RATE = 10_000_000;
/** A step between two lines of a CSV that is longer than this many usual ones is a gap. */
const GAP_STEPS = 5;

/** A rate at a moment; in between it changes evenly. */
export interface CurvePoint {
  /** Seconds from the beginning. */
  readonly atSeconds: number;
  readonly requestsPerSecond: number;
}

/** A curve: points in order, or a function of seconds that is asked for each second of `hours` (24 unless given). */
export type CurveSource =
  | readonly CurvePoint[]
  | { readonly requestsPerSecond: (second: number) => number; readonly hours?: number };

/** A rate for each second. */
export interface Curve {
  readonly seconds: number;
  readonly perSecond: Float64Array;
}

/** The curve of a source. Throws TrafficError for what is no curve. */
export function curveOf(source: CurveSource): Curve {
  if (!('requestsPerSecond' in source)) return throughPoints(source);
  const hours = source.hours ?? 24;
  if (!(hours > 0)) throw new TrafficError(`a curve of ${hours} hours is none: hours is above 0`);
  const seconds = lengthOf(Math.round(hours * 3600));
  const perSecond = new Float64Array(seconds);
  for (let second = 0; second < seconds; second++)
    perSecond[second] = rateAt(source.requestsPerSecond(second), `at second ${second}`);
  return { seconds, perSecond };
}

function throughPoints(points: readonly CurvePoint[]): Curve {
  const [first] = points;
  const last = points.at(-1);
  if (points.length < 2 || !first || !last)
    throw new TrafficError(`a curve needs two points at least, and has ${points.length}`);
  if (points.length > MAX_POINTS)
    throw new TrafficError(
      `the curve has ${points.length} points, and ${MAX_POINTS} at most are taken: leave some out`,
    );
  if (first.atSeconds !== 0)
    throw new TrafficError(
      `the curve begins at second ${first.atSeconds}: its first point says what is at second 0`,
    );
  points.forEach((point, i) => checkPoint(point, points[i - 1]));
  const seconds = lengthOf(Math.ceil(last.atSeconds));
  const perSecond = new Float64Array(seconds);
  let next = 1;
  for (let second = 0; second < seconds; second++) {
    while ((points[next]?.atSeconds ?? Infinity) < second) next++;
    perSecond[second] = between(points[next - 1] ?? first, points[next] ?? last, second);
  }
  return { seconds, perSecond };
}

function checkPoint(point: CurvePoint, before: CurvePoint | undefined): void {
  const { atSeconds, requestsPerSecond } = point;
  if (!Number.isFinite(atSeconds))
    throw new TrafficError(`a point of the curve has the time ${atSeconds}: it takes seconds`);
  if (before && atSeconds <= before.atSeconds)
    throw new TrafficError(
      `the curve's point at second ${atSeconds} comes after the one at ${before.atSeconds}: put the points in order of time, one for each moment`,
    );
  rateAt(requestsPerSecond, `at second ${atSeconds}`);
}

function between(from: CurvePoint, to: CurvePoint, second: number): number {
  const share = (second - from.atSeconds) / (to.atSeconds - from.atSeconds);
  return from.requestsPerSecond + share * (to.requestsPerSecond - from.requestsPerSecond);
}

function lengthOf(seconds: number): number {
  if (seconds <= MAX_CURVE_SECONDS) return seconds;
  throw new TrafficError(
    `the curve is ${(seconds / 3600).toFixed(1)} hours long, and 168 at most are taken: simulate part of it`,
  );
}

function rateAt(rate: number, where: string): number {
  if (rate >= 0 && rate <= MAX_RATE) return rate;
  throw new TrafficError(
    `the curve has ${rate} requests per second ${where}: a rate is from 0 to ${MAX_RATE}`,
  );
}

/** How a CSV is read. */
export interface CsvReading {
  /** Names the text in messages. */
  readonly from: string;
  /** Draws straight lines over gaps in place of refusing them. */
  readonly interpolate?: boolean;
}

/**
 * The points of a CSV: a time and a rate in each line, by a comma, a semicolon or a tab; a first line that is no pair of figures names
 * the columns. Times are seconds, `hh:mm`, `hh:mm:ss`, or dates with times (RFC 3339), and count from the first. Throws TrafficError.
 */
export function parseCurveCsv(
  text: string,
  { from, interpolate = false }: CsvReading,
): CurvePoint[] {
  const rows: Row[] = [];
  let line = 0;
  for (const written of text.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    line++;
    if (written.trim() === '' || written.startsWith('#')) continue;
    const row = rowOf(written, `${from} line ${line}`);
    if (row === 'names' && rows.length === 0 && !/\d\s*$/.test(written)) continue;
    if (row === 'names')
      throw new TrafficError(
        `${from} line ${line}: ${JSON.stringify(written.slice(0, 60))} is no time and rate, such as 08:30,120`,
      );
    if (row === 'empty' && interpolate) continue;
    if (row === 'empty') throw new TrafficError(`${from} line ${line}: there is no rate: ${FILL}`);
    rows.push(row);
    if (rows.length > MAX_POINTS)
      throw new TrafficError(`${from} has more than ${MAX_POINTS} points: leave some out`);
  }
  inOrder(rows);
  if (!interpolate) withoutGaps(rows);
  const [first] = rows;
  return rows.map(({ seconds, rate }) => ({
    atSeconds: seconds - (first?.seconds ?? 0),
    requestsPerSecond: rate,
  }));
}

const FILL = 'fill it in, or let a straight line be drawn over gaps (--interpolate)';

interface Row {
  readonly seconds: number;
  readonly rate: number;
  /** The file and line. */
  readonly place: string;
}

function rowOf(written: string, place: string): Row | 'names' | 'empty' {
  const [time = '', rate = ''] = written
    .split(/[,;\t]/)
    .map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
  const seconds = secondsOf(time);
  if (seconds === undefined) return 'names';
  if (rate === '' || /^(nan|null|n\/a|-)$/i.test(rate)) return 'empty';
  const value = Number(rate);
  if (Number.isNaN(value)) return 'names';
  if (value < 0)
    throw new TrafficError(
      `${place}: ${rate} requests per second are fewer than none: a rate is 0 or more`,
    );
  if (value > MAX_RATE)
    throw new TrafficError(`${place}: ${rate} requests per second are more than ${MAX_RATE}`);
  return { seconds, rate: value, place };
}

function secondsOf(text: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  const clock = /^(\d{1,3}):([0-5]\d)(?::([0-5]\d))?$/.exec(text);
  if (clock) return Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3] ?? 0);
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(text)) return undefined;
  const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`;
  const ms = Date.parse(zoned.replace(' ', 'T'));
  return Number.isNaN(ms) ? undefined : ms / 1000;
}

function inOrder(rows: readonly Row[]): void {
  rows.forEach((row, i) => {
    const before = rows[i - 1];
    if (before && row.seconds <= before.seconds)
      throw new TrafficError(
        `${row.place} is not later than the line before it: sort the lines by time, one for each moment (a curve over midnight needs dates, or hours from 24 on)`,
      );
  });
}

function withoutGaps(rows: readonly Row[]): void {
  const steps = rows.slice(1).map((row, i) => row.seconds - (rows[i]?.seconds ?? 0));
  const usual = steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
  const gap = steps.findIndex((step) => step > GAP_STEPS * usual);
  const row = rows[gap + 1];
  if (gap < 0 || !row) return;
  throw new TrafficError(
    `${row.place} comes ${steps[gap]} s after the line before it, where ${usual} s are usual; that is a gap: ${FILL}`,
  );
}
