// Validation errors with upstream's texts: `spec.replicas: Invalid value: -1: must be …`.
// Their types and wording follow apimachinery's field errors as shown in public API answers.
import type { StatusCause } from './status.ts';
import { StatusError } from './status.ts';

/** What is wrong with a field. The value is the cause's `reason` on the wire. */
export type FieldErrorType =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'FieldValueNotFound';

/** One broken rule. `field` is a path such as `spec.ports[0].port`. */
export interface FieldError {
  readonly type: FieldErrorType;
  readonly field: string;
  /** Everything after `field: `. */
  readonly message: string;
}

/** Of a value that broke a rule, at most so many characters are shown. */
export const MAX_SHOWN_CHARS = 4096;

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  return text.length <= MAX_SHOWN_CHARS
    ? text
    : `${text.slice(0, MAX_SHOWN_CHARS)}…`.toWellFormed();
}

/** An error of which only the whole text is known. */
export const fieldError = (type: FieldErrorType, field: string, message: string): FieldError => ({
  type,
  field,
  message,
});
/** A value that must be there is not. */
export const required = (field: string, detail = ''): FieldError => ({
  type: 'FieldValueRequired',
  field,
  message: `Required value${detail ? `: ${detail}` : ''}`,
});
/** A value that breaks a rule. */
export const invalidValue = (field: string, value: unknown, detail: string): FieldError => ({
  type: 'FieldValueInvalid',
  field,
  message: `Invalid value: ${show(value)}: ${detail}`,
});
/** A field that breaks a rule, whatever its value is. */
export const invalidBecause = (field: string, detail: string): FieldError => ({
  type: 'FieldValueInvalid',
  field,
  message: `Invalid value: ${detail}`,
});
/** A value that is none of the known ones. */
export const notSupported = (
  field: string,
  value: unknown,
  known: readonly string[],
): FieldError => ({
  type: 'FieldValueNotSupported',
  field,
  message: `Unsupported value: ${show(value)}: supported values: ${known.map((k) => JSON.stringify(k)).join(', ')}`,
});
/** The same key twice. */
export const duplicate = (field: string, value: unknown): FieldError => ({
  type: 'FieldValueDuplicate',
  field,
  message: `Duplicate value: ${show(value)}`,
});
/** A field that may not be set, or changed, here. */
export const forbiddenField = (field: string, detail: string): FieldError => ({
  type: 'FieldValueForbidden',
  field,
  message: `Forbidden: ${detail}`,
});
/** A text or list beyond its limit. */
export const tooLong = (field: string, max: number): FieldError => ({
  type: 'FieldValueTooLong',
  field,
  message: `Too long: may not be more than ${max} bytes`,
});

/** More entries than may be. */
export const tooMany = (field: string, actual: number, max: number): FieldError => ({
  type: 'FieldValueTooMany',
  field,
  message: `Too many: ${actual}: must have at most ${max} ${max === 1 ? 'item' : 'items'}`,
});
/** A reference within the object to what it does not have. */
export const notFoundField = (field: string, value: unknown): FieldError => ({
  type: 'FieldValueNotFound',
  field,
  message: `Not found: ${show(value)}`,
});

/** Of one object, broken rules are told until they have so many characters. */
export const MAX_TOLD_CHARS = 256 * 1024;

/** 422 naming every broken rule, in `message` and in `details.causes`; of very many, the first. */
export function invalid(
  kind: { group: string; kind: string },
  name: string,
  errors: readonly FieldError[],
): StatusError {
  const qualified = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  const told = toldOf(errors);
  const texts = told.map((e) => `${e.field}: ${e.message}`);
  if (told.length < errors.length) texts.push(`and ${errors.length - told.length} more`);
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const causes: StatusCause[] = told.map((e) => ({
    reason: e.type,
    message: e.message,
    field: e.field,
  }));
  return new StatusError('Invalid', `${qualified} "${name}" is invalid: ${list}`, {
    details: { name, ...(kind.group === '' ? {} : { group: kind.group }), kind: kind.kind, causes },
  });
}

/** The first of them; one at least. */
function toldOf(errors: readonly FieldError[]): readonly FieldError[] {
  let left = MAX_TOLD_CHARS;
  const beyond = errors.findIndex(({ field, message }) => {
    left -= field.length + message.length;
    return left < 0;
  });
  return beyond < 0 ? errors : errors.slice(0, Math.max(1, beyond));
}
