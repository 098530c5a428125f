// YAML bodies, in and out. Invariant: read as kubectl reads it (YAML 1.1, merge keys, no flood of aliases; of keys that
// are there twice the last counts, and they can be named).
// The only file of this room that knows the YAML library.
import { checkFinite, exactInteger, mayHaveLargeIntegers } from '../base/exact-json.ts';
import { isAlias, isCollection, isMap, isSeq, LineCounter, parseDocument, stringify } from 'yaml';
import { checkAllEntries } from '../api/schema/body-entries.ts';
import { MAX_DUPLICATES } from '../api/schema/strict-json.ts';
import { badRequest, StatusError } from '../api/status.ts';

/** Aliases that one document may use; more is an attack. */
const MAX_ALIASES = 100;
/** Bytes of a YAML body: reading one takes a second and a hundred times its size in memory. JSON may be larger. */
export const MAX_YAML_BYTES = 1024 * 1024;

const OPTIONS = {
  version: '1.1',
  merge: true,
  // The library would compare each key with each other one of its map: 20,000 took ten seconds.
  uniqueKeys: false,
  // The library would show each fault its whole line: many of them in one long line took minutes.
  prettyErrors: false,
  // What a caller sends is not this process's to warn of.
  logLevel: 'error',
} as const;

/** A value, and the paths of the fields that its text has twice. */
export interface ParsedYaml {
  readonly value: unknown;
  readonly duplicates: () => readonly string[];
}

/** The one document in the bytes. Throws BadRequest, RequestEntityTooLarge. Takes long: see yaml-bodies.ts. */
export function parseYaml(body: Uint8Array): ParsedYaml {
  if (body.length > MAX_YAML_BYTES)
    throw new StatusError(
      'RequestEntityTooLarge',
      `a body in YAML may have up to ${MAX_YAML_BYTES} bytes: send a larger one as JSON`,
    );
  const text = new TextDecoder().decode(body);
  const exact = mayHaveLargeIntegers(text) || MAY_BE_NO_NUMBER.test(text);
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { ...OPTIONS, intAsBigInt: exact, lineCounter });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    const at = `at line ${line}, column ${col}:`;
    throw badRequest(`error converting YAML to JSON: ${error.message.split('\n')[0]} ${at}`);
  }
  checkKeys(document.contents, document);
  const read = valueOf(document);
  checkAllEntries(read);
  const value = exact ? readNumbers(read) : read;
  return {
    value,
    duplicates: () => [...duplicateKeys(document.contents, '', new Set())],
  };
}

/** As upstream, keys are texts, numbers and the like. Of others the library makes texts, which takes it exponentially long. */
function checkKeys(node: unknown, document: Document): void {
  if (isSeq(node)) for (const item of node.items) checkKeys(item, document);
  if (!isMap(node)) return;
  for (const { key, value } of node.items) {
    if (isCollection(isAlias(key) ? key.resolve(document) : key))
      throw badRequest(
        'error converting YAML to JSON: yaml: invalid map key: a list or a map cannot be a key',
      );
    checkKeys(value, document);
  }
}

type Document = ReturnType<typeof parseDocument>;

function valueOf(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (cause) {
    throw badRequest(`error converting YAML to JSON: ${(cause as Error).message}`);
  }
}

/** `.inf`, `.nan`, and exponents of three places. */
const MAY_BE_NO_NUMBER = /\.(?:inf|nan)|[\d.]e\+?\d{3}/i;

function readNumbers(read: unknown): unknown {
  try {
    return withNumbers(read);
  } catch (cause) {
    throw badRequest(`error converting YAML to JSON: ${(cause as Error).message}`);
  }
}

/** Bigints only where numbers are not exact; throws SyntaxError where JSON has no such number. */
function withNumbers(value: unknown): unknown {
  if (typeof value === 'bigint') return exactInteger(value);
  if (typeof value === 'number') checkFinite(value, String(value));
  if (Array.isArray(value)) return value.map(withNumbers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withNumbers(item)]));
}

/** Such as `spec.containers[0].name`, in the order of their second coming. */
function duplicateKeys(node: unknown, path: string, found: Set<string>): Set<string> {
  if (isSeq(node)) node.items.forEach((item, i) => duplicateKeys(item, `${path}[${i}]`, found));
  if (!isMap(node)) return found;
  const keys = new Set<string>();
  for (const { key, value } of node.items) {
    const name = String(key);
    const at = path === '' ? name : `${path}.${name}`;
    if (keys.has(name) && found.size < MAX_DUPLICATES) found.add(at);
    keys.add(name);
    duplicateKeys(value, at, found);
  }
  return found;
}

/** A value as YAML bytes. */
export function yamlBytes(value: unknown): Uint8Array {
  return Buffer.from(stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 }));
}
