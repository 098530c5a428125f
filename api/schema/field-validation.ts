// What happens to fields that are unknown or occur twice: ignored, warned of, or refused.
// The rule is upstream's `fieldValidation` query parameter; without it, `Warn` holds.
import { cannotBeHandled } from './decode.ts';
import type { GroupVersionKind } from './schema.ts';

/** The levels of the `fieldValidation` parameter. */
export type FieldValidation = 'Ignore' | 'Strict' | 'Warn';

/** All of them. */
export const FIELD_VALIDATIONS: readonly FieldValidation[] = ['Ignore', 'Warn', 'Strict'];

/** Reads the query parameter; absent means Warn, as does a word that is none of them: those are refused before this. */
export function parseFieldValidation(parameter: string | null): FieldValidation {
  return FIELD_VALIDATIONS.find((known) => known === parameter) ?? 'Warn';
}

/** What a decode and a scan for duplicates found; paths such as `spec.foo`. */
export interface FieldFindings {
  readonly unknownFields: readonly string[];
  readonly duplicateFields?: readonly string[];
}

/**
 * The texts for Warning headers: none under Ignore. Throws BadRequest under Strict when anything
 * was found.
 */
export function checkFields(
  level: FieldValidation,
  gvk: GroupVersionKind,
  { unknownFields, duplicateFields = [] }: FieldFindings,
): string[] {
  if (level === 'Ignore') return [];
  const texts = [
    ...duplicateFields.map((field) => `duplicate field ${JSON.stringify(field)}`),
    ...unknownFields.map((field) => `unknown field ${JSON.stringify(field)}`),
  ];
  if (level === 'Warn' || texts.length === 0) return texts;
  throw cannotBeHandled(gvk, `strict decoding error: ${texts.join(', ')}`);
}
