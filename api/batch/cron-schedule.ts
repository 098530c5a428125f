// Schedules as cron writes them: five fields, or one of the words behind an @.
// Invariant: never throws; the first fault is told in the words API clients know.

/** One field: its lowest and highest number, and names for some. */
interface Field {
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS: readonly Field[] = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: MONTHS },
  { min: 0, max: 6, names: DAYS },
];
const WORDS = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];
const EVERY = '@every ';
const DURATION = /^[-+]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$/;
/** Numbers beyond this are none that a field could mean. */
const MAX_DIGITS = 18;

/** Why the text is no schedule; undefined when it is one. `isZone` knows time zones. */
export function scheduleFault(text: string, isZone: (name: string) => boolean): string | undefined {
  let schedule = text;
  const [, zone] = /^(?:CRON_)?TZ=(\S*)/.exec(text) ?? [];
  if (zone !== undefined) {
    if (!isZone(zone)) return `provided bad location ${zone}: unknown time zone ${zone}`;
    schedule = text.slice(text.indexOf(' ')).trim();
  }
  if (schedule.startsWith('@')) return wordFault(schedule);
  const parts = schedule.split(/\s+/).filter((part) => part !== '');
  if (parts.length !== FIELDS.length) {
    return `expected exactly ${FIELDS.length} fields, found ${parts.length}: [${parts.join(' ')}]`;
  }
  for (const [i, field] of FIELDS.entries()) {
    const fault = fieldFault(parts[i] ?? '', field);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function wordFault(word: string): string | undefined {
  if (WORDS.includes(word)) return undefined;
  if (!word.startsWith(EVERY)) return `unrecognized descriptor: ${word}`;
  const length = word.slice(EVERY.length);
  return DURATION.test(length)
    ? undefined
    : `failed to parse duration ${word}: time: invalid duration ${JSON.stringify(length)}`;
}

function fieldFault(text: string, field: Field): string | undefined {
  for (const range of text.split(',').filter((part) => part !== '')) {
    const fault = rangeFault(range, field);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** One range: `*`, `3`, `mon-fri`, `0-30/5`. */
function rangeFault(text: string, field: Field): string | undefined {
  const [range = '', step, ...moreSteps] = text.split('/');
  const [low = '', high, ...moreEnds] = range.split('-');
  const all = low === '*' || low === '?';
  const first = all ? field.min : numberOf(low, field);
  if (typeof first === 'string') return first;
  if (!all && moreEnds.length > 0) return `too many hyphens: ${text}`;
  const last = lastOf({ all, first, high }, field);
  if (typeof last === 'string') return last;
  const every = step === undefined ? 1 : numberOf(step);
  if (typeof every === 'string') return every;
  if (moreSteps.length > 0) return `too many slashes: ${text}`;
  // A single number with a step runs on to the end.
  const end = step !== undefined && high === undefined ? field.max : last;
  return boundsFault({ first, end, every }, field, text);
}

function lastOf(
  { all, first, high }: { all: boolean; first: number; high: string | undefined },
  field: Field,
): number | string {
  if (all) return field.max;
  return high === undefined ? first : numberOf(high, field);
}

function boundsFault(
  { first, end, every }: { first: number; end: number; every: number },
  { min, max }: Field,
  text: string,
): string | undefined {
  if (first < min) return `beginning of range (${first}) below minimum (${min}): ${text}`;
  if (end > max) return `end of range (${end}) above maximum (${max}): ${text}`;
  if (first > end) return `beginning of range (${first}) beyond end of range (${end}): ${text}`;
  return every === 0 ? `step of range should be a positive number: ${text}` : undefined;
}

/** The number that the text says or names, or why it says none. */
function numberOf(text: string, field?: Field): number | string {
  const named = field?.names.indexOf(text.toLowerCase()) ?? -1;
  if (field !== undefined && named >= 0) return named + field.min;
  if (!/^[-+]?\d+$/.test(text) || text.length > MAX_DIGITS) {
    const why = `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
    return `failed to parse int from ${text}: ${why}`;
  }
  const number = Number(text);
  return number < 0 ? `negative number (${number}) not allowed: ${text}` : number;
}
