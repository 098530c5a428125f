// Quantities such as `500m` and `2Gi`, exactly.
// Invariant: amounts are those of api/meta/quantity.ts; two are equal when they are worth the same.
import {
  addQuantities,
  compareQuantities,
  parseQuantity,
  type Quantity,
  subtractQuantities,
  toNumber,
  tryParseQuantity,
} from '../../meta/quantity.ts';
import { CelError } from '../cel-error.ts';
import { walks } from '../costs.ts';
import { type Library, method, overload } from '../overload.ts';
import { type CelValue, int, OpaqueValue } from '../values.ts';

/** A quantity as a value. */
class QuantityValue extends OpaqueValue {
  readonly typeName = 'kubernetes.Quantity';
  readonly quantity: Quantity;

  constructor(quantity: Quantity) {
    super();
    this.quantity = quantity;
  }
  equals(other: OpaqueValue): boolean {
    return other instanceof QuantityValue && compareQuantities(this.quantity, other.quantity) === 0;
  }
}

const NANO = 1_000_000_000n;
/** What larger amounts are cut to: it is no longer what was written. */
const CUT = (2n ** 63n - 1n) * NANO;

const of = (value: CelValue | undefined): Quantity => (value as QuantityValue).quantity;

function read(text: CelValue | undefined): QuantityValue {
  try {
    return new QuantityValue(parseQuantity(text as string));
  } catch (error) {
    throw new CelError(error instanceof Error ? error.message : String(error));
  }
}

function isInteger({ nanos }: Quantity): boolean {
  return nanos % NANO === 0n && nanos < CUT && nanos > -CUT;
}

function asInteger(quantity: Quantity): bigint {
  if (!isInteger(quantity)) throw new CelError('cannot convert value to integer');
  return int(quantity.nanos / NANO);
}

const wholeUnits = (units: CelValue | undefined): Quantity => ({
  nanos: (units as bigint) * NANO,
  format: 'decimal',
});

const Q = 'kubernetes.Quantity';

export const QUANTITIES: Library = [
  overload(`quantity(string): ${Q}`, ([text]) => read(text), walks(0)),
  overload(
    'isQuantity(string): bool',
    ([text]) => tryParseQuantity(text as string) !== undefined,
    walks(0),
  ),
  method(`sign(${Q}): int`, ([a]) => BigInt(Math.sign(Number(of(a).nanos)))),
  method(`isInteger(${Q}): bool`, ([a]) => isInteger(of(a))),
  method(`asInteger(${Q}): int`, ([a]) => asInteger(of(a))),
  method(`asApproximateFloat(${Q}): double`, ([a]) => toNumber(of(a))),
  method(`isGreaterThan(${Q}, ${Q}): bool`, ([a, b]) => compareQuantities(of(a), of(b)) > 0),
  method(`isLessThan(${Q}, ${Q}): bool`, ([a, b]) => compareQuantities(of(a), of(b)) < 0),
  method(`compareTo(${Q}, ${Q}): int`, ([a, b]) => BigInt(compareQuantities(of(a), of(b)))),
  method(`add(${Q}, ${Q}): ${Q}`, ([a, b]) => new QuantityValue(addQuantities(of(a), of(b)))),
  method(
    `add(${Q}, int): ${Q}`,
    ([a, b]) => new QuantityValue(addQuantities(of(a), wholeUnits(b))),
  ),
  method(`sub(${Q}, ${Q}): ${Q}`, ([a, b]) => new QuantityValue(subtractQuantities(of(a), of(b)))),
  method(
    `sub(${Q}, int): ${Q}`,
    ([a, b]) => new QuantityValue(subtractQuantities(of(a), wholeUnits(b))),
  ),
];
