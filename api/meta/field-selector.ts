// Field selectors: `status.phase=Running,spec.nodeName!=a`. Parsing, and matching through a reader of fields.
// Invariant: which fields a kind offers is its definition's matter; nothing here knows one.
import { badRequest } from '../status.ts';
import { checkSelectorTerms } from './labels.ts';

/** One term of a field selector. */
export interface FieldTerm {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** The terms of a selector's text; all must hold. Throws BadRequest on bad syntax. */
export function parseFieldSelector(text: string): FieldTerm[] {
  const terms = splitTerms(text).filter((term) => term !== '');
  checkSelectorTerms(terms.length);
  return terms.map((term) => parseTerm(term, text));
}

/** Do all terms hold? `read` gives a field's value, '' where it is not set. */
export function matchesFields(
  terms: readonly FieldTerm[],
  read: (field: string) => string,
): boolean {
  return terms.every(
    ({ field, operator, value }) => (read(field) === value) === (operator === '='),
  );
}

/** The value that a field must have by these terms, if one term says so. Lets `metadata.name=x` be a get. */
export function requiredValue(terms: readonly FieldTerm[], field: string): string | undefined {
  return terms.find((term) => term.field === field && term.operator === '=')?.value;
}

/** The text of terms, escaped so that it parses back. */
export function fieldSelectorText(terms: readonly FieldTerm[]): string {
  return terms
    .map(({ field, operator, value }) => `${field}${operator}${value.replace(/[\\,=]/g, '\\$&')}`)
    .join(',');
}

/** Splits at commas that no backslash escapes. */
function splitTerms(text: string): string[] {
  return text.match(/(?:\\.|[^,\\]|\\$)+/gs) ?? [];
}

function parseTerm(term: string, text: string): FieldTerm {
  const match = /^((?:\\.|[^\\=!]|!(?!=))*)(!=|==|=)(.*)$/s.exec(term);
  if (match === null) {
    throw badRequest(
      `unable to parse field selector: invalid selector: '${text}'; can't understand '${term}'`,
    );
  }
  const [, field = '', operator = '', value = ''] = match;
  return { field, operator: operator === '!=' ? '!=' : '=', value: unescaped(value) };
}

function unescaped(value: string): string {
  if (!/^(?:[^\\,=]|\\[\\,=])*$/s.test(value)) {
    throw badRequest(`unable to parse field selector: invalid escape sequence in '${value}'`);
  }
  return value.replace(/\\([\\,=])/g, '$1');
}
