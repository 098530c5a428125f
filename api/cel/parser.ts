// Reads an expression: the grammar of the CEL language definition, with optional fields and typed literals.
// Invariant: bounded: source length, number of nodes and nesting each end in a SyntaxFault that names the limit.
import { table } from '../../base/table.ts';
import {
  type Call,
  type Expr,
  type ListLiteral,
  type MapLiteral,
  type StructField,
  SyntaxFault,
} from './ast.ts';
import { type Token, tokens } from './lexer.ts';
import { MAX_NESTING, MAX_NODES, MAX_SOURCE_LENGTH } from './limits.ts';
import { literalValue } from './literal.ts';
import { expandMacro, literal } from './macros.ts';

/** The tree of a source. Throws a SyntaxFault. */
export function parse(source: string): Expr {
  if (source.length > MAX_SOURCE_LENGTH) {
    const why = `expression code point size exceeds limit: size: ${source.length}, limit ${MAX_SOURCE_LENGTH}`;
    throw new SyntaxFault(0, why);
  }
  return new Parser(tokens(source)).whole();
}

const RESERVED = new Set(
  'as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);
const KEYWORDS = new Set(['false', 'in', 'null', 'true']);
const CONSTANTS: Readonly<Record<string, boolean | null>> = table({
  true: true,
  false: false,
  null: null,
});
/** Binary operators from the loosest to the tightest; those of one row group from the left. */
const OPERATORS = [
  ['==', '!=', '<', '<=', '>', '>=', 'in'],
  ['+', '-'],
  ['*', '/', '%'],
];

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #nodes = 0;
  #nesting = 0;

  constructor(list: readonly Token[]) {
    this.#tokens = list;
  }

  whole(): Expr {
    const expr = this.#expression();
    if (this.#peek().kind !== 'end') this.#unexpected();
    return expr;
  }

  #peek(): Token {
    return this.#tokens[this.#next]!;
  }

  #take(): Token {
    const token = this.#peek();
    if (token.kind !== 'end') this.#next += 1;
    return token;
  }

  #is(text: string): boolean {
    const token = this.#peek();
    return (
      token.text === text &&
      (token.kind === 'punctuation' || (token.kind === 'ident' && !token.quoted))
    );
  }

  #skip(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#next += 1;
    return true;
  }

  #expect(text: string): void {
    if (!this.#skip(text)) this.#unexpected(`, expecting '${text}'`);
  }

  #unexpected(instead = ''): never {
    const { kind, text, at } = this.#peek();
    const what = kind === 'end' ? '<EOF>' : text;
    throw new SyntaxFault(at, `Syntax error: unexpected '${what}'${instead}`);
  }

  /** Counts a node. */
  #made<T extends Expr>(expr: T): T {
    this.#nodes += 1;
    if (this.#nodes > MAX_NODES)
      throw new SyntaxFault(
        expr.at,
        `expression is too large: at most ${MAX_NODES} parts are allowed`,
      );
    return expr;
  }

  #call(at: number, name: string, args: readonly Expr[]): Call {
    return this.#made({ kind: 'call', at, name, target: undefined, args });
  }

  #nested<T>(levels: number, inner: () => T): T {
    this.#nesting += levels;
    if (this.#nesting > MAX_NESTING) {
      const why = `expression recursion limit exceeded: ${MAX_NESTING}`;
      throw new SyntaxFault(this.#peek().at, why);
    }
    const result = inner();
    this.#nesting -= levels;
    return result;
  }

  #expression(): Expr {
    return this.#nested(1, () => {
      const condition = this.#chain('||', () => this.#chain('&&', () => this.#binary(0)));
      const { at } = this.#peek();
      if (!this.#skip('?')) return condition;
      const yes = this.#chain('||', () => this.#chain('&&', () => this.#binary(0)));
      this.#expect(':');
      return this.#call(at, '_?_:_', [condition, yes, this.#expression()]);
    });
  }

  /** `a && b && c` is one node, however long. */
  #chain(operator: '&&' | '||', part: () => Expr): Expr {
    const first = part();
    const { at } = this.#peek();
    if (!this.#is(operator)) return first;
    const parts = [first];
    while (this.#skip(operator)) parts.push(part());
    return this.#call(at, `_${operator}_`, parts);
  }

  #binary(row: number): Expr {
    const operators = OPERATORS[row];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(row + 1);
    let steps = 0;
    while (operators.some((operator) => this.#is(operator))) {
      const { text, at } = this.#take();
      steps += 1;
      const before = left;
      left = this.#nested(steps, () => {
        const right = this.#binary(row + 1);
        return this.#call(at, text === 'in' ? '_in_' : `_${text}_`, [before, right]);
      });
    }
    return left;
  }

  #unary(): Expr {
    const { text, at } = this.#peek();
    if (!this.#is('!') && !this.#is('-')) return this.#member();
    this.#take();
    const { kind } = this.#peek();
    if (text === '-' && (kind === 'int' || kind === 'float'))
      return this.#suffixes(this.#literal(at, true));
    return this.#nested(1, () => this.#call(at, `${text}_`, [this.#unary()]));
  }

  #literal(at: number, negative: boolean): Expr {
    return this.#made(literal(at, literalValue(this.#take(), negative)));
  }

  #member(): Expr {
    return this.#suffixes(this.#primary());
  }

  #suffixes(primary: Expr): Expr {
    let expr = primary;
    let steps = 0;
    while (this.#is('.') || this.#is('[') || (this.#is('{') && typeNameOf(expr) !== undefined)) {
      const before = expr;
      steps += 1;
      expr = this.#nested(steps, () => this.#suffix(before));
    }
    return expr;
  }

  #suffix(operand: Expr): Expr {
    const { text, at } = this.#take();
    if (text === '{') return this.#struct(typeNameOf(operand) ?? '', at);
    const optional = this.#skip('?');
    if (text === '[') {
      const index = this.#expression();
      this.#expect(']');
      return this.#call(at, optional ? '_[?_]' : '_[_]', [operand, index]);
    }
    const field = this.#fieldName();
    if (optional || !this.#is('('))
      return this.#made({
        kind: 'select',
        at,
        operand,
        field,
        mode: optional ? 'optional' : 'plain',
      });
    return this.#function(field, operand);
  }

  #fieldName(): string {
    const token = this.#peek();
    if (token.kind !== 'ident' || (KEYWORDS.has(token.text) && !token.quoted)) this.#unexpected();
    return this.#take().text;
  }

  /** A call's place is its parenthesis, as upstream's. */
  #function(name: string, target: Expr | undefined): Expr {
    const { at } = this.#peek();
    this.#expect('(');
    const args = this.#list(')', () => this.#expression());
    const call: Call = { kind: 'call', at, name, target, args };
    return this.#made(expandMacro(call) ?? call);
  }

  /** Parts with commas between; one may stand after the last. */
  #list<T>(end: string, part: () => T): T[] {
    const parts: T[] = [];
    while (!this.#skip(end)) {
      parts.push(part());
      if (!this.#is(end)) this.#expect(',');
    }
    return parts;
  }

  #primary(): Expr {
    const { kind, text, at, quoted } = this.#peek();
    if (kind === 'ident' && !quoted) return this.#named();
    if (kind !== 'punctuation' && kind !== 'end' && kind !== 'ident')
      return this.#literal(at, false);
    this.#take();
    if (text === '(') {
      const inner = this.#expression();
      this.#expect(')');
      return inner;
    }
    if (text === '[') return this.#listLiteral(at);
    if (text === '{') return this.#mapLiteral(at);
    if (text === '.' && this.#peek().kind === 'ident') return this.#named();
    if (kind !== 'end') this.#next -= 1;
    return this.#unexpected();
  }

  #named(): Expr {
    const { text, at } = this.#peek();
    if (Object.hasOwn(CONSTANTS, text)) {
      this.#take();
      return this.#made(literal(at, CONSTANTS[text] ?? null));
    }
    if (text === 'in') this.#unexpected();
    this.#take();
    if (RESERVED.has(text)) throw new SyntaxFault(at, `reserved identifier: ${text}`);
    if (this.#is('(')) return this.#function(text, undefined);
    return this.#made({ kind: 'ident', at, name: text });
  }

  #listLiteral(at: number): ListLiteral {
    const items = this.#list(']', () => {
      const optional = this.#skip('?');
      return { optional, value: this.#expression() };
    });
    return this.#made({ kind: 'list', at, items });
  }

  #mapLiteral(at: number): MapLiteral {
    const entries = this.#list('}', () => {
      const optional = this.#skip('?');
      const key = this.#expression();
      this.#expect(':');
      return { optional, key, value: this.#expression() };
    });
    return this.#made({ kind: 'map', at, entries });
  }

  #struct(type: string, at: number): Expr {
    const fields = this.#list('}', (): StructField => {
      const optional = this.#skip('?');
      const place = this.#peek().at;
      const name = this.#fieldName();
      this.#expect(':');
      return { at: place, name, optional, value: this.#expression() };
    });
    return this.#made({ kind: 'struct', at, type, fields });
  }
}

/** `a.b.c` as a dotted name; undefined for what is none. */
export function typeNameOf(expr: Expr): string | undefined {
  if (expr.kind === 'ident') return expr.name;
  if (expr.kind !== 'select' || expr.mode !== 'plain') return undefined;
  const before = typeNameOf(expr.operand);
  return before === undefined ? undefined : `${before}.${expr.field}`;
}
