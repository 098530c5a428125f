// Who makes a write: the fieldManager parameter, or what the user agent calls itself.
// Invariant: a name is printable and within its limit; one that a client chose is refused, not cut.
import { type FieldError, forbiddenField, invalid, required } from '../../api/field-error.ts';
import { isPrintable, managerNameFaults, MAX_MANAGER_BYTES } from '../../api/meta/manager-names.ts';
import type { Request } from '../../api/wire/exchange.ts';

/** Writers that do not say who they are. */
const UNKNOWN = 'unknown';

/** The manager of a write that is no apply. Throws Invalid. */
export function managerOf(
  { query, headers }: Pick<Request, 'query' | 'headers'>,
  options: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions',
): string {
  const asked = query.get('fieldManager') ?? '';
  if (asked === '') return nameOfAgent(headers['user-agent'] ?? '') || UNKNOWN;
  refuse(options, faultsOf(asked));
  return asked;
}

/** The manager of an apply, which must say its name. Throws Invalid. */
export function applierOf({ query }: Pick<Request, 'query'>): string {
  const asked = query.get('fieldManager') ?? '';
  refuse(
    'PatchOptions',
    asked === '' ? [required('fieldManager', 'is required for apply patch')] : faultsOf(asked),
  );
  return asked;
}

/** Throws Invalid where a patch that is no apply asks to take over fields. */
export function refuseForce({ request: { query } }: { request: Pick<Request, 'query'> }): void {
  if (query.get('force') === null) return;
  refuse('PatchOptions', [forbiddenField('force', 'may not be specified for non-apply patch')]);
}

/** Throws Invalid with what is wrong with the options of a write. */
function refuse(options: string, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: options }, '', errors);
}

const faultsOf = (name: string) => managerNameFaults(name, 'fieldManager');

const PLAIN_NAME = /^[\w .:@-]{0,128}$/;

/** What stands before the first slash, without what cannot be printed, cut to the limit. */
function nameOfAgent(agent: string): string {
  const slash = agent.indexOf('/');
  const name = slash < 0 ? agent : agent.slice(0, slash);
  if (PLAIN_NAME.test(name)) return name;
  let kept = '';
  for (const character of name) {
    if (!isPrintable(character)) continue;
    if (Buffer.byteLength(kept + character) > MAX_MANAGER_BYTES) break;
    kept += character;
  }
  return kept;
}
