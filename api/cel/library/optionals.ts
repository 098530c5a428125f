// Values that may be missing: `optional.of(x)`, `.orValue(y)`.
// Invariant: what `or` and `orValue` do not need is worked out nevertheless; optMap and optFlatMap are macros.
import { CelError } from '../cel-error.ts';
import { type Library, method, overload } from '../overload.ts';
import { type CelValue, ListValue, MapValue, NONE, Optional, PlainList, Uint } from '../values.ts';
import { itemsOf } from '../equality.ts';

const of = (value: CelValue | undefined): Optional => value as Optional;

function isZero(value: CelValue): boolean {
  if (value === null || value === false || value === '' || value === 0n || value === 0) return true;
  if (value instanceof ListValue || value instanceof MapValue) return value.size === 0;
  return value instanceof Uint && value.value === 0n;
}

export const OPTIONALS: Library = [
  overload('optional.of(A): optional_type(A)', ([value]) => new Optional(value)),
  overload('optional.ofNonZeroValue(A): optional_type(A)', ([value]) =>
    isZero(value!) ? NONE : new Optional(value),
  ),
  overload('optional.none(): optional_type(A)', () => NONE),
  method('hasValue(optional_type(A)): bool', ([value]) => of(value).value !== undefined),
  method('value(optional_type(A)): A', ([value]) => {
    const held = of(value).value;
    if (held === undefined) throw new CelError('optional.none() dereference');
    return held;
  }),
  method('or(optional_type(A), optional_type(A)): optional_type(A)', ([value, other]) =>
    of(value).value === undefined ? other! : value!,
  ),
  method('orValue(optional_type(A), A): A', ([value, other]) => of(value).value ?? other!),
  overload('optional.unwrap(list(optional_type(A))): list(A)', ([list]) => unwrapped(list!)),
  method('unwrapOpt(list(optional_type(A))): list(A)', ([list]) => unwrapped(list!)),
];

function unwrapped(list: CelValue): ListValue {
  const held = itemsOf(list as ListValue).map((item) => (item as Optional).value);
  return new PlainList(held.filter((item) => item !== undefined));
}
