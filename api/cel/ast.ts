// The tree of a parsed expression.
// Invariant: a node's `at` is its place in the source, in UTF-16 units; macros stand as the loops and bindings they mean.
import type { CelValue } from './values.ts';

interface Node {
  readonly at: number;
}

export interface Literal extends Node {
  readonly kind: 'literal';
  readonly value: CelValue;
}

export interface Ident extends Node {
  readonly kind: 'ident';
  readonly name: string;
}

/** `a.b`, `a.?b`, and `has(a.b)` where it is only a test. */
export interface Select extends Node {
  readonly kind: 'select';
  readonly operand: Expr;
  readonly field: string;
  readonly mode: 'optional' | 'plain' | 'test';
}

/** A function, method or operator: operators are named as `_+_`, `!_`, `_?_:_`, `_[_]`, `_[?_]`. */
export interface Call extends Node {
  readonly kind: 'call';
  readonly name: string;
  readonly target: Expr | undefined;
  readonly args: readonly Expr[];
}

/** `[a, ?b]` */
export interface ListLiteral extends Node {
  readonly kind: 'list';
  readonly items: readonly { readonly value: Expr; readonly optional: boolean }[];
}

/** `{a: b, ?c: d}` */
export interface MapLiteral extends Node {
  readonly kind: 'map';
  readonly entries: readonly {
    readonly key: Expr;
    readonly value: Expr;
    readonly optional: boolean;
  }[];
}

/** `Object.spec{replicas: 3}` */
export interface StructLiteral extends Node {
  readonly kind: 'struct';
  readonly type: string;
  readonly fields: readonly StructField[];
}

export interface StructField extends Node {
  readonly name: string;
  readonly value: Expr;
  readonly optional: boolean;
}

export type FoldName =
  | 'all'
  | 'exists'
  | 'exists_one'
  | 'filter'
  | 'map'
  | 'transformList'
  | 'transformMap'
  | 'transformMapEntry';

/** A loop over a list or map. */
export interface Fold extends Node {
  readonly kind: 'fold';
  readonly macro: FoldName;
  readonly range: Expr;
  /** One name, or two: index and item, key and value. */
  readonly variables: readonly string[];
  /** Of maps and transformations with three or four arguments: which items count. */
  readonly condition: Expr | undefined;
  readonly body: Expr;
}

/** A name for a value, within `body`. */
export interface Bind extends Node {
  readonly kind: 'bind';
  readonly name: string;
  readonly value: Expr;
  readonly body: Expr;
}

export type Expr =
  | Bind
  | Call
  | Fold
  | Ident
  | ListLiteral
  | Literal
  | MapLiteral
  | Select
  | StructLiteral;

/** Something wrong at one place of a source. */
export interface Fault {
  readonly at: number;
  readonly message: string;
}

/** A source that is no expression. */
export class SyntaxFault extends Error {
  override readonly name = 'SyntaxFault';
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}
