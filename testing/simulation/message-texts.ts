// Messages and odd things as people read them in a history.
// Invariant: pure; the same message always has the same text.
import type { Reply, Request, WatchEventObject } from '../../api/wire/exchange.ts';
import type { Odd } from './odds.ts';

/** `PUT /api/v1/namespaces/default/configmaps/a`, and what tells similar ones apart. */
export function requestText({ method, path, query }: Request): string {
  if (query.get('watch') === 'true')
    return `WATCH ${path} from ${query.get('resourceVersion') ?? 'now'}`;
  return `${method} ${path}`;
}

/** `201`, or `409 Conflict` for a failure. */
export function replyText(reply: Reply): string {
  if (reply.kind === 'upgrade') return '101';
  if (reply.status < 400 || reply.kind !== 'body') return String(reply.status);
  const { reason } = (reply.object?.() ?? {}) as { reason?: unknown };
  return typeof reason === 'string' ? `${reply.status} ${reason}` : String(reply.status);
}

/** `ADDED configmaps default/a at 12`. */
export function eventText(resource: string, { type, object }: WatchEventObject): string {
  const { namespace, name = '', resourceVersion } = object.metadata ?? {};
  const key = namespace === undefined ? name : `${namespace}/${name}`;
  const at = resourceVersion === undefined ? '' : ` at ${resourceVersion}`;
  return `${type} ${resource}${key === '' ? '' : ` ${key}`}${at}`;
}

/** The plural in a path: its last part for a collection. */
export function resourceOf(path: string): string {
  const parts = path.split('/').filter((part) => part !== '');
  const root = parts[0] === 'api' ? 2 : 3;
  const inNamespace = parts[root] === 'namespaces' && parts.length > root + 2;
  return parts[inNamespace ? root + 2 : root] ?? path;
}

/** What befalls a message (`reply 200 to GET /api/v1/pods`), as a sentence. */
export function oddText(odd: Odd, message: string): string {
  const the = `the ${message}`;
  switch (odd.kind) {
    case 'hold':
      return `${the} is held back for ${timeText(odd.ms)}`;
    case 'lag':
      return `${the} and every later one of this watch come ${timeText(odd.ms)} late`;
    case 'lose':
      return `${the} is lost: the connection breaks`;
    case 'refuse':
      return `${the} is answered with ${odd.code}, and nothing is done`;
    case 'end':
      return `${the} never comes: the server ends the watch in good order`;
    case 'cut':
      return `${the} never comes: the watch falls silent and breaks ${after(odd.ms)}`;
    case 'expire':
      return `${the} never comes: the watch falls silent and ends with 410 Expired ${after(odd.ms)}`;
    case 'crash':
      return `at ${the}, the program is killed; it is started again ${after(odd.ms)}`;
    case 'pause':
      return `at ${the}, the program stands still for ${timeText(odd.ms)}`;
    case 'step':
      return `at ${the}, the program's wall clock is stepped by ${odd.ms < 0 ? '-' : '+'}${timeText(Math.abs(odd.ms))}`;
  }
}

const after = (ms: number): string => (ms === 0 ? 'at once' : `after ${timeText(ms)}`);

/** `5 ms`, `1.5 s`. */
export const timeText = (ms: number): string => (ms < 1000 ? `${ms} ms` : `${ms / 1000} s`);
