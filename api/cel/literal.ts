// The values of literals: numbers, texts and bytes with their escapes.
// Invariant: pure; what is out of range or no escape is a SyntaxFault at its place.
import { table } from '../../base/table.ts';
import { SyntaxFault } from './ast.ts';
import type { Token } from './lexer.ts';
import { type CelValue, int, type Uint, uint } from './values.ts';

/** The value of a literal token; `negative` when a minus stands right before it. */
export function literalValue(token: Token, negative = false): CelValue {
  switch (token.kind) {
    case 'int':
      return wholeNumber(token, negative);
    case 'uint':
      return wholeNumber(token, false);
    case 'float':
      return floatNumber(token, negative);
    case 'bytes':
      return bytes(token);
    default:
      return unescaped(token, bodyOf(token.text), TEXT_ESCAPES).join('');
  }
}

function wholeNumber(token: Token, negative: boolean): Uint | bigint {
  const unsigned = token.kind === 'uint';
  const size = BigInt(unsigned ? token.text.slice(0, -1) : token.text);
  try {
    return unsigned ? uint(size) : int(negative ? -size : size);
  } catch {
    throw new SyntaxFault(token.at, `Syntax error: invalid ${token.kind} literal`);
  }
}

function floatNumber(token: Token, negative: boolean): number {
  const value = Number(token.text);
  if (!Number.isFinite(value))
    throw new SyntaxFault(token.at, 'Syntax error: invalid double literal');
  return negative ? -value : value;
}

interface Body {
  readonly raw: boolean;
  readonly text: string;
}

function bodyOf(token: string): Body {
  const prefix = /^[rRbB]*/.exec(token)?.[0] ?? '';
  const quoted = token.slice(prefix.length);
  const width = /^("""|''')/.test(quoted) && quoted.length >= 6 ? 3 : 1;
  const text = quoted.slice(width, -width);
  return { raw: /[rR]/.test(prefix), text: text.replaceAll('\r\n', '\n').replaceAll('\r', '\n') };
}

const ESCAPE =
  /\\(?:([abfnrtv"'`?\\])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|)/g;
const SIMPLE: Readonly<Record<string, string>> = table({
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
});

/** What an escape by number means; undefined where it may not stand. */
type Escapes = (code: number, unicode: boolean) => string | undefined;

const TEXT_ESCAPES: Escapes = (code) =>
  code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? undefined : String.fromCodePoint(code);

function unescaped(token: Token, { raw, text }: Body, escapes: Escapes): string[] {
  if (raw || !text.includes('\\')) return [text];
  const parts: string[] = [];
  let end = 0;
  for (const match of text.matchAll(ESCAPE)) {
    parts.push(text.slice(end, match.index));
    parts.push(escaped(match, escapes) ?? invalidEscape(token, match[0]));
    end = match.index + match[0].length;
  }
  return [...parts, text.slice(end)];
}

function escaped(match: RegExpExecArray, escapes: Escapes): string | undefined {
  const [, simple, hex, short, long, octal] = match;
  if (simple !== undefined) return SIMPLE[simple] ?? simple;
  if (octal !== undefined) return escapes(Number.parseInt(octal, 8), false);
  if (hex !== undefined) return escapes(Number.parseInt(hex, 16), false);
  const unicode = short ?? long;
  return unicode === undefined ? undefined : escapes(Number.parseInt(unicode, 16), true);
}

function invalidEscape(token: Token, escape: string): never {
  throw new SyntaxFault(token.at, `Syntax error: invalid escape ${escape} in a ${token.kind}`);
}

/** Escapes by number are bytes; everything else is its UTF-8. */
function bytes(token: Token): Uint8Array {
  const body = bodyOf(token.text);
  // Numbered escapes become private marks, two units each, that UTF-8 text cannot hold otherwise: lone surrogates.
  const marked = unescaped(token, body, (code, unicode) =>
    unicode ? undefined : `\udc00${String.fromCharCode(0xdc00 + code)}`,
  );
  const parts = marked.map((part) =>
    /^\udc00[\udc00-\udcff]$/.test(part)
      ? Buffer.from([part.charCodeAt(1) - 0xdc00])
      : Buffer.from(part, 'utf8'),
  );
  return new Uint8Array(Buffer.concat(parts));
}
