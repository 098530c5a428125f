// Answers in JSON for people's eyes (API reference, "pretty"): who asks for it is given it, and so are curl, Wget and browsers.
// Invariants: only blanks outside of texts differ, so that no number or text becomes another, and no member changes its place; what is
// larger than MAX_PRETTY_BYTES, or would become larger than MAX_PRETTY_ANSWER_BYTES, stays as it is, and so do streams and watches.
// Nothing here throws, whatever the bytes are: the pipeline has figures and logs to write after it.
import type { Reply } from '../api/wire/exchange.ts';

/** Bytes of an answer that is indented; a larger one would hold up others. */
export const MAX_PRETTY_BYTES = 64 * 1024;
/** Bytes that it may become: each line of what is deep begins with as many blanks. */
export const MAX_PRETTY_ANSWER_BYTES = 256 * 1024;

/** What tells who asks. */
export interface Asker {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: { readonly 'user-agent'?: string | undefined };
}

/** How programs begin to name themselves that people look at. */
const BY_HAND = /^(?:curl|Wget|Mozilla\/5\.0)/;
const TRUE = /^(?:1|t|true|T|True|TRUE)$/;

/** The reply, indented where it is to be read by people. HEAD too: its length is that of the answer to GET. */
export function prettyIfAsked(asker: Asker, reply: Reply): Reply {
  if (reply.kind !== 'body' || !isAsked(asker, reply.headers)) return reply;
  const size = reply.body.reduce((sum, { length }) => sum + length, 0);
  const type = String(reply.headers['content-type'] ?? '');
  if (size === 0 || size > MAX_PRETTY_BYTES || !type.startsWith('application/json')) return reply;
  const pretty = indented(Buffer.concat(reply.body, size));
  return pretty ? { ...reply, body: [pretty] } : reply;
}

function isAsked({ path, query, headers }: Asker, answered: object): boolean {
  // The version is for people always, as upstream's: one form for all, so that its ETag holds.
  if (path === '/version' || path === '/version/') return true;
  // Whatever else has an ETag is as it is: the ETag tells of the bytes, and would be the same of two forms. What
  // another server has compressed is no JSON to us.
  if ('etag' in answered || 'content-encoding' in answered) return false;
  const said = query.size === 0 ? '' : (query.get('pretty') ?? '');
  return said === '' ? BY_HAND.test(headers['user-agent'] ?? '') : TRUE.test(said);
}

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [LINE_END, SPACE] = [0x0a, 0x20];
/** Which bytes are one of these characters. */
const oneOf = (characters: string) =>
  Array.from({ length: 256 }, (_, byte) => characters.includes(String.fromCharCode(byte)));
const [OPENS, CLOSES, BLANK] = [oneOf('[{'), oneOf(']}'), oneOf(' \t\r\n')];

/** Where all are written, one after another; what goes beyond its end is lost, and told by the size. */
const desk = new Uint8Array(MAX_PRETTY_ANSWER_BYTES);

/**
 * Valid JSON, each member and item on a line of its own; undefined where it would become too large, or is found to be no JSON. Bytes
 * rather than texts, and one function: a text for each part took ten times as long.
 */
export function indented(json: Uint8Array): Uint8Array | undefined {
  const { length } = json;
  let size = 0;
  let depth = 0;
  let inText = false;
  /** Has an object or list just begun, which may yet be empty? */
  let opened = false;
  const line = () => {
    const end = size + 1 + 2 * depth;
    if (end <= MAX_PRETTY_ANSWER_BYTES) {
      desk[size++] = LINE_END;
      while (size < end) desk[size++] = SPACE;
    }
    size = end;
  };
  for (let at = 0; at < length && size <= MAX_PRETTY_ANSWER_BYTES; at++) {
    const byte = json[at] as number;
    if (inText) {
      desk[size++] = byte;
      if (byte === BACKSLASH) desk[size++] = json[++at] as number;
      inText = byte !== QUOTE;
      continue;
    }
    if (BLANK[byte]) continue;
    const closes = CLOSES[byte] === true;
    if (closes && --depth < 0) return undefined;
    // The first of what has begun, or the end of what is not empty.
    if (opened !== closes) line();
    opened = OPENS[byte] === true;
    if (opened) depth++;
    inText = byte === QUOTE;
    desk[size++] = byte;
    if (byte === COMMA) line();
    else if (byte === COLON) desk[size++] = SPACE;
  }
  const isWhole = depth === 0 && !inText && size <= MAX_PRETTY_ANSWER_BYTES;
  return isWhole ? desk.slice(0, size) : undefined;
}
