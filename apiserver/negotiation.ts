// Bodies in the format that the caller asked for: JSON as it is, or YAML.
// Invariant: bytes are touched only when YAML was asked for and JSON was not.
import { parseExactJson } from '../base/exact-json.ts';
import type { Reply, Request } from '../api/wire/exchange.ts';
import { parseAccept } from './discovery/accept.ts';
import { yamlBytes } from './yaml-format.ts';

/** The reply in the asked format. Streams and watches are JSON always. */
export function formatted(request: Request, reply: Reply): Reply {
  if (reply.kind !== 'body' || !wantsYaml(request)) return reply;
  const type = String(reply.headers['content-type'] ?? '');
  if (!type.startsWith('application/json')) return reply;
  const value = parseExactJson(Buffer.concat(reply.body).toString());
  const { 'content-length': _, ...headers } = reply.headers;
  return {
    ...reply,
    headers: { ...headers, 'content-type': 'application/yaml' },
    body: [yamlBytes(value)],
  };
}

function wantsYaml(request: Request): boolean {
  const accept = request.headers['accept'];
  if (accept === undefined || !accept.includes('yaml')) return false;
  return parseAccept(accept)[0]?.type === 'application/yaml';
}
