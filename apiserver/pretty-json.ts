// Answers in JSON for people's eyes (API reference, "pretty"): who asks for it is given it, and so are curl, Wget and browsers.
// Invariants: only blanks outside of texts differ, so that no number or text becomes another; what is larger than MAX_PRETTY_BYTES stays
// as it is, and so do streams and watches.
import type { Reply, Request } from '../api/wire/exchange.ts';

/** Bytes of an answer that is indented; a larger one would hold up others. */
export const MAX_PRETTY_BYTES = 1024 * 1024;

/** How programs begin to name themselves that people look at. */
const BY_HAND = /^(?:curl|Wget|Mozilla\/5\.0)/;
const TRUE = /^(?:1|t|true|T|True|TRUE)$/;
/** Ranges of spaces and tabs, and line ends: between parts of JSON they mean nothing. */
const BLANK = /[ \t\r\n]+/y;
const STEP = '  ';

/** The reply, indented where it is to be read by people. */
export function prettyIfAsked(request: Request, reply: Reply): Reply {
  if (reply.kind !== 'body' || !isAsked(request)) return reply;
  const size = reply.body.reduce((sum, { length }) => sum + length, 0);
  const type = String(reply.headers['content-type'] ?? '');
  if (size === 0 || size > MAX_PRETTY_BYTES || !type.startsWith('application/json')) return reply;
  const text = Buffer.concat(reply.body).toString();
  return { ...reply, body: [Buffer.from(indented(text))] };
}

function isAsked({ query, path, headers }: Request): boolean {
  // Documents whose ETag tells of their bytes are as they are.
  if (path.startsWith('/openapi')) return false;
  // The version is for people always, as upstream's.
  if (path === '/version' || path === '/version/') return true;
  const said = query.size === 0 ? '' : (query.get('pretty') ?? '');
  return said === '' ? BY_HAND.test(headers['user-agent'] ?? '') : TRUE.test(said);
}

/** Valid JSON, each member and item on a line of its own. */
export function indented(json: string): string {
  const parts: string[] = [];
  let depth = 0;
  const line = () => `\n${STEP.repeat(depth)}`;
  for (let at = skipBlanks(json, 0); at < json.length; ) {
    const end = endOfPart(json, at);
    const part = json.slice(at, end);
    const next = skipBlanks(json, end);
    switch (part) {
      case '{':
      case '[':
        if (json[next] === '}' || json[next] === ']') {
          parts.push(part, json[next]);
          at = skipBlanks(json, next + 1);
          continue;
        }
        depth++;
        parts.push(part, line());
        break;
      case '}':
      case ']':
        depth--;
        parts.push(line(), part);
        break;
      case ',':
        parts.push(part, line());
        break;
      case ':':
        parts.push(': ');
        break;
      default:
        parts.push(part);
    }
    at = next;
  }
  return parts.join('');
}

const PUNCTUATION = new Set('{}[],:');
/** A number or a word. */
const PLAIN = /[^{}[\],:\s"]+/y;

/** Where the part ends that begins here. */
function endOfPart(json: string, at: number): number {
  const first = json.charAt(at);
  if (first === '"') return endOfText(json, at);
  if (PUNCTUATION.has(first)) return at + 1;
  PLAIN.lastIndex = at;
  return PLAIN.test(json) ? PLAIN.lastIndex : at + 1;
}

function endOfText(json: string, at: number): number {
  for (let end = json.indexOf('"', at + 1); end !== -1; end = json.indexOf('"', end + 1)) {
    let escapes = 0;
    while (json[end - 1 - escapes] === '\\') escapes++;
    if (escapes % 2 === 0) return end + 1;
  }
  return json.length;
}

function skipBlanks(json: string, at: number): number {
  BLANK.lastIndex = at;
  return BLANK.test(json) ? BLANK.lastIndex : at;
}
