// The JSON patch (RFC 6902) that turns one object into another: what a mutating webhook answers.
// Invariant: applied to `before` the patch gives `after`, and it is never longer than replacing what differs. Pure.
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
  const operations = ofObjects(before as JsonObject, after as JsonObject, '');
  if (operations.length <= MAX_PATCH_OPERATIONS) return operations;
  return Object.keys({ ...before, ...after }).flatMap((key) =>
    ofField(before as JsonObject, after as JsonObject, {
      path: pointer('', key),
      key,
      whole: true,
    }),
  );
}

function ofObjects(before: JsonObject, after: JsonObject, path: string): PatchOperation[] {
  return Object.keys({ ...before, ...after }).flatMap((key) =>
    ofField(before, after, { path: pointer(path, key), key, whole: false }),
  );
}

function ofField(
  before: JsonObject,
  after: JsonObject,
  { path, key, whole }: { path: string; key: string; whole: boolean },
): PatchOperation[] {
  const was = Object.hasOwn(before, key) ? before[key] : undefined;
  const value = Object.hasOwn(after, key) ? after[key] : undefined;
  if (was === undefined) return value === undefined ? [] : [{ op: 'add', path, value }];
  if (value === undefined) return [{ op: 'remove', path }];
  if (!whole) return ofValues(was, value, path);
  return sameJson(was, value) ? [] : [{ op: 'replace', path, value }];
}

function ofValues(was: unknown, value: unknown, path: string): PatchOperation[] {
  if (was === value) return [];
  const replace: PatchOperation = { op: 'replace', path, value };
  const inside = insideOf(was, value, path);
  if (inside === undefined) return [replace];
  return inside.length > 1 && lengthOf(inside) > lengthOf([replace]) ? [replace] : inside;
}

function insideOf(was: unknown, value: unknown, path: string): PatchOperation[] | undefined {
  if (Array.isArray(was)) return Array.isArray(value) ? ofLists(was, value, path) : undefined;
  return isObject(was) && isObject(value) ? ofObjects(was, value, path) : undefined;
}

/** A place in the list before, and its place in the list after. */
type Pair = readonly [before: number, after: number];

/** Between items that both lists have, items are changed in place as far as there are some on both sides. */
function ofLists(was: readonly unknown[], now: readonly unknown[], path: string): PatchOperation[] {
  const operations: PatchOperation[] = [];
  // Where in the list, as it is by then, the next operation acts.
  let at = 0;
  let [from, to] = [0, 0];
  const change = () => operations.push(...ofValues(was[from++], now[to++], `${path}/${at++}`));
  for (const [before, after] of [...sharedItems(was, now), [was.length, now.length] as const]) {
    while (from < before && to < after) change();
    for (; from < before; from++) operations.push({ op: 'remove', path: `${path}/${at}` });
    for (; to < after; to++, at++)
      operations.push({ op: 'add', path: `${path}/${at}`, value: now[to] });
    if (before < was.length && after < now.length) change();
  }
  return operations;
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

const lengthOf = (operations: readonly PatchOperation[]): number =>
  JSON.stringify(operations).length;

const pointer = (path: string, key: string): string =>
  `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
