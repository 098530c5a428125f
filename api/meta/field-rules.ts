// Checks of one field that many kinds share: a text obeys a rule of names, a value stays as it was.
// Pure; wordings are those API clients know.
import type { FieldError } from '../field-error.ts';
import { invalidValue, required } from '../field-error.ts';
import { sameMeaning } from './deep-equal.ts';
import type { NameRule } from './names.ts';

/** The text obeys the rule; an absent one is fine. */
export function obeys(rule: NameRule, value: string | undefined, path: string): FieldError[] {
  const why = value === undefined ? undefined : rule(value);
  return why === undefined ? [] : [invalidValue(path, value, why)];
}

/** The text is there and obeys the rule. */
export function mustObey(rule: NameRule, value: string | undefined, path: string): FieldError[] {
  return value ? obeys(rule, value, path) : [required(path)];
}

/** The field says what it said before. */
export function unchanged(value: unknown, before: unknown, path: string): FieldError[] {
  return sameMeaning(value, before)
    ? []
    : [invalidValue(path, value ?? null, 'field is immutable')];
}

/** Each of these fields says what it said before; paths begin with `root`. */
export function allUnchanged<T extends object, K extends keyof T & string>(
  { now, before }: { now: T; before: T },
  fields: readonly K[],
  root = '',
): FieldError[] {
  return fields.flatMap((field) =>
    unchanged(now[field], before[field], root === '' ? field : `${root}.${field}`),
  );
}

/** Names the fields below `root` that differ, for the reader of an error: `changed: spec.a, spec.b`. */
export function changedFields<T extends object>(now: T, before: T, root: string): string {
  const keys = new Set([...Object.keys(now), ...Object.keys(before)]);
  const differing = [...keys].filter(
    (key) => !sameMeaning(now[key as keyof T], before[key as keyof T]),
  );
  return `changed: ${differing.map((key) => `${root}.${key}`).join(', ')}`;
}
