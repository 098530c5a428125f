// What an object lacks of what is wanted of it, in words. Pure.
// Invariant: nothing is told of what was not asked for, and at most MAX_DIFFERENCES differences are.

/** Differences told at most; the rest are counted. */
export const MAX_DIFFERENCES = 20;
/** Characters of one value told at most. */
const MAX_VALUE_CHARS = 300;

/** Anything that tells by itself whether a value will do, as test runners' asymmetric matchers do (`expect.any(String)`). */
interface Judge {
  asymmetricMatch(value: unknown): boolean;
  /** What it wants, in words. */
  toAsymmetricMatcher?(): string;
}

/**
 * Compares part by part: fields that `wanted` leaves out do not matter, and those that it has as undefined must be absent. Of a
 * list each wanted item has to be found, in any order; an empty list wants none. Answers a line for each difference; none: it has all of it.
 */
export function differences(wanted: unknown, actual: unknown): string[] {
  const found: string[] = [];
  compare({ wanted, actual, path: '' }, found);
  if (found.length <= MAX_DIFFERENCES) return found;
  return [...found.slice(0, MAX_DIFFERENCES), `and ${found.length - MAX_DIFFERENCES} more`];
}

/** A value in one line, cut where it is long. */
export function told(value: unknown): string {
  const text = jsonOf(value);
  return text.length > MAX_VALUE_CHARS ? `${text.slice(0, MAX_VALUE_CHARS)}…` : text;
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'nothing';
  } catch {
    return 'what cannot be shown as JSON';
  }
}

interface Pair {
  readonly wanted: unknown;
  readonly actual: unknown;
  /** Where, such as `spec.containers[0].image`; '' for the whole. */
  readonly path: string;
}

function compare(pair: Pair, found: string[]): void {
  const { wanted, actual, path } = pair;
  if (isJudge(wanted)) {
    if (wanted.asymmetricMatch(actual)) return;
    found.push(line(path, wanted.toAsymmetricMatcher?.() ?? 'something else', actual));
  } else if (Array.isArray(wanted)) compareLists(pair, found);
  else if (isObject(wanted)) compareObjects(pair, found);
  else if (!Object.is(wanted, actual)) found.push(line(path, told(wanted), actual));
}

function compareObjects({ wanted, actual, path }: Pair, found: string[]): void {
  if (!isObject(actual)) {
    if (actual !== undefined || Object.values(wanted as object).some((each) => each !== undefined))
      found.push(line(path, told(wanted), actual));
    return;
  }
  for (const [key, each] of Object.entries(wanted as object))
    compare(
      {
        wanted: each,
        actual: Object.hasOwn(actual, key) ? actual[key] : undefined,
        path: below(path, key),
      },
      found,
    );
}

function compareLists({ wanted, actual, path }: Pair, found: string[]): void {
  const items: readonly unknown[] = Array.isArray(actual) ? actual : [];
  const all = wanted as readonly unknown[];
  if (all.length === 0 && items.length > 0) found.push(line(path, 'an empty list', actual));
  for (const each of all) {
    if (items.some((item) => differences(each, item).length === 0)) continue;
    found.push(line(path, `an item ${told(each)}`, actual));
  }
}

const line = (path: string, wanted: string, actual: unknown): string =>
  `${path === '' ? 'the object' : path}: wanted ${wanted}, but it is ${told(actual)}`;

const PLAIN_KEY = /^[A-Za-z_$][\w$]*$/;

function below(path: string, key: string): string {
  if (!PLAIN_KEY.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isJudge = (value: unknown): value is Judge =>
  isObject(value) && typeof value['asymmetricMatch'] === 'function';
