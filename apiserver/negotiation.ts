// Bodies in the format that the caller asked for: JSON as it is, or YAML.
// Invariant: bytes are touched only when YAML was asked for and JSON was not.
import type { Reply, Request } from '../api/wire/exchange.ts';
import { parseAccept } from './discovery/accept.ts';
import { inYaml } from './yaml-bodies.ts';

/** The reply in the asked format. Streams and watches are JSON always. A promise only where YAML takes its time. */
export function formatted(request: Request, reply: Reply): Reply | Promise<Reply> {
  if (reply.kind !== 'body' || !wantsYaml(request)) return reply;
  const type = String(reply.headers['content-type'] ?? '');
  return type.startsWith('application/json') ? inYaml(reply) : reply;
}

function wantsYaml(request: Request): boolean {
  const accept = request.headers['accept'];
  if (accept === undefined || !accept.includes('yaml')) return false;
  return parseAccept(accept)[0]?.type === 'application/yaml';
}
