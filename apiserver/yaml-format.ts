// YAML bodies, in and out. Invariant: read as kubectl reads it (YAML 1.1, merge keys, no flood of aliases; of keys that
// are there twice the last counts, and they can be named).
// The only file of this room that knows the YAML library.
import { isMap, isSeq, parseDocument, stringify } from 'yaml';
import { MAX_DUPLICATES } from '../api/schema/strict-json.ts';
import { badRequest } from '../api/status.ts';

/** Aliases that one document may use; more is an attack. */
const MAX_ALIASES = 100;

/** The one document in the bytes, and the paths of the fields that it has twice. Throws BadRequest. */
export function parseYaml(body: Uint8Array): {
  readonly value: unknown;
  readonly duplicates: () => readonly string[];
} {
  const text = new TextDecoder().decode(body);
  const document = parseDocument(text, { version: '1.1', merge: true });
  const error = document.errors.find(({ code }) => code !== 'DUPLICATE_KEY');
  if (error) throw badRequest(`error converting YAML to JSON: ${error.message.split('\n')[0]}`);
  const clean = document.errors.length === 0;
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return {
      value,
      duplicates: () => (clean ? [] : [...duplicateKeys(document.contents, '', new Set())]),
    };
  } catch (cause) {
    throw badRequest(`error converting YAML to JSON: ${(cause as Error).message}`);
  }
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
