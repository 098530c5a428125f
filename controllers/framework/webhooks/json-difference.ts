// The JSON patch (RFC 6902) that turns one object into another: what a mutating webhook answers.
// Invariant: applied to `before` the patch gives `after`, and it is hardly longer than replacing what differs. Pure.
// So that whole numbers of 64 bits can be written.
import '../../../base/exact-json.ts';
import { sameJson } from '../same-json.ts';

/** One operation. Nothing is moved or copied: what is the same stays, what is not is written out. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/** Operations in one patch; API servers take no more. Beyond, whole fields of the object are replaced. */
export const MAX_PATCH_OPERATIONS = 10_000;

/** Pairs of items that are weighed to find what two lists share; longer lists are compared item by item. */
export const MAX_COMPARED_PAIRS = 250_000;

type JsonObject = Readonly<Record<string, unknown>>;

/** What has to be done to `before`. Fields that are undefined count as absent. */
export function jsonDifference(before: object, after: object): PatchOperation[] {
  const [was, now] = [before as JsonObject, after as JsonObject];
  const { operations } = ofObjects(was, now, { path: '', change: ofValues });
  if (operations.length <= MAX_PATCH_OPERATIONS) return operations;
  return ofObjects(was, now, { path: '', change: replaced }).operations;
}

/** Operations, and about how many characters they are. */
class Change {
  readonly operations: PatchOperation[] = [];
  chars = 0;

  add(operation: PatchOperation): void {
    this.operations.push(operation);
    this.chars += OVERHEAD + operation.path.length;
    if ('value' in operation) this.chars += charsOf(operation.value, Infinity);
  }

  addAll({ operations, chars }: Change): void {
    for (const operation of operations) this.operations.push(operation);
    this.chars += chars;
  }
}

/** Characters of an operation besides its path and value. */
const OVERHEAD = 30;

type Changing = (was: unknown, now: unknown, path: string) => Change;

function ofObjects(
  before: JsonObject,
  after: JsonObject,
  { path, change }: { path: string; change: Changing },
): Change {
  const found = new Change();
  for (const key of Object.keys(before)) {
    if (before[key] === undefined) continue;
    const at = pointer(path, key);
    const value = Object.hasOwn(after, key) ? after[key] : undefined;
    if (value === undefined) found.add({ op: 'remove', path: at });
    else found.addAll(change(before[key], value, at));
  }
  for (const key of Object.keys(after)) {
    const value = after[key];
    if (value !== undefined && (!Object.hasOwn(before, key) || before[key] === undefined))
      found.add({ op: 'add', path: pointer(path, key), value });
  }
  return found;
}

function ofValues(was: unknown, value: unknown, path: string): Change {
  if (was === value) return new Change();
  const inside = insideOf(was, value, path);
  if (inside === undefined) return replaced(was, value, path);
  const limit = inside.chars - OVERHEAD - path.length;
  const isLong = inside.operations.length > 1 && charsOf(value, limit) < limit;
  return isLong ? replaced(was, value, path) : inside;
}

function replaced(was: unknown, value: unknown, path: string): Change {
  const found = new Change();
  if (!sameJson(was, value)) found.add({ op: 'replace', path, value });
  return found;
}

function insideOf(was: unknown, value: unknown, path: string): Change | undefined {
  if (Array.isArray(was)) return Array.isArray(value) ? ofLists(was, value, path) : undefined;
  if (!isObject(was) || !isObject(value)) return undefined;
  return ofObjects(was, value, { path, change: ofValues });
}

/** About how long a value is as text; no more of it is looked at than it takes to get to the limit. */
function charsOf(value: unknown, limit: number): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return String(value as null).length;
  let chars = 2;
  for (const key of Object.keys(value)) {
    if (chars >= limit) break;
    const part = (value as JsonObject)[key];
    chars += (Array.isArray(value) ? 1 : key.length + 4) + charsOf(part, limit - chars);
  }
  return chars;
}

/** A place in the list before, and its place in the list after. */
type Pair = readonly [before: number, after: number];

/** Between items that both lists have, items are changed in place as far as there are some on both sides. */
function ofLists(was: readonly unknown[], now: readonly unknown[], path: string): Change {
  const found = new Change();
  // Where in the list, as it is by then, the next operation acts.
  let at = 0;
  let [from, to] = [0, 0];
  const change = () => found.addAll(ofValues(was[from++], now[to++], `${path}/${at++}`));
  for (const [before, after] of [...sharedItems(was, now), [was.length, now.length] as const]) {
    while (from < before && to < after) change();
    for (; from < before; from++) found.add({ op: 'remove', path: `${path}/${at}` });
    for (; to < after; to++, at++) found.add({ op: 'add', path: `${path}/${at}`, value: now[to] });
    if (before < was.length && after < now.length) change();
  }
  return found;
}

/** Which items stay the same item, in order: those of both ends, and the longest sequence of what is between them. */
function sharedItems(was: readonly unknown[], now: readonly unknown[]): Pair[] {
  const [before, after] = [was.map(labelOf), now.map(labelOf)];
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  const between = longestShared(
    before.slice(start, before.length - end),
    after.slice(start, after.length - end),
  );
  return [
    ...Array.from({ length: start }, (_, i): Pair => [i, i]),
    ...between.map(([i, j]): Pair => [start + i, start + j]),
    ...Array.from({ length: end }, (_, i): Pair => [was.length - end + i, now.length - end + i]),
  ];
}

/** The pairs of a longest common subsequence; none where that would take weighing more than MAX_COMPARED_PAIRS. */
function longestShared(before: readonly string[], after: readonly string[]): Pair[] {
  const width = after.length + 1;
  if (before.length * after.length > MAX_COMPARED_PAIRS) return [];
  // The length of the longest one that begins at (i, j) or later.
  const lengths = new Uint32Array((before.length + 1) * width);
  const length = (i: number, j: number) => lengths[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--)
      lengths[i * width + j] =
        before[i] === after[j]
          ? length(i + 1, j + 1) + 1
          : Math.max(length(i + 1, j), length(i, j + 1));
  const pairs: Pair[] = [];
  for (let i = 0, j = 0; i < before.length && j < after.length; )
    if (before[i] === after[j]) pairs.push([i++, j++]);
    else if (length(i + 1, j) >= length(i, j + 1)) i++;
    else j++;
  return pairs;
}

/** Fields by which the items of most lists of the API are told apart. */
const IDENTITIES = ['name', 'key', 'type', 'ip'];

/** What makes an item the same item: its name, or else all of it. */
function labelOf(item: unknown): string {
  if (isObject(item))
    for (const field of IDENTITIES)
      if (typeof item[field] === 'string') return `${field}=${item[field]}`;
  return JSON.stringify(item) ?? '';
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const pointer = (path: string, key: string): string =>
  `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
