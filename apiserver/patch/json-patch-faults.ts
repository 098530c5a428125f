// What is wrong with an operation of a JSON patch that did not apply, in the words that upstream's server has for it: people
// search for them, and programs match them. Invariant: pure; asked only once an operation has failed.
import { isObject } from './patch-error.ts';

/** An operation whose pointers are texts. */
export interface PlacedOperation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
}

/** Why the operation does not apply to the document; undefined where nothing of it is missing. */
export function faultOf(document: unknown, operation: PlacedOperation): string | undefined {
  const { op, path, from = '' } = operation;
  switch (op) {
    case 'add':
      return ofTarget(
        document,
        path,
        `add operation does not apply: doc is missing path: "${path}"`,
      );
    case 'remove':
      return ofRemoval(document, path);
    case 'replace':
      return ofReplacement(document, path);
    case 'test':
      return placeOf(document, path)
        ? `testing value ${path} failed: test failed`
        : `test operation does not apply: is missing path: ${path}: missing value`;
    default:
      return ofSource(document, { op, from }) ?? ofTarget(document, path, missingTarget(op, path));
  }
}

const missingTarget = (op: string, path: string) =>
  `${op} operation does not apply: doc is missing destination path: ${path}`;

function ofTarget(document: unknown, path: string, missing: string): string | undefined {
  const place = placeOf(document, path);
  if (!place) return `${missing}: missing value`;
  const { container, key } = place;
  if (!Array.isArray(container) || key === '-') return undefined;
  const fits = isIndex(key) && Number(key) <= container.length;
  return fits ? undefined : `error in add for path: '${path}': ${invalidIndex(key)}`;
}

function ofRemoval(document: unknown, path: string): string | undefined {
  const place = placeOf(document, path);
  if (!place)
    return `remove operation does not apply: doc is missing path: "${path}": missing value`;
  const why = absence(place);
  return why && `error in remove for path: '${path}': ${why}`;
}

function ofReplacement(document: unknown, path: string): string | undefined {
  const place = placeOf(document, path);
  const what = 'replace operation does not apply: doc is missing';
  if (!place) return `${what} path: ${path}: missing value`;
  return absence(place) && `${what} key: ${path}: missing value`;
}

function ofSource(
  document: unknown,
  { op, from }: { readonly op: string; readonly from: string },
): string | undefined {
  const place = placeOf(document, from);
  if (!place)
    return `${op} operation does not apply: doc is missing from path: ${from}: missing value`;
  const why = absence(place);
  return why && `error in ${op} for path: '${from}': ${why}`;
}

/** What a pointer's last part is a key of. */
interface Place {
  readonly container: object;
  readonly key: string;
}

/** Undefined where one of the parts before the last leads nowhere. */
function placeOf(document: unknown, pointer: string): Place | undefined {
  const parts = pointer.split('/').slice(1).map(unescaped);
  const key = parts.pop() ?? '';
  let container = document;
  for (const part of parts) {
    if (typeof container !== 'object' || container === null) return undefined;
    container = Object.hasOwn(container, part)
      ? (container as Readonly<Record<string, unknown>>)[part]
      : undefined;
  }
  const holds = isObject(container) || Array.isArray(container);
  return holds ? { container: container as object, key } : undefined;
}

/** RFC 6901, section 4. */
const unescaped = (part: string) => part.replaceAll('~1', '/').replaceAll('~0', '~');

function absence({ container, key }: Place): string | undefined {
  if (Object.hasOwn(container, key)) return undefined;
  return Array.isArray(container)
    ? invalidIndex(key)
    : `Unable to remove nonexistent key: ${key}: missing value`;
}

const isIndex = (key: string) => /^(?:0|[1-9]\d*)$/.test(key);
const invalidIndex = (key: string) =>
  `Unable to access invalid index: ${key}: invalid index referenced`;
