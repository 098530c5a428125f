// Whether a literal of a mutation stands where its name says: `Object.spec{…}` in the field spec of an `Object{…}`.
// Invariant: pure; fields of such types are dyn, so that the checker cannot tell.
import { CelError } from '../cel/cel-error.ts';
import { type CelValue, ListValue, MapValue, ObjectValue } from '../cel/values.ts';

const ROOT = 'Object';

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
