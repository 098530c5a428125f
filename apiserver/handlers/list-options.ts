// The numbers among the options of a list and of a watch, and which options go together (API concepts, "Semantics for get and list", "Streaming lists").
// Invariant: a request that breaks a rule is refused before anything is read, with the option's name.
import { type FieldError, forbiddenField, invalid, notSupported } from '../../api/field-error.ts';
import { badRequest } from '../../api/status.ts';

const MATCH = 'resourceVersionMatch';
const INITIAL = 'sendInitialEvents';
const MATCHES = ['Exact', 'NotOlderThan'];

/** The numbers among the options. */
export interface ListNumbers {
  /** How many objects at most; undefined for all, which upstream takes a limit below zero for, too. */
  readonly limit: number | undefined;
  /** Milliseconds after which a watch is to end; undefined where it is left to the server. */
  readonly timeoutMs: number | undefined;
}

/** Reads both, whichever is of use: what is no number is refused of each verb. Throws BadRequest. */
export function numbersOf(query: URLSearchParams): ListNumbers {
  const limit = wholeNumber(query, 'limit');
  const seconds = wholeNumber(query, 'timeoutSeconds');
  return {
    limit: limit > 0 ? limit : undefined,
    timeoutMs: seconds > 0 ? seconds * 1000 : undefined,
  };
}

/** One of 64 bits, as upstream's; 0 where it is not there or empty. */
function wholeNumber(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? '';
  const value = Number(text);
  if (text !== '' && (!/^[+-]?\d+$/.test(text) || Math.abs(value) >= 2 ** 63))
    throw badRequest(`${name}: Invalid value: "${text}": must be a whole number of 64 bits`);
  return value;
}

/** Throws Invalid for options that a list cannot have. */
export function checkListOptions(query: URLSearchParams): void {
  const match = query.get(MATCH) ?? '';
  refuse([
    ...(match === '' ? [] : matchErrors(match, query)),
    ...(query.has(INITIAL) ? [forbiddenField(INITIAL, `${INITIAL} is forbidden for list`)] : []),
  ]);
}

function matchErrors(match: string, query: URLSearchParams): FieldError[] {
  const asked = query.get('resourceVersion') ?? '';
  const continues = (query.get('continue') ?? '') !== '';
  return [
    ...(asked === ''
      ? [forbiddenField(MATCH, `${MATCH} is forbidden unless resourceVersion is provided`)]
      : []),
    ...(continues
      ? [forbiddenField(MATCH, `${MATCH} is forbidden when continue is provided`)]
      : []),
    ...(MATCHES.includes(match) ? [] : [notSupported(MATCH, match, MATCHES)]),
    ...(match === 'Exact' && asked === '0'
      ? [forbiddenField(MATCH, `${MATCH} "Exact" is forbidden for resourceVersion "0"`)]
      : []),
  ];
}

/** Throws Invalid for options that a watch cannot have. */
export function checkWatchOptions(query: URLSearchParams): void {
  const match = query.get(MATCH) ?? '';
  if (!query.has(INITIAL)) {
    const why = `${MATCH} is forbidden for watch unless ${INITIAL} is provided`;
    refuse(match === '' ? [] : [forbiddenField(MATCH, why)]);
  } else if (match === '') {
    refuse([forbiddenField(MATCH, `${INITIAL} needs ${MATCH}=NotOlderThan`)]);
  } else {
    refuse(match === 'NotOlderThan' ? [] : [notSupported(MATCH, match, ['NotOlderThan'])]);
  }
}

function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors);
}
