// What the expressions of one stored object, a policy or a webhook configuration, may be together, and what is wrong with them.
// Invariant: nothing is compiled beyond these limits; what stood there before with a fault is let pass, so that the object can be changed elsewhere.
import { PatternAllowance } from '../cel/pattern-allowance.ts';
import { type FieldError, forbiddenField } from '../field-error.ts';
import { faultOf } from './compiled-expression.ts';
import type { PolicyExpression } from './policy-expressions.ts';

/** Characters of all expressions of one policy or webhook configuration: compiling them takes some tenths of a second, in one turn. */
export const MAX_EXPRESSION_CHARS = 256 * 1024;
/** Parts of all their patterns (patternSize): compiling them takes two tenths of a second. */
export const MAX_OBJECT_PATTERNS_SIZE = 50_000;

/** Texts of expressions; undefined where one is left out. */
export type ExpressionTexts = readonly (string | undefined)[];

/** The error where expressions are too long together; a stored object that is, may keep as many characters as it has. */
export function tooManyChars(
  field: string,
  texts: ExpressionTexts,
  before: ExpressionTexts = [],
): FieldError[] {
  if (lengthOf(texts) <= Math.max(MAX_EXPRESSION_CHARS, lengthOf(before))) return [];
  const why = `all expressions together must have at most ${MAX_EXPRESSION_CHARS} characters; divide them among several objects`;
  return [forbiddenField(field, why)];
}

function lengthOf(texts: ExpressionTexts): number {
  return texts.reduce((sum, text = '') => sum + text.length, 0);
}

/** What there are too many of is not compiled. */
export const isTooMany = ({ type }: FieldError): boolean => type === 'FieldValueTooMany';

/** The expressions of an object; their patterns have to fit into the allowance. */
export type Compile<T> = (of: T, patterns: PatternAllowance) => readonly PolicyExpression[];

/** Faults of expressions, but for those that the object had before. Missing expressions are told elsewhere. */
export function expressionFaults<T>(
  compile: Compile<T>,
  now: T,
  before: T | undefined,
): FieldError[] {
  const faulty = compile(now, allowance()).filter(
    ({ compiled }) => compiled.fault !== undefined && compiled.source.trim() !== '',
  );
  if (faulty.length === 0) return [];
  const kept = new Set(before && compile(before, allowance()).map(keyOf));
  return faulty
    .filter((one) => !kept.has(keyOf(one)))
    .flatMap(({ field, compiled }) => faultOf(compiled, field));
}

const allowance = () => new PatternAllowance(MAX_OBJECT_PATTERNS_SIZE, 'an object');

/** A fault wherever it stands in its lists: others may have come before it. */
const keyOf = ({ field, compiled: { source, fault = '' } }: PolicyExpression): string =>
  JSON.stringify([field.replace(/\[\d+\]/g, ''), source, fault]);
