// What mutations of MutatingAdmissionPolicies are written with: the types Object{…} and JSONPatch{…}, and jsonpatch.escapeKey.
// Invariant: pure; fields of Object types are dyn, and whether a literal's name fits its place is checked by objectFault.
import { CelError } from '../cel/cel-error.ts';
import { DYN, listOf, objectOf, type ObjectType, STRING } from '../cel/cel-type.ts';
import { type Library, overload } from '../cel/overload.ts';
import { type CelValue, ListValue, MapValue, ObjectValue } from '../cel/values.ts';

const ROOT = 'Object';

/** One operation of a JSON patch. */
export const JSON_PATCH_TYPE: ObjectType = objectOf('JSONPatch', {
  op: STRING,
  path: STRING,
  from: STRING,
  value: DYN,
});

/** What an expression of patchType JSONPatch gives. */
export const JSON_PATCHES_TYPE = listOf(JSON_PATCH_TYPE);

/** What an expression of patchType ApplyConfiguration gives. */
export const OBJECT_TYPE: ObjectType = { ...objectOf(ROOT, {}), open: true };

/** The types of literals: Object, Object.spec and so on, and JSONPatch. */
export function patchTypes(name: string): ObjectType | undefined {
  if (name === JSON_PATCH_TYPE.name) return JSON_PATCH_TYPE;
  if (name === ROOT) return OBJECT_TYPE;
  return name.startsWith(`${ROOT}.`) ? { ...OBJECT_TYPE, name } : undefined;
}

/** Functions of mutations. */
export const PATCH_LIBRARY: Library = [
  overload(
    'jsonpatch.escapeKey(string): string',
    ([key]) => (key as string).replaceAll('~', '~0').replaceAll('/', '~1'),
    { cost: ([size = 0]) => Math.ceil(size * 0.1) },
  ),
];

/** Throws a CelError where a literal stands in a field that its name does not say: `Object.spec{template: Object.spec.other{}}`. */
export function checkObjectNames(value: CelValue, expected = ROOT): void {
  if (value instanceof ListValue) {
    for (let i = 0; i < value.size; i += 1) checkObjectNames(value.at(i) ?? null, expected);
  } else if (value instanceof MapValue) {
    for (const key of value.keys()) checkObjectNames(value.get(key) ?? null, expected);
  } else if (value instanceof ObjectValue && value.typeName.startsWith(ROOT)) {
    if (value.typeName !== expected) {
      const why = `expected ${JSON.stringify(expected)}, which matches field name path from root Object type`;
      throw new CelError(`unexpected type name ${JSON.stringify(value.typeName)}, ${why}`);
    }
    for (const name of value.names())
      checkObjectNames(value.get(name) ?? null, `${expected}.${name}`);
  }
}
