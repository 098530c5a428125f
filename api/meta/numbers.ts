// Checks of numbers and choices that many kinds share, as field errors.
// Each skips a field that is not set; wordings are those API clients know.
import type { FieldError } from '../field-error.ts';
import { invalidValue, notSupported, required } from '../field-error.ts';
import { percentText } from './names.ts';
import { tryParseQuantity } from './quantity.ts';

/** Zero or more. */
export function notNegative(value: number | undefined, path: string): FieldError[] {
  return value === undefined || value >= 0
    ? []
    : [invalidValue(path, value, 'must be greater than or equal to 0')];
}

/** More than zero. */
export function positive(value: number | undefined, path: string): FieldError[] {
  return value === undefined || value > 0
    ? []
    : [invalidValue(path, value, 'must be greater than 0')];
}

/** Within both ends. */
export function between(
  value: number | undefined,
  [min, max]: readonly [number, number],
  path: string,
): FieldError[] {
  return value === undefined || (value >= min && value <= max)
    ? []
    : [invalidValue(path, value, `must be between ${min} and ${max}, inclusive`)];
}

/** One of the known; absent is fine. */
export function oneOf(
  value: string | undefined,
  known: readonly string[],
  path: string,
): FieldError[] {
  return value === undefined || known.includes(value) ? [] : [notSupported(path, value, known)];
}

/** One of the known, and there. */
export function requiredOneOf(
  value: string | undefined,
  known: readonly string[],
  path: string,
): FieldError[] {
  return value ? oneOf(value, known, path) : [required(path)];
}

/** A number of zero or more, or a percentage. */
export function countOrPercent(value: number | string | undefined, path: string): FieldError[] {
  if (typeof value !== 'string') return notNegative(value, path);
  const why = percentText(value);
  return why === undefined ? [] : [invalidValue(path, value, why)];
}

/** The percentage of `25%`; undefined for a plain number or a bad text. */
export function percentOf(value: number | string | undefined): number | undefined {
  return typeof value === 'string' && percentText(value) === undefined
    ? Number(value.slice(0, -1))
    : undefined;
}

/** A number, or a percentage of at most all. */
export function atMostAll(value: number | string | undefined, path: string): FieldError[] {
  return (percentOf(value) ?? 0) > 100
    ? [invalidValue(path, value, 'must not be greater than 100%')]
    : [];
}

/** Is it none: 0, or 0 %? A bad text counts as none, as it has an error of its own. */
export function isNone(value: number | string | undefined): boolean {
  return typeof value === 'number' ? value === 0 : (percentOf(value) ?? 0) === 0;
}

/** A number or percentage of `total`; a percentage rounds as asked. Zero where not set or bad. */
export function resolveCountOrPercent(
  value: number | string | undefined,
  total: number,
  round: 'up' | 'down',
): number {
  if (typeof value === 'number') return value;
  const share = ((percentOf(value) ?? 0) * total) / 100;
  return round === 'up' ? Math.ceil(share) : Math.floor(share);
}

/** A quantity that is not below zero. */
export function quantityNotNegative(value: string | undefined, path: string): FieldError[] {
  if (value === undefined) return [];
  const quantity = tryParseQuantity(value);
  if (quantity === undefined) return [invalidValue(path, value, 'must be a quantity')];
  return quantity.nanos >= 0n
    ? []
    : [invalidValue(path, value, 'must be greater than or equal to 0')];
}
