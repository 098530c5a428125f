// Cuts a source into tokens.
// Invariant: time linear in the source; every character belongs to one token, to white space or to a comment.
import { SyntaxFault } from './ast.ts';

export type TokenKind =
  | 'bytes'
  | 'end'
  | 'float'
  | 'ident'
  | 'int'
  | 'punctuation'
  | 'string'
  | 'uint';

/** One token. `text` is as written, quotes and prefixes included; of a quoted identifier, what is in the quotes. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly at: number;
  readonly quoted?: boolean;
}

const SPACE = /(?:[ \t\r\n\f]+|\/\/[^\n]*)*/y;
const STRING =
  /[bB]?(?:"""(?:[^\\]|\\[^])*?"""|'''(?:[^\\]|\\[^])*?'''|"(?:[^\\"\r\n]|\\[^\r\n])*"|'(?:[^\\'\r\n]|\\[^\r\n])*')/y;
const RAW = /(?:[rR][bB]?|[bB][rR])(?:"""[^]*?"""|'''[^]*?'''|"[^"\r\n]*"|'[^'\r\n]*')/y;
const FLOAT = /(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)/y;
const INT = /(?:0x[0-9a-fA-F]+|\d+)([uU]?)/y;
const IDENT = /[A-Za-z_][A-Za-z0-9_]*/y;
const QUOTED_IDENT = /`([A-Za-z0-9_.\-/ ]+)`/y;
const PUNCTUATION = /==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()[\]{}]/y;

function match(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(source);
}

/** The tokens, `end` last. Throws a SyntaxFault. */
export function tokens(source: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  for (;;) {
    at += match(SPACE, source, at)?.[0].length ?? 0;
    if (at >= source.length) break;
    const token = tokenAt(source, at);
    found.push(token);
    at += token.text.length + (token.quoted ? 2 : 0);
  }
  found.push({ kind: 'end', text: '', at: source.length });
  return found;
}

function tokenAt(source: string, at: number): Token {
  const text = match(RAW, source, at)?.[0] ?? match(STRING, source, at)?.[0];
  if (text !== undefined) {
    const kind = /^[rR]?[bB]/.test(text) ? 'bytes' : 'string';
    return { kind, text, at };
  }
  const quoted = match(QUOTED_IDENT, source, at)?.[1];
  if (quoted !== undefined) return { kind: 'ident', text: quoted, at, quoted: true };
  const ident = match(IDENT, source, at)?.[0];
  if (ident !== undefined) return { kind: 'ident', text: ident, at };
  const number = numberAt(source, at);
  if (number !== undefined) return number;
  const sign = match(PUNCTUATION, source, at)?.[0];
  if (sign !== undefined) return { kind: 'punctuation', text: sign, at };
  const bad = String.fromCodePoint(source.codePointAt(at) ?? 0);
  throw new SyntaxFault(at, `Syntax error: token recognition error at: '${bad}'`);
}

function numberAt(source: string, at: number): Token | undefined {
  const float = match(FLOAT, source, at)?.[0];
  if (float !== undefined) return { kind: 'float', text: float, at };
  const whole = match(INT, source, at);
  if (whole === null) return undefined;
  return { kind: whole[1] === '' ? 'int' : 'uint', text: whole[0], at };
}
