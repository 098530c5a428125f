// Patterns of statuses and events: what is said has to be so, what is not said may be anything.
// Invariant: elements of lists are found by their `name` or `type`, never by their place; a mismatch is told with its path.

/** A value of which parts are said: texts may be regular expressions, any value may be judged by a function. */
export type Pattern<T> =
  | (T extends readonly (infer E)[]
      ? readonly Pattern<E>[]
      : T extends object
        ? { readonly [K in keyof T]?: Pattern<T[K]> }
        : T extends string
          ? string | RegExp
          : T)
  | Judge;

/** Says whether a value is as wanted; `undefined` is given where there is none. */
export type Judge = (value: unknown) => boolean;

/** The value is not there. */
export const absent: Judge = (value) => value === undefined;
/** The value is there, whatever it is. */
export const present: Judge = (value) => value !== undefined;

/** Why the value is not as the pattern says, as `path: what was found`; undefined where it is. */
export function mismatch(pattern: unknown, value: unknown, path = ''): string | undefined {
  if (typeof pattern === 'function')
    return (pattern as Judge)(value)
      ? undefined
      : `${path}: ${told(value)} is not as ${pattern.name || pattern.toString()} wants`;
  if (pattern instanceof RegExp)
    return typeof value === 'string' && pattern.test(value)
      ? undefined
      : `${path}: ${told(value)} does not match ${pattern}`;
  if (Array.isArray(pattern)) return listMismatch(pattern, value, path);
  if (typeof pattern !== 'object' || pattern === null)
    return pattern === value ? undefined : `${path}: ${told(value)} is not ${told(pattern)}`;
  if (typeof value !== 'object' || value === null)
    return `${path}: ${told(value)} is not an object`;
  for (const [key, part] of Object.entries(pattern)) {
    const found = mismatch(part, (value as Record<string, unknown>)[key], `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function listMismatch(
  pattern: readonly unknown[],
  value: unknown,
  path: string,
): string | undefined {
  if (!Array.isArray(value)) return `${path}: ${told(value)} is not a list`;
  for (const each of pattern) {
    const why = elementMismatch(each, value, path);
    if (why !== undefined) return why;
  }
  return undefined;
}

function elementMismatch(
  pattern: unknown,
  list: readonly unknown[],
  path: string,
): string | undefined {
  const key = keyOf(pattern);
  if (key === undefined) {
    const reasons = list.map((element) => mismatch(pattern, element, `${path}[]`));
    return reasons.includes(undefined)
      ? undefined
      : (reasons[0] ?? `${path}: there is no element ${told(pattern)}`);
  }
  const [name, wanted] = key;
  const element = list.find((one) => (one as Record<string, unknown>)[name] === wanted);
  return mismatch(pattern, element, `${path}[${wanted}]`);
}

function keyOf(pattern: unknown): [string, string] | undefined {
  if (typeof pattern !== 'object' || pattern === null) return undefined;
  for (const name of ['name', 'type'] as const) {
    const value = (pattern as Record<string, unknown>)[name];
    if (typeof value === 'string') return [name, value];
  }
  return undefined;
}

function told(value: unknown): string {
  const text = value instanceof RegExp ? value.toString() : JSON.stringify(value);
  return text === undefined ? 'nothing' : text.slice(0, 600);
}
