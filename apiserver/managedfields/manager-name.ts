// Who makes a write: the fieldManager parameter, or what the user agent calls itself.
// Invariant: a name is printable and within its limit: an agent's is cut to that, a chosen one is refused by the options of its write.
import { isPrintable, MAX_MANAGER_BYTES } from '../../api/meta/manager-names.ts';
import type { Request } from '../../api/wire/exchange.ts';

/** Writers that do not say who they are. */
const UNKNOWN = 'unknown';

/** The manager of a write: who it says it is, which was found to be a name before this, or its agent. */
export function managerOf({ query, headers }: Pick<Request, 'query' | 'headers'>): string {
  return query.get('fieldManager') || nameOfAgent(headers['user-agent'] ?? '') || UNKNOWN;
}

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
