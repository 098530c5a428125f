// The times that a cron line names, in a time zone. The one place that knows the cron library.
// Invariant: times are whole minutes; however long nobody looked, finding them takes few steps.
import { Cron } from 'croner';

/** Times that are told of one span: of a line of every minute that nobody served for longer, that many are missed. */
export const MAX_TIMES = 100;

/** What is wrong with the line or the zone, in words; undefined where nothing is. */
export function scheduleFault(schedule: string, timeZone: string): string | undefined {
  if (read.has(`${schedule} ${timeZone}`)) return undefined;
  try {
    new Intl.DateTimeFormat('en', { timeZone });
  } catch {
    return `timeZone: there is no time zone ${JSON.stringify(timeZone)}; an IANA name is needed, such as Europe/Berlin`;
  }
  // Signs of other dialects, which mean other things to other readers.
  if (/[L#W?]/.test(schedule))
    return `schedule: ${JSON.stringify(schedule)} has signs beyond crontab(5); use numbers, names, *, ranges, steps and lists`;
  try {
    cronOf({ schedule, timeZone });
    return undefined;
  } catch (error) {
    return `schedule: ${JSON.stringify(schedule)} is no cron line: ${(error as Error).message}`;
  }
}

/** A schedule's line and zone. */
export interface Line {
  readonly schedule: string;
  readonly timeZone: string;
}

/** The due times in (afterMs, untilMs], oldest first. Of more than MAX_TIMES the oldest ones and the newest. */
export function timesBetween(line: Line, afterMs: number, untilMs: number): number[] {
  const cron = cronOf(line);
  const times: number[] = [];
  for (let time = next(cron, afterMs); time <= untilMs; time = next(cron, time)) {
    if (times.length >= MAX_TIMES) return [...times.slice(0, -1), newestUntil(cron, untilMs)];
    times.push(time);
  }
  return times;
}

const HOUR_MS = 3_600_000;

/** The newest due time at or before `untilMs`, which there is: looked for in ever longer spans, so that few steps lead to it. */
function newestUntil(cron: Cron, untilMs: number): number {
  for (let span = HOUR_MS; ; span *= 24) {
    let found = next(cron, untilMs - span);
    if (found > untilMs) continue;
    for (let time = found; time <= untilMs; time = next(cron, time)) found = time;
    return found;
  }
}

/** The first due time after `afterMs`; undefined where there is none (30 February). */
export function timeAfter(line: Line, afterMs: number): number | undefined {
  const time = next(cronOf(line), afterMs);
  return Number.isFinite(time) ? time : undefined;
}

function next(cron: Cron, afterMs: number): number {
  return cron.nextRun(new Date(afterMs))?.getTime() ?? Infinity;
}

/** Lines that were read lately: reading one takes longer than finding its next time. */
const read = new Map<string, Cron>();
const MAX_READ = 100;

function cronOf({ schedule, timeZone }: Line): Cron {
  const line = `${schedule} ${timeZone}`;
  const known = read.get(line);
  if (known) return known;
  if (read.size >= MAX_READ) read.clear();
  const cron = new Cron(schedule, {
    mode: '5-part',
    sloppyRanges: true,
    timezone: timeZone,
    paused: true,
  });
  read.set(line, cron);
  return cron;
}
