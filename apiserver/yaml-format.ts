// YAML bodies, in and out. Invariant: read as kubectl reads it (YAML 1.1, merge keys, no flood of aliases).
// The only file of this room that knows the YAML library.
import { parseDocument, stringify } from 'yaml';
import { badRequest } from '../api/status.ts';

/** Aliases that one document may use; more is an attack. */
const MAX_ALIASES = 100;

/** The one document in the bytes. Throws BadRequest. */
export function parseYaml(body: Uint8Array): unknown {
  const document = parseDocument(new TextDecoder().decode(body), { version: '1.1', merge: true });
  const [error] = document.errors;
  if (error) throw badRequest(`error converting YAML to JSON: ${error.message.split('\n')[0]}`);
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (cause) {
    throw badRequest(`error converting YAML to JSON: ${(cause as Error).message}`);
  }
}

/** A value as YAML bytes. */
export function yamlBytes(value: unknown): Uint8Array {
  return Buffer.from(stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 }));
}
