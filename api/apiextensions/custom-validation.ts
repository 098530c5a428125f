// What is wrong with a custom resource: broken rules of its schema, and then, in a step of its own, its expressions.
// Invariants: pure; what was wrong before and did not change is let pass (KEP-4008, validation ratcheting); expressions are
// asked only of objects whose shape they can rely on.
import type { FieldError, FieldErrorType } from '../field-error.ts';
import { invalidValue } from '../field-error.ts';
import type { LooseObject } from '../meta/object.ts';
import { duplicates } from '../schema/structural/list-keys.ts';
import type { Path } from '../schema/structural/place.ts';
import type { Structural } from '../schema/structural/structural.ts';
import { schemaErrors } from '../schema/structural/validate.ts';
import { embeddedErrors } from './embedded-objects.ts';
import { askRules, WHOLE } from './rules/broken-rules.ts';

/** Errors of an object's shape; `old` is its state before. */
export function customErrors(
  object: LooseObject,
  old: LooseObject | undefined,
  schema: Structural,
): FieldError[] {
  return newErrors(shapeErrors(object, schema), () => (old ? shapeErrors(old, schema) : []));
}

/** Errors of a write through /status: only the status is held to the schema, what else is wrong was so before. */
export function customStatusErrors(
  object: LooseObject,
  old: LooseObject,
  schema: Structural,
): FieldError[] {
  return newErrors(statusErrors(object['status'], schema), () =>
    statusErrors(old['status'], schema),
  );
}

function shapeErrors(object: unknown, schema: Structural): FieldError[] {
  return errorsAt(object, schema, undefined);
}

function errorsAt(value: unknown, schema: Structural, at: Path | undefined): FieldError[] {
  return [
    ...schemaErrors(value, schema, at),
    ...embeddedErrors(value, schema, at),
    ...duplicates(value, schema, at),
  ];
}

function statusErrors(status: unknown, whole: Structural): FieldError[] {
  const schema = whole.properties.get('status');
  if (schema === undefined || status === undefined) return [];
  const at = { parent: undefined, key: 'status' };
  return errorsAt(status, schema, at);
}

/** The texts name field and value, so an error of before is one of an unchanged value. */
function newErrors(now: readonly FieldError[], before: () => readonly FieldError[]): FieldError[] {
  if (now.length === 0) return [];
  const known = new Set(before().map(({ field, message }) => `${field}: ${message}`));
  return now.filter(({ field, message }) => !known.has(`${field}: ${message}`));
}

/** What was let pass of objects that were just checked: rules are asked once, for errors and for warnings. */
const letPass = new WeakMap<LooseObject, readonly string[]>();

/** Rules that the object breaks as it did before: told to its writer, though not refused. */
export function customWarnings(object: LooseObject): string[] {
  return [...(letPass.get(object) ?? [])];
}

/** Errors after which a value may not be what its type says. */
const BLOCKING: ReadonlySet<FieldErrorType> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);

/**
 * Expressions that the object breaks, asked in pieces between which others come in; none where the schema has none. `errors`
 * are those of its shape.
 */
export function customRuleErrors(
  asked: { value: LooseObject; old: LooseObject | undefined; schema: Structural },
  errors: readonly FieldError[],
): Generator<undefined, FieldError[]> | undefined {
  return asked.schema.hasValidations ? ruleErrors(asked, errors) : undefined;
}

function* ruleErrors(
  asked: { value: LooseObject; old: LooseObject | undefined; schema: Structural },
  errors: readonly FieldError[],
): Generator<undefined, FieldError[]> {
  if (errors.some(({ type }) => BLOCKING.has(type))) {
    const why =
      'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';
    return [invalidValue(WHOLE, null, why)];
  }
  const passed: FieldError[] = [];
  const broken = yield* askRules({ ...asked, root: true }, passed);
  const told = passed.map(({ field, message }) => `${field}: ${message}`);
  if (told.length > 0) letPass.set(asked.value, told);
  return broken;
}
