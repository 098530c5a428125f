// Which options of a list and of a watch go together (API concepts, "Semantics for get and list", "Streaming lists").
// Invariant: a request that breaks a rule is refused before anything is read, with 422 and the option's name.
import { type FieldError, forbiddenField, invalid, notSupported } from '../../api/field-error.ts';

const MATCH = 'resourceVersionMatch';
const INITIAL = 'sendInitialEvents';
const MATCHES = ['Exact', 'NotOlderThan'];

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
