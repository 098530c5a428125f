// The rules in the schemas of a definition's versions, when it is stored.
// Invariant: pure; what stood there before and was accepted then is let pass, so that a definition can be changed elsewhere.
import { definitionAllowance, type PatternAllowance } from '../../cel/pattern-allowance.ts';
import { type FieldError, forbiddenField } from '../../field-error.ts';
import type { CustomResourceDefinitionVersion } from '../../generated/types.ts';
import { deepEqual } from '../../meta/deep-equal.ts';
import { type Structural, structuralOf } from '../../schema/structural/structural.ts';
import { defaultRuleErrors } from '../default-rules.ts';
import { validationRuleErrors } from './rule-checks.ts';

/** Rules of one definition, in all its versions: compiling them takes some tenths of a second. */
export const MAX_RULES = 2_000;
/** Characters of all their expressions. */
export const MAX_RULE_CHARS = 256 * 1024;

type Versions = readonly CustomResourceDefinitionVersion[];

/** Errors of the rules of all versions, whose schemas are structural. */
export function definitionRuleErrors(versions: Versions, old: Versions = []): FieldError[] {
  const [first, ...others] = versions;
  if (first === undefined) return [];
  const tooMuch = tooManyRules(versions);
  if (tooMuch) return [tooMuch];
  const patterns = definitionAllowance();
  // What all versions have in common is told once, where it stood before there were versions.
  if (others.every(({ schema }) => deepEqual(schema, first.schema)))
    return newErrors(first, old, { path: 'spec.validation', patterns });
  return versions.flatMap((version, i) =>
    newErrors(version, old, { path: `spec.versions[${i}].schema`, patterns }),
  );
}

interface Where {
  readonly path: string;
  /** Room for the patterns of all versions together. */
  readonly patterns: PatternAllowance;
}

function newErrors(
  version: CustomResourceDefinitionVersion,
  old: Versions,
  where: Where,
): FieldError[] {
  const before = old.find(({ name }) => name === version.name);
  if (before && deepEqual(before.schema, version.schema)) return [];
  const errors = errorsOf(version, where);
  if (errors.length === 0) return [];
  const stored = { ...where, patterns: definitionAllowance() };
  const known = new Set(before ? errorsOf(before, stored).map(textOf) : []);
  return errors.filter((error) => !known.has(textOf(error)));
}

const textOf = ({ field, message }: FieldError): string => `${field}: ${message}`;

function errorsOf(
  { schema }: CustomResourceDefinitionVersion,
  { path, patterns }: Where,
): FieldError[] {
  const { openAPIV3Schema = {} } = schema ?? {};
  const tree = structuralOf(openAPIV3Schema);
  if (!tree.hasValidations) return [];
  const at = `${path}.openAPIV3Schema`;
  const errors = validationRuleErrors(tree, at, patterns);
  return errors.length > 0 ? errors : defaultRuleErrors(openAPIV3Schema, tree, at);
}

function tooManyRules(versions: Versions): FieldError | undefined {
  const count = { rules: 0, chars: 0 };
  for (const { schema } of versions) addRules(structuralOf(schema?.openAPIV3Schema ?? {}), count);
  if (count.rules <= MAX_RULES && count.chars <= MAX_RULE_CHARS) return undefined;
  const why = `must have at most ${MAX_RULES} x-kubernetes-validations, whose expressions have at most ${MAX_RULE_CHARS} characters together`;
  return forbiddenField('spec.versions', why);
}

function addRules(tree: Structural, count: { rules: number; chars: number }): void {
  if (!tree.hasValidations) return;
  for (const { rule = '', messageExpression = '' } of tree.validations) {
    count.rules += 1;
    count.chars += rule.length + messageExpression.length;
  }
  for (const part of tree.properties.values()) addRules(part, count);
  if (tree.items) addRules(tree.items, count);
  if (tree.additional !== undefined && tree.additional !== 'any') addRules(tree.additional, count);
}
