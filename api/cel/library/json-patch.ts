// What mutations of policies may use beside the standard functions: `Object{…}` and `JSONPatch{…}` literals.
// Invariant: fields that are not set stay absent; a JSONPatch has the fields of RFC 6902 and no others.
import { DYN, objectOf, type ObjectType, STRING } from '../cel-type.ts';
import { walksAndKeeps } from '../costs.ts';
import { type Library, overload } from '../overload.ts';

/** `jsonpatch.escapeKey('a/b')`, for keys within paths. */
export const JSON_PATCH: Library = [
  overload(
    'jsonpatch.escapeKey(string): string',
    ([key]) => (key as string).replaceAll('~', '~0').replaceAll('/', '~1'),
    walksAndKeeps(0, 2),
  ),
];

/** The type of `JSONPatch{op, path, from, value}`. */
export const JSON_PATCH_TYPE: ObjectType = objectOf('JSONPatch', {
  op: STRING,
  path: STRING,
  from: STRING,
  value: DYN,
});

/** What a mutation by apply configuration gives. */
export const OBJECT_TYPE: ObjectType = open('Object');

function open(name: string): ObjectType {
  return { ...objectOf(name, {}), open: true };
}

/**
 * The types of literals in mutations: `JSONPatch`, and `Object` with whatever fields, also by path (`Object.spec.template`).
 * Undefined for other names.
 */
export function mutationTypes(name: string): ObjectType | undefined {
  if (name === JSON_PATCH_TYPE.name) return JSON_PATCH_TYPE;
  if (name === 'Object') return OBJECT_TYPE;
  return name.startsWith('Object.') ? open(name) : undefined;
}
