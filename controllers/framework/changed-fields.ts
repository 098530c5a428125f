// Which fields differ between two states of an object, for messages to people.
// Invariant: at most MAX_NAMED paths are named, and what the server changes with every write is none of them.

/** Paths named at most. */
export const MAX_NAMED = 3;
/** Follow from other changes. */
const DERIVED = new Set([
  'metadata.resourceVersion',
  'metadata.managedFields',
  'metadata.generation',
]);

/** Paths such as `status.conditions[0].reason`, those found first. */
export function changedFields(before: unknown, after: unknown): readonly string[] {
  const found: string[] = [];
  compare({ before, after, path: '' }, found);
  return found;
}

interface Pair {
  readonly before: unknown;
  readonly after: unknown;
  readonly path: string;
}

function compare({ before, after, path }: Pair, found: string[]): void {
  if (before === after || found.length >= MAX_NAMED || DERIVED.has(path)) return;
  if (!isObject(before) || !isObject(after) || Array.isArray(before) !== Array.isArray(after)) {
    found.push(path);
    return;
  }
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  for (const name of names) {
    const inner = Array.isArray(before) ? `${path}[${name}]` : path ? `${path}.${name}` : name;
    compare({ before: before[name], after: after[name], path: inner }, found);
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
