// Bodies in the format that the caller asked for: JSON as it is, or YAML.
// Invariants: bytes are touched only when YAML was asked for and JSON was not; a write that is done is never answered as if it had failed.
import { StatusError } from '../api/status.ts';
import type { Reply, Request } from '../api/wire/exchange.ts';
import { parseAccept } from './discovery/accept.ts';
import { inYaml } from './yaml-bodies.ts';

/** The reply in the asked format. Streams and watches are JSON always. A promise only where YAML takes its time. */
export function formatted(request: Request, reply: Reply): Reply | Promise<Reply> {
  if (reply.kind !== 'body' || !wantsYaml(request)) return reply;
  const type = String(reply.headers['content-type'] ?? '');
  if (!type.startsWith('application/json')) return reply;
  const reading = request.method === 'GET' || request.method === 'HEAD';
  return reading ? inYaml(reply, request.signal) : inYamlIfPossible(request, reply);
}

/** Whoever is refused the answer to a write would write again. JSON is YAML too, to whoever reads it as that. */
async function inYamlIfPossible(request: Request, reply: Reply & { kind: 'body' }): Promise<Reply> {
  try {
    return await inYaml(reply, request.signal);
  } catch (error) {
    if (error instanceof StatusError) return reply;
    throw error;
  }
}

function wantsYaml(request: Request): boolean {
  const accept = request.headers['accept'];
  if (accept === undefined || !accept.includes('yaml')) return false;
  return parseAccept(accept)[0]?.type === 'application/yaml';
}
