// Quantities: exact decimal amounts such as `250m`, `1.5Gi` or `2e3`, counted in whole nano-units.
// Invariant: never a float inside; parsing and writing keep the amount exactly down to 1e-9, rounding
// what is smaller up, away from zero. Canonical form: no fraction, the largest suffix that allows it.

/** How an amount is written: with powers of 1024, of 1000, or with an exponent. */
export type QuantityFormat = 'binary' | 'decimal' | 'exponent';

/** An exact amount. */
export interface Quantity {
  /** The amount times 1e9. */
  readonly nanos: bigint;
  readonly format: QuantityFormat;
}

const NANO = 1_000_000_000n;
const MAX_NANOS = (2n ** 63n - 1n) * NANO;
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
/** Decimal suffixes from 1e-9 upward, by thousands. */
const DECIMAL = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
/** More digits or a larger exponent than any amount can need; guards the arithmetic. */
const LIMIT = 100;

const SYNTAX = /^([+-]?)(\d*)(?:\.(\d*))?(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d{1,9}))?$/;
/** What every quantity looks like; shown in errors. */
const SHAPE = '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$';

/** Texts whose amounts are remembered. Pods ask for the same few amounts again and again: parsing them took 5 % of a create. */
const MAX_REMEMBERED = 1_000;
const remembered = new Map<string, Quantity>();

/** The amount that a text stands for, or undefined when it is no quantity. */
export function tryParseQuantity(text: string): Quantity | undefined {
  const known = remembered.get(text);
  if (known) return known;
  const parsed = parseAmount(text);
  if (parsed === undefined || text.length > LIMIT) return parsed;
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  remembered.set(text, parsed);
  return parsed;
}

function parseAmount(text: string): Quantity | undefined {
  const match = SYNTAX.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', binary, decimal, exponent] = match;
  const digits = whole + fraction;
  if (digits === '' || digits.length > LIMIT) return undefined;
  const power = decimal === undefined ? Number(exponent ?? 0) : (DECIMAL.indexOf(decimal) - 3) * 3;
  const factor = binary === undefined ? 1n : 1024n ** BigInt(BINARY.indexOf(binary));
  const size = scaled(BigInt(digits) * factor, 9 + power - fraction.length);
  const capped = size > MAX_NANOS ? MAX_NANOS : size;
  const format = formatOf({ binary, exponent, nanos: capped });
  return { nanos: sign === '-' ? -capped : capped, format };
}

function formatOf(written: {
  binary: string | undefined;
  exponent: string | undefined;
  nanos: bigint;
}): QuantityFormat {
  if (written.exponent !== undefined) return 'exponent';
  // Below one, powers of 1024 have no name.
  const small = written.nanos < NANO && written.nanos > 0n;
  return written.binary === undefined || small ? 'decimal' : 'binary';
}

/** As tryParseQuantity; throws a RangeError that says what a quantity looks like. */
export function parseQuantity(text: string): Quantity {
  const parsed = tryParseQuantity(text);
  if (parsed) return parsed;
  throw new RangeError(`quantities must match the regular expression '${SHAPE}'`);
}

/** value × 10^power, rounded up. */
function scaled(value: bigint, power: number): bigint {
  if (value === 0n) return 0n;
  if (power >= 0) return value * 10n ** BigInt(Math.min(power, LIMIT));
  return power < -2 * LIMIT ? 1n : ceilDiv(value, 10n ** BigInt(-power));
}

/** a / b away from zero; b is positive. */
function ceilDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  if (a % b === 0n) return quotient;
  return a < 0n ? quotient - 1n : quotient + 1n;
}

/** The canonical text. */
export function formatQuantity(quantity: Quantity): string {
  const { nanos, format } = quantity;
  if (nanos === 0n) return '0';
  const sign = nanos < 0n ? '-' : '';
  const size = nanos < 0n ? -nanos : nanos;
  if (format === 'binary' && size >= 1024n * NANO) return sign + binaryText(size);
  return sign + decimalText(size, format === 'exponent');
}

function binaryText(nanos: bigint): string {
  let value = ceilDiv(nanos, NANO);
  let step = 0;
  while (step < BINARY.length - 1 && value % 1024n === 0n) {
    value /= 1024n;
    step += 1;
  }
  return `${value}${BINARY[step]}`;
}

function decimalText(nanos: bigint, asExponent: boolean): string {
  let value = nanos;
  let step = 0;
  while (step < DECIMAL.length - 1 && value % 1000n === 0n) {
    value /= 1000n;
    step += 1;
  }
  if (!asExponent) return `${value}${DECIMAL[step]}`;
  return step === 3 ? `${value}` : `${value}e${(step - 3) * 3}`;
}

/** The canonical text of a text; the text itself when it is no quantity, for validation to refuse. */
export function canonicalQuantity(text: string): string {
  return tryCanonicalQuantity(text) ?? text;
}

/** The canonical text of a text, or undefined when it is no quantity. */
export function tryCanonicalQuantity(text: string): string | undefined {
  const parsed = tryParseQuantity(text);
  if (parsed === undefined) return undefined;
  const known = canonicalTexts.get(parsed);
  if (known !== undefined) return known;
  const canonical = formatQuantity(parsed);
  canonicalTexts.set(parsed, canonical);
  return canonical;
}
/** Of the amounts that are remembered, as long as they are. */
const canonicalTexts = new WeakMap<Quantity, string>();

/** Below, equal, above: -1, 0, 1. */
export function compareQuantities(a: Quantity, b: Quantity): -1 | 0 | 1 {
  if (a.nanos === b.nanos) return 0;
  return a.nanos < b.nanos ? -1 : 1;
}

/** Nothing, in decimal form. */
export const ZERO_QUANTITY: Quantity = { nanos: 0n, format: 'decimal' };

/** a + b, in the form of `a` (of `b` where `a` is zero). */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: a.nanos + b.nanos, format: a.nanos === 0n ? b.format : a.format };
}

/** a - b, in the form of `a` (of `b` where `a` is zero). */
export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: a.nanos - b.nanos, format: a.nanos === 0n ? b.format : a.format };
}

/** The larger; `a` when equal. */
export function maxQuantity(a: Quantity, b: Quantity): Quantity {
  return compareQuantities(a, b) < 0 ? b : a;
}

/** Thousandths, rounded up; exact while below 2^53. What CPU is counted in. */
export function toMilli(quantity: Quantity): number {
  return Number(ceilDiv(quantity.nanos, 1_000_000n));
}

/** Whole units, rounded up; exact while below 2^53. What memory is counted in. */
export function toWhole(quantity: Quantity): number {
  return Number(ceilDiv(quantity.nanos, NANO));
}

/** The nearest float, fraction and all. */
export function toNumber(quantity: Quantity): number {
  return Number(quantity.nanos / NANO) + Number(quantity.nanos % NANO) / 1e9;
}

/** An amount from whole thousandths. */
export function quantityOfMilli(milli: number, format: QuantityFormat = 'decimal'): Quantity {
  return { nanos: BigInt(Math.ceil(milli)) * 1_000_000n, format };
}

/** An amount from a number of units; fractions finer than 1e-9 are rounded. */
export function quantityOf(units: number, format: QuantityFormat = 'decimal'): Quantity {
  const whole = Math.trunc(units);
  const nanos = BigInt(whole) * NANO + BigInt(Math.round((units - whole) * 1e9));
  return { nanos, format };
}
