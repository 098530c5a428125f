// Label selectors: parsed from text (`a=b,c in (d,e),!f`) or from LabelSelector objects; matched; written back.
// Invariant: an absent selector selects nothing and an empty one everything, as the API conventions say.
import { table } from '../../base/table.ts';
import type { LabelSelector } from '../generated/types.ts';
import { badRequest } from '../status.ts';
import { labelValue, qualifiedName } from './names.ts';

/** Labels as objects carry them. */
export type Labels = Readonly<Record<string, string>>;

/** How a requirement compares; `in` and `notin` take one value or more. */
export type SelectorOperator = '=' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

/** One term of a selector. */
export interface Requirement {
  readonly key: string;
  readonly operator: SelectorOperator;
  readonly values: readonly string[];
}

/** A selector ready for use. */
export interface Selector {
  /** All must hold. */
  readonly requirements: readonly Requirement[];
  /** Selects whatever the labels are. */
  readonly matchesAll: boolean;
  /** Do these labels satisfy it? */
  matches(labels: Labels | undefined): boolean;
  /** Text form, by key; parses back to the same. */
  readonly text: string;
}

/** Requirements and values that one selector may have in a query: each object of a list is held against all of them. */
export const MAX_SELECTOR_TERMS = 1_000;

/** Throws BadRequest where a selector of a query has more terms than it may have. */
export function checkSelectorTerms(terms: number): void {
  if (terms > MAX_SELECTOR_TERMS)
    throw badRequest(
      `a selector may have up to ${MAX_SELECTOR_TERMS} requirements and values, and this one has ${terms}`,
    );
}

/** Selects everything. */
export const EVERYTHING: Selector = selectorOf([]);

/** Selects nothing. */
export const NOTHING: Selector = {
  requirements: [],
  matchesAll: false,
  matches: () => false,
  text: '<none>',
};

/** A selector of these requirements. */
export function selectorOf(requirements: readonly Requirement[]): Selector {
  const sorted = [...requirements].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return {
    requirements: sorted,
    matchesAll: sorted.length === 0,
    matches: (labels) => sorted.every((requirement) => satisfies(requirement, labels)),
    text: sorted.map(requirementText).join(','),
  };
}

/** Labels equal to each of the map's; what Services and `matchLabels` mean. */
export function selectorFromMap(map: Labels | undefined): Selector {
  return selectorOf(
    Object.entries(map ?? {}).map(([key, value]) => ({ key, operator: '=', values: [value] })),
  );
}

const OBJECT_OPERATORS: Readonly<Record<string, SelectorOperator>> = table({
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
});

/** The selector that a LabelSelector object states. Throws BadRequest when it states none that is valid. */
export function fromLabelSelector(object: LabelSelector | undefined): Selector {
  if (object === undefined) return NOTHING;
  const expressions = (object.matchExpressions ?? []).map(({ key, operator, values }) => {
    const known = OBJECT_OPERATORS[operator];
    if (known === undefined)
      throw badRequest(`"${operator}" is not a valid label selector operator`);
    return checked({ key, operator: known, values: [...(values ?? [])].sort() });
  });
  const equal = selectorFromMap(object.matchLabels).requirements.map(checked);
  return selectorOf([...equal, ...expressions]);
}

/** The text of a LabelSelector object as columns and `scale` show it; '' for none, `<error>` for a bad one. */
export function labelSelectorText(object: LabelSelector | undefined): string {
  if (object === undefined) return '';
  try {
    return fromLabelSelector(object).text;
  } catch {
    return '<error>';
  }
}

/** The selector that a query's text states; '' selects everything. Throws BadRequest on bad syntax. */
export function parseLabelSelector(text: string): Selector {
  const tokens = tokensOf(text);
  if (tokens.length === 0) return EVERYTHING;
  const requirements: Requirement[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const [requirement, next] = parseRequirement(tokens, at);
    requirements.push(checked(requirement));
    at = next;
    const separator = tokens[at];
    if (separator === undefined) break;
    if (separator !== ',')
      throw unparsable(`found '${separator}', expected: ',' or 'end of string'`);
    if (at + 1 === tokens.length) throw unparsable("found '', expected: identifier after ','");
  }
  checkSelectorTerms(requirements.reduce((sum, { values }) => sum + Math.max(1, values.length), 0));
  return selectorOf(requirements);
}

function satisfies({ key, operator, values }: Requirement, labels: Labels | undefined): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case '=':
    case 'in':
      return value !== undefined && values.includes(value);
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'gt':
      return order(value, values[0]) > 0;
    case 'lt':
      return order(value, values[0]) < 0;
  }
}

/** Below, equal, above: -1, 0, 1. NaN, which is neither above nor below, when one is no whole number. */
function order(a: string | undefined, b: string | undefined): number {
  if (!isWhole(a) || !isWhole(b)) return Number.NaN;
  const [left, right] = [BigInt(a), BigInt(b)];
  return left === right ? 0 : left < right ? -1 : 1;
}

function isWhole(value: string | undefined): value is string {
  return value !== undefined && /^-?\d{1,19}$/.test(value);
}

function requirementText({ key, operator, values }: Requirement): string {
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.join(',')})`;
    case 'gt':
      return `${key}>${values[0] ?? ''}`;
    case 'lt':
      return `${key}<${values[0] ?? ''}`;
    case '=':
    case '!=':
      return `${key}${operator}${values[0] ?? ''}`;
  }
}

const TOKEN = /\s*(==|!=|[=!<>(),]|[^\s=!<>(),]+)/y;

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  const source = text.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.length) {
    const match = TOKEN.exec(source);
    if (match === null) break;
    tokens.push(match[1] ?? '');
  }
  return tokens;
}

const TEXT_OPERATORS: Readonly<Record<string, SelectorOperator>> = table({
  '=': '=',
  '==': '=',
  '!=': '!=',
  '>': 'gt',
  '<': 'lt',
  in: 'in',
  notin: 'notin',
});

const isWord = (token: string | undefined): token is string =>
  token !== undefined && !/^[=!<>(),]/.test(token);

/** One requirement and the index after it. */
function parseRequirement(tokens: readonly string[], start: number): [Requirement, number] {
  const negated = tokens[start] === '!';
  const at = negated ? start + 1 : start;
  const key = tokens[at];
  if (!isWord(key))
    throw unparsable(`found '${key ?? ''}', expected: !, identifier, or 'end of string'`);
  if (negated) return [{ key, operator: '!', values: [] }, at + 1];
  const sign = tokens[at + 1];
  if (sign === undefined || sign === ',') return [{ key, operator: 'exists', values: [] }, at + 1];
  const operator = Object.hasOwn(TEXT_OPERATORS, sign) ? TEXT_OPERATORS[sign] : undefined;
  if (operator === undefined) {
    throw unparsable(`found '${sign}', expected: in, notin, =, ==, !=, gt, lt`);
  }
  if (operator === 'in' || operator === 'notin') {
    const [values, next] = parseValues(tokens, at + 2);
    return [{ key, operator, values }, next];
  }
  const value = tokens[at + 2];
  if (value === undefined || value === ',') return [{ key, operator, values: [''] }, at + 2];
  if (!isWord(value)) throw unparsable(`found '${String(value)}', expected: identifier`);
  return [{ key, operator, values: [value] }, at + 3];
}

/** `(a,b)`; an empty place between commas is the empty value. */
function parseValues(tokens: readonly string[], start: number): [string[], number] {
  if (tokens[start] !== '(')
    throw unparsable(`found '${String(tokens[start] ?? '')}', expected: '('`);
  const values = new Set<string>();
  let open = true;
  for (let at = start + 1; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token === ')') {
      if (open) values.add('');
      return [[...values].sort(), at + 1];
    }
    if (token === ',') {
      if (open) values.add('');
      open = true;
    } else if (isWord(token) && open) {
      values.add(token);
      open = false;
    } else throw unparsable(`found '${String(token)}', expected: ',' or ')'`);
  }
  throw unparsable("found '', expected: ',' or ')'");
}

function unparsable(why: string) {
  return badRequest(`unable to parse requirement: ${why}`);
}

/** The requirement, if its key and values are such as labels can have. */
function checked(requirement: Requirement): Requirement {
  const { key, operator, values } = requirement;
  const badKey = qualifiedName(key);
  if (badKey !== undefined)
    throw unparsable(`key: Invalid value: ${JSON.stringify(key)}: ${badKey}`);
  if ((operator === 'in' || operator === 'notin') && values.length === 0) {
    throw unparsable(
      "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
    );
  }
  const bad = values.find((value) => labelValue(value) !== undefined);
  if (bad !== undefined) {
    throw unparsable(
      `values[0][${key}]: Invalid value: ${JSON.stringify(bad)}: ${labelValue(bad) ?? ''}`,
    );
  }
  if ((operator === 'gt' || operator === 'lt') && !isWhole(values[0])) {
    throw unparsable(
      "values[0]: Invalid value: for 'Gt', 'Lt' operators, the value must be an integer",
    );
  }
  return requirement;
}
