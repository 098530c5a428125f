// Holds a custom resource to its schema's rules: types, bounds, patterns, formats, combinations.
// Invariant: pure; time is bounded by the object's and the schema's sizes; wordings are those API clients know.
import type { FieldError } from '../../field-error.ts';
import {
  fieldError,
  invalidBecause,
  invalidValue,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '../../field-error.ts';
import { deepEqual } from '../../meta/deep-equal.ts';
import { formatRule } from './formats.ts';
import { type Path, textOf } from './place.ts';
import type { Pattern, SchemaType, Structural, ValueRules } from './structural.ts';

/** Of one object, this many broken rules are told. */
export const MAX_SCHEMA_ERRORS = 100;

/** Checks made of one object: some tenths of a second. Combinations of long lists with long rules stop there. */
export const MAX_SCHEMA_CHECKS = 1_000_000;
/** States times characters that count as one check: a pattern's step is that much quicker. */
const PATTERN_STEPS_PER_CHECK = 10;

/**
 * The broken rules of what stands at `at`, the root unless given; at most MAX_SCHEMA_ERRORS of them. What takes more than
 * MAX_SCHEMA_CHECKS is refused.
 */
export function schemaErrors(value: unknown, schema: Structural, at?: Path): FieldError[] {
  const budget: Budget = { left: MAX_SCHEMA_CHECKS };
  const checker = new Checker(budget);
  checker.value(value, schema, at);
  if (budget.left > 0) return checker.errors;
  const why = `must be checkable against its schema in at most ${MAX_SCHEMA_CHECKS} checks: shorten lists and texts`;
  return [...checker.errors, invalidBecause('<nil>', `"": ${why}`)];
}

/** What is left of the checks of one object, combinations included. */
interface Budget {
  left: number;
}

const bodyOf = (at: Path | undefined): string => `${textOf(at)} in body`;

class Checker {
  readonly errors: FieldError[] = [];
  /** Places that were looked at. */
  visited = 0;
  readonly #budget: Budget;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  value(value: unknown, schema: Structural, at: Path | undefined): void {
    if (this.errors.length >= MAX_SCHEMA_ERRORS || --this.#budget.left <= 0) return;
    if (value === null && schema.nullable) return;
    this.visited += 1;
    if (!this.#type(value, schema, at)) {
      this.#combinations(value, schema.rules, at);
      return;
    }
    this.#rules(value, schema.rules, at);
    if (isNumber(value)) this.#number(value, schema.rules, at);
    else if (typeof value === 'string') this.#text(value, schema.rules, at);
    else if (Array.isArray(value)) this.#list(value, schema, at);
    else if (typeof value === 'object' && value !== null)
      this.#object(value as Record<string, unknown>, schema, at);
    this.#combinations(value, schema.rules, at);
  }

  /** What is found once the checks are used up rests on parts that were not looked at. */
  #add(...errors: readonly FieldError[]): void {
    if (this.#budget.left <= 0) return;
    this.errors.push(...errors.slice(0, MAX_SCHEMA_ERRORS - this.errors.length));
  }

  #type(value: unknown, schema: Structural, at: Path | undefined): boolean {
    const { type, intOrString } = schema;
    if (intOrString) {
      if (typeof value === 'string' || isWhole(value)) return true;
      this.#wrongType(value, 'integer,string', at);
      return false;
    }
    if (type === undefined || hasType(value, type)) return true;
    this.#wrongType(value, type, at);
    return false;
  }

  #wrongType(value: unknown, type: string, at: Path | undefined): void {
    const is = JSON.stringify(typeName(value));
    const why = `Invalid value: ${is}: ${bodyOf(at)} must be of type ${type}: ${is}`;
    this.#add(fieldError('FieldValueTypeInvalid', textOf(at), why));
  }

  #rules(value: unknown, rules: ValueRules, at: Path | undefined): void {
    if (rules.enum === undefined || this.#isKnown(value, rules)) return;
    const known = rules.enum.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
    this.#add(notSupported(textOf(at), value, known));
  }

  #isKnown(value: unknown, rules: ValueRules): boolean {
    if (typeof value !== 'object') return rules.enumPlain.has(value);
    this.#budget.left -= rules.enum?.length ?? 0;
    return rules.enum?.some((known) => deepEqual(known, value)) ?? true;
  }

  #number(value: bigint | number, rules: ValueRules, at: Path | undefined): void {
    const { minimum, maximum, multipleOf } = rules;
    const low =
      minimum !== undefined && (rules.exclusiveMinimum ? value <= minimum : value < minimum);
    if (low) {
      const than = rules.exclusiveMinimum ? 'greater than' : 'greater than or equal to';
      this.#add(invalidValue(textOf(at), value, `${bodyOf(at)} should be ${than} ${minimum}`));
    }
    const high =
      maximum !== undefined && (rules.exclusiveMaximum ? value >= maximum : value > maximum);
    if (high) {
      const than = rules.exclusiveMaximum ? 'less than' : 'less than or equal to';
      this.#add(invalidValue(textOf(at), value, `${bodyOf(at)} should be ${than} ${maximum}`));
    }
    if (multipleOf !== undefined && !isMultiple(value, multipleOf)) {
      const why = `${bodyOf(at)} should be a multiple of ${multipleOf}`;
      this.#add(invalidValue(textOf(at), value, why));
    }
    this.#format(value, rules, at);
  }

  #text(value: string, rules: ValueRules, at: Path | undefined): void {
    const { minLength, maxLength, pattern } = rules;
    const length = minLength === undefined && maxLength === undefined ? 0 : characters(value);
    if (maxLength !== undefined && length > maxLength) this.#add(tooLong(textOf(at), maxLength));
    if (minLength !== undefined && length < minLength) {
      const why = `${bodyOf(at)} should be at least ${minLength} chars long`;
      this.#add(invalidValue(textOf(at), value, why));
    }
    if (pattern !== undefined && !this.#matches(pattern, value)) {
      this.#add(invalidValue(textOf(at), value, `${bodyOf(at)} should match '${pattern.text}'`));
    }
    this.#format(value, rules, at);
  }

  #matches(pattern: Pattern, value: string): boolean {
    this.#budget.left -= Math.ceil((pattern.states * value.length) / PATTERN_STEPS_PER_CHECK);
    return this.#budget.left <= 0 || pattern.test(value);
  }

  #format(value: bigint | number | string, { format }: ValueRules, at: Path | undefined): void {
    const fits = format === undefined ? undefined : formatRule(format);
    if (fits === undefined || fits(value)) return;
    const shown = JSON.stringify(value);
    const why = `Invalid value: ${shown}: ${bodyOf(at)} must be of type ${format}: ${shown}`;
    this.#add(fieldError('FieldValueTypeInvalid', textOf(at), why));
  }

  #list(value: readonly unknown[], schema: Structural, at: Path | undefined): void {
    const { minItems, maxItems } = schema.rules;
    if (maxItems !== undefined && value.length > maxItems)
      this.#add(tooMany(textOf(at), value.length, maxItems));
    if (minItems !== undefined && value.length < minItems) {
      const why = `${bodyOf(at)} should have at least ${minItems} items`;
      this.#add(invalidValue(textOf(at), value.length, why));
    }
    const { items } = schema;
    if (items) value.forEach((item, key) => this.value(item, items, { parent: at, key }));
  }

  #object(value: Record<string, unknown>, schema: Structural, at: Path | undefined): void {
    const { minProperties, maxProperties } = schema.rules;
    for (const name of schema.rules.required) {
      if (!Object.hasOwn(value, name)) this.#add(required(textOf({ parent: at, key: name })));
    }
    if (minProperties !== undefined || maxProperties !== undefined) {
      const count = Object.keys(value).length;
      if (maxProperties !== undefined && count > maxProperties)
        this.#add(tooMany(textOf(at), count, maxProperties));
      if (minProperties !== undefined && count < minProperties) {
        const why = `${bodyOf(at)} should have at least ${minProperties} properties`;
        this.#add(invalidValue(textOf(at), count, why));
      }
    }
    const { properties, additional } = schema;
    if (properties.size === 0 && additional === undefined) return;
    for (const key of Object.keys(value)) {
      const part = properties.get(key) ?? (additional === 'any' ? undefined : additional);
      if (part) this.value(value[key], part, { parent: at, key });
    }
  }

  #combinations(value: unknown, rules: ValueRules, at: Path | undefined): void {
    this.#allOf(value, rules.allOf, at);
    this.#anyOf(value, rules.anyOf, at);
    this.#oneOf(value, rules.oneOf, at);
    if (rules.not !== undefined && fits(this.#tried(value, rules.not, at)))
      this.#combined(at, 'must not validate the schema (not)');
  }

  #allOf(value: unknown, parts: readonly Structural[], at: Path | undefined): void {
    const failed = parts.map((part) => this.#tried(value, part, at)).filter((one) => !fits(one));
    if (failed.length === 0) return;
    for (const { errors } of failed) this.#add(...errors);
    const none = failed.length === parts.length ? '. None validated' : '';
    this.#combined(at, `must validate all the schemas (allOf)${none}`);
  }

  #anyOf(value: unknown, parts: readonly Structural[], at: Path | undefined): void {
    let best: Checker | undefined;
    for (const part of parts) {
      const tried = this.#tried(value, part, at);
      if (fits(tried)) return;
      best = better(best, tried);
    }
    if (best) this.#combined(at, 'must validate at least one schema (anyOf)', best.errors);
  }

  #oneOf(value: unknown, parts: readonly Structural[], at: Path | undefined): void {
    if (parts.length === 0) return;
    const tried = parts.map((part) => this.#tried(value, part, at));
    const count = tried.filter(fits).length;
    if (count === 1) return;
    const found = count === 0 ? 'none valid' : `${count} valid alternatives`;
    const best = count === 0 ? tried.reduce(better) : undefined;
    const why = `must validate one and only one schema (oneOf). Found ${found}`;
    this.#combined(at, why, best?.errors);
  }

  #tried(value: unknown, schema: Structural, at: Path | undefined): Checker {
    const checker = new Checker(this.#budget);
    checker.value(value, schema, at);
    return checker;
  }

  /** Upstream gives these no field of their own; what the nearest alternative lacks comes behind. */
  #combined(at: Path | undefined, why: string, errors: readonly FieldError[] = []): void {
    this.#add(invalidBecause('<nil>', `"": ${JSON.stringify(textOf(at))} ${why}`), ...errors);
  }
}

const fits = ({ errors }: Checker): boolean => errors.length === 0;

/** Of two alternatives that failed, the one that looked at more of the value: that is the one that was meant. */
function better(best: Checker | undefined, other: Checker): Checker {
  return best && best.visited >= other.visited ? best : other;
}

/** Code points, as upstream counts them. */
function characters(value: string): number {
  let count = 0;
  for (const _ of value) count += 1;
  return count;
}

/** Whole numbers that doubles do not hold exactly are bigints. */
const isNumber = (value: unknown): value is bigint | number =>
  typeof value === 'number' || typeof value === 'bigint';
const isWhole = (value: unknown): boolean => typeof value === 'bigint' || Number.isInteger(value);

function hasType(value: unknown, type: SchemaType): boolean {
  switch (type) {
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'integer':
      return isWhole(value);
    case 'number':
      return isNumber(value);
    default:
      return typeof value === type;
  }
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (isWhole(value)) return 'integer';
  return typeof value;
}

/** As exact as doubles are: 0.3 is a multiple of 0.1. */
function isMultiple(value: bigint | number, of: number): boolean {
  if (typeof value === 'bigint' && Number.isInteger(of)) return value % BigInt(of) === 0n;
  if (Number.isInteger(value) && Number.isInteger(of)) return Number(value) % of === 0;
  const number = Number(value);
  const times = number / of;
  return Math.abs(times - Math.round(times)) < 1e-9 * Math.max(1, Math.abs(times));
}
