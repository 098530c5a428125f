// Bodies of requests and answers in YAML: small ones are read and written where they are needed, large ones before and after
// that, in a thread. Invariant: no body in YAML takes the event loop for longer than some LARGE_YAML_BYTES take.
import type { Reply, Request } from '../api/wire/exchange.ts';
import { StatusError } from '../api/status.ts';
import { parseExactJson } from '../base/exact-json.ts';
import { type ParsedYaml, MAX_YAML_BYTES, parseYaml, yamlBytes } from './yaml-format.ts';
import { inYamlThread } from './yaml-thread.ts';

/** From so many bytes on a thread reads and writes YAML; below that, starting one takes longer. */
export const LARGE_YAML_BYTES = 32 * 1024;

/** Bytes of JSON that an answer in YAML may be made from: it takes a hundred times as many in memory. */
export const MAX_YAML_ANSWER_BYTES = 4 * 1024 * 1024;

/** What a thread has read, until it is asked for. */
const readAhead = new WeakMap<Uint8Array, ParsedYaml>();

/** Has a large YAML body read; undefined where nothing has to be waited for. Rejects with what is wrong with the body. */
export function readYamlAhead({ headers, body, signal }: Request): Promise<void> | undefined {
  if (!(body instanceof Uint8Array) || body.length < LARGE_YAML_BYTES) return undefined;
  const type = headers['content-type'] ?? '';
  // What is too large altogether is refused without being read.
  if (!/yaml/i.test(type) || body.length > MAX_YAML_BYTES) return undefined;
  return /apply-patch/i.test(type) && isJson(body) ? undefined : readInThread(body, signal);
}

/** What most clients apply is, and it is read as that. */
function isJson(body: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(body).toString());
    return true;
  } catch {
    return false;
  }
}

/** The document in the bytes: as it was read ahead, or read now. Throws BadRequest, RequestEntityTooLarge. */
export function yamlBody(body: Uint8Array): ParsedYaml {
  return readAhead.get(body) ?? parseYaml(body);
}

async function readInThread(body: Uint8Array, signal: AbortSignal): Promise<void> {
  const answer = await inYamlThread({ kind: 'read', yaml: body }, { signal });
  if (answer.kind !== 'read') return;
  const { value, duplicates } = answer;
  readAhead.set(body, { value, duplicates: () => duplicates });
}

/** The answer in YAML, at once or from a thread. Throws NotAcceptable where it is too large for that, and what a thread does. */
export function inYaml(
  reply: Reply & { kind: 'body' },
  signal: AbortSignal,
): Reply | Promise<Reply> {
  const json = Buffer.concat(reply.body);
  if (json.length > MAX_YAML_ANSWER_BYTES)
    throw new StatusError(
      'NotAcceptable',
      `an answer in YAML is made of up to ${MAX_YAML_ANSWER_BYTES} bytes of JSON, and this one has ${json.length}: ask for JSON, or for pages (limit)`,
    );
  if (json.length < LARGE_YAML_BYTES)
    return withBody(reply, yamlBytes(parseExactJson(json.toString())));
  return inYamlThread({ kind: 'write', json }, { signal }).then((answer) =>
    answer.kind === 'written' ? withBody(reply, answer.yaml) : reply,
  );
}

function withBody(reply: Reply & { kind: 'body' }, yaml: Uint8Array): Reply {
  const { 'content-length': _, ...headers } = reply.headers;
  return { ...reply, headers: { ...headers, 'content-type': 'application/yaml' }, body: [yaml] };
}
