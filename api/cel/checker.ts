// Checks an expression against what is declared, and finds for each part its type, for each call what it may mean.
// Invariant: pure; a fault does not end the check: the part counts as dyn, so that all faults are told at once.
import { table } from '../../base/table.ts';
import {
  type Bind,
  type Call,
  type Expr,
  type Fault,
  type Fold,
  type Ident,
  type ListLiteral,
  type Literal,
  type MapLiteral,
  type Select,
  type StructLiteral,
} from './ast.ts';
import {
  BOOL,
  type CelType,
  DYN,
  INT,
  listOf,
  mapOf,
  NAMED_TYPES,
  optionalOf,
  optionalPart,
  TYPE,
  typeText,
} from './cel-type.ts';
import { type Declarations, type FunctionTable, functionsOf } from './environment.ts';
import { MAX_ERRORS, MAX_PATTERNS_SIZE } from './limits.ts';
import { literalFault, literalPattern, literalType } from './literal-checks.ts';
import type { Overload } from './overload.ts';
import { PatternAllowance } from './pattern-allowance.ts';
import { typeNameOf } from './parser.ts';
import { type Bound, fits, sameType, substituted } from './type-match.ts';

/** What is known of a tree. */
export interface Checked {
  readonly expr: Expr;
  readonly type: CelType;
  readonly types: ReadonlyMap<Expr, CelType>;
  /** By call: what it may mean. Operators that the planner does itself have none. */
  readonly overloads: ReadonlyMap<Expr, readonly Overload[]>;
  /** Calls whose target is no value but the beginning of the function's name: `ip.isCanonical(x)`. */
  readonly qualified: ReadonlySet<Expr>;
  /** Variables whose names have dots: `authorizer.requestResource`. */
  readonly dotted: ReadonlyMap<Expr, string>;
  /** Names of types that stand as values. */
  readonly typeNames: ReadonlyMap<Expr, string>;
  /** Patterns that stand in the source. */
  readonly patterns: ReadonlySet<string>;
  readonly faults: readonly Fault[];
}

/** Checks a tree. */
export function check(expr: Expr, declarations: Declarations): Checked {
  return new Checker(declarations).whole(expr);
}

type Scope = Readonly<Record<string, CelType>>;

class Checker {
  readonly #types = new Map<Expr, CelType>();
  readonly #overloads = new Map<Expr, readonly Overload[]>();
  readonly #qualified = new Set<Expr>();
  readonly #dotted = new Map<Expr, string>();
  readonly #typeNames = new Map<Expr, string>();
  readonly #patterns = new Set<string>();
  readonly #allowances: readonly PatternAllowance[];
  readonly #faults: Fault[] = [];
  readonly #declarations: Declarations;
  readonly #functions: FunctionTable;
  #scopes: readonly Scope[] = [];
  /** Within arguments of `format`, lists may be mixed. */
  #mixed: boolean;

  constructor(declarations: Declarations) {
    this.#declarations = declarations;
    this.#functions = functionsOf(declarations);
    const own = new PatternAllowance(MAX_PATTERNS_SIZE, 'an expression');
    this.#allowances = declarations.patterns ? [own, declarations.patterns] : [own];
    this.#mixed = declarations.mixedLiterals ?? false;
  }

  whole(expr: Expr): Checked {
    const type = this.#check(expr);
    return {
      expr,
      type,
      types: this.#types,
      overloads: this.#overloads,
      qualified: this.#qualified,
      dotted: this.#dotted,
      typeNames: this.#typeNames,
      patterns: this.#patterns,
      faults: this.#faults.slice(0, MAX_ERRORS),
    };
  }

  #fault(at: number, message: string): CelType {
    this.#faults.push({ at, message });
    return DYN;
  }

  #check(expr: Expr): CelType {
    const type = this.#typeOf(expr);
    this.#types.set(expr, type);
    return type;
  }

  #typeOf(expr: Expr): CelType {
    switch (expr.kind) {
      case 'literal':
        return literalType((expr satisfies Literal).value);
      case 'ident':
        return this.#ident(expr);
      case 'select':
        return this.#select(expr);
      case 'call':
        return this.#call(expr);
      case 'list':
        return this.#list(expr);
      case 'map':
        return this.#map(expr);
      case 'struct':
        return this.#struct(expr);
      case 'fold':
        return this.#fold(expr);
      case 'bind':
        return this.#bind(expr);
    }
  }

  #variable(name: string): CelType | undefined {
    for (const scope of this.#scopes) if (Object.hasOwn(scope, name)) return scope[name];
    const { variables } = this.#declarations;
    return Object.hasOwn(variables, name) ? variables[name] : undefined;
  }

  #ident(expr: Ident): CelType {
    const known = this.#variable(expr.name) ?? this.#typeName(expr, expr.name);
    return known ?? this.#fault(expr.at, undeclared(expr.name));
  }

  #typeName(expr: Expr, name: string | undefined): CelType | undefined {
    if (name === undefined || !NAMED_TYPES.has(name)) return undefined;
    this.#typeNames.set(expr, name);
    return TYPE;
  }

  /** The longest name wins: a variable with dots, then the field of one, then a type. */
  #qualifiedValue(expr: Select): CelType | undefined {
    const name = typeNameOf(expr);
    if (name === undefined) return undefined;
    const { variables } = this.#declarations;
    const root = name.slice(0, name.indexOf('.'));
    if (
      Object.hasOwn(variables, name) &&
      !this.#scopes.some((scope) => Object.hasOwn(scope, root))
    ) {
      this.#dotted.set(expr, name);
      return variables[name];
    }
    return this.#isVariable(expr) ? undefined : this.#typeName(expr, name);
  }

  #isVariable(expr: Expr): boolean {
    let root = expr;
    while (root.kind === 'select') root = root.operand;
    return root.kind !== 'ident' || this.#variable(root.name) !== undefined;
  }

  #select(expr: Select): CelType {
    const { operand, field, mode, at } = expr;
    const named = mode === 'plain' ? this.#qualifiedValue(expr) : undefined;
    if (named) return named;
    const whole = this.#check(operand);
    const part = optionalPart(whole);
    const type = this.#fieldType(part ?? whole, field, at);
    if (mode === 'test') return BOOL;
    return mode === 'plain' && part === undefined ? type : optionalOf(optionalPart(type) ?? type);
  }

  #fieldType(of: CelType, field: string, at: number): CelType {
    if (of.kind === 'dyn') return DYN;
    if (of.kind === 'map') return of.of;
    if (of.kind !== 'object')
      return this.#fault(at, `type '${typeText(of)}' does not support field selection`);
    const known = of.fields.get(field)?.type;
    if (known !== undefined) return known;
    return of.open ? DYN : this.#fault(at, `undefined field '${field}'`);
  }

  #call(expr: Call): CelType {
    const special = SPECIAL[expr.name];
    if (special !== undefined && expr.target === undefined) return this.#special(expr, special);
    const name = this.#qualifiedName(expr);
    const params = expr.target === undefined || name !== undefined ? [] : [expr.target];
    const mixedBefore = this.#mixed;
    if (expr.name === 'format' && expr.target !== undefined) this.#mixed = true;
    const args = [...params, ...expr.args].map((arg) => this.#check(arg));
    this.#mixed = mixedBefore;
    return this.#resolve(expr, name ?? expr.name, args);
  }

  /** The name of a function with dots in it; undefined where the target is a value. */
  #qualifiedName(expr: Call): string | undefined {
    const before = expr.target && typeNameOf(expr.target);
    if (before === undefined || this.#isVariable(expr.target!)) return undefined;
    const name = `${before}.${expr.name}`;
    if (this.#functions.find(name, false).length === 0) return undefined;
    this.#qualified.add(expr);
    return name;
  }

  #resolve(expr: Call, name: string, args: readonly CelType[]): CelType {
    const asMethod = expr.target !== undefined && !this.#qualified.has(expr);
    const known = this.#functions.find(name, asMethod);
    if (known.length === 0) return this.#fault(expr.at, undeclared(name));
    const results: CelType[] = [];
    const candidates = known.filter((each) => {
      const result = resultOf(each, args);
      if (result !== undefined) results.push(result);
      return result !== undefined;
    });
    const [first] = results;
    if (first === undefined) return this.#fault(expr.at, noOverload(name, asMethod, args));
    this.#overloads.set(expr, candidates);
    this.#literals(expr);
    return results.every((each) => sameType(first, each)) ? first : DYN;
  }

  /** What can only fail is told now; patterns are compiled while there is room for them. */
  #literals(expr: Call): void {
    const pattern = literalPattern(expr);
    if (pattern !== undefined) {
      const full = this.#allowances.find((each) => !each.admits(pattern));
      if (full) {
        this.#fault(expr.at, full.fault);
        return;
      }
      this.#patterns.add(pattern);
    }
    const wrong = literalFault(expr);
    if (wrong) this.#faults.push(wrong);
  }

  #special(expr: Call, kind: SpecialCall): CelType {
    const args = expr.args.map((arg) => this.#check(arg));
    if (kind === 'logic') {
      const bools = args.every((arg) => fits(BOOL, arg, new Map()));
      return bools ? BOOL : this.#fault(expr.at, noOverload(expr.name, false, args));
    }
    const [first = DYN, second = DYN, third = DYN] = args;
    if (kind === 'index') return this.#index(expr, first, second);
    const joined = joinedType(second, third);
    if (fits(BOOL, first, new Map()) && joined) return joined;
    return this.#fault(expr.at, noOverload(expr.name, false, args));
  }

  /** `a[b]`, `a[?b]`; of an optional, the part is optional too. */
  #index(expr: Call, of: CelType, key: CelType): CelType {
    const held = optionalPart(of);
    const whole = held ?? of;
    const part = indexedType(whole, key);
    if (part === undefined) return this.#fault(expr.at, noOverload(expr.name, false, [of, key]));
    if (expr.name === '_[_]' && held === undefined) return part;
    return optionalOf(optionalPart(part) ?? part);
  }

  #list(expr: ListLiteral): CelType {
    const types = expr.items.map(({ value, optional }) => this.#item(value, optional));
    return listOf(
      this.#joined(
        types,
        expr.items.map(({ value }) => value.at),
      ),
    );
  }

  /** The type of a part; of an optional part, what it holds. */
  #item(value: Expr, optional: boolean): CelType {
    const type = this.#check(value);
    if (!optional || type.kind === 'dyn') return type;
    return (
      optionalPart(type) ??
      this.#fault(value.at, `expected type 'optional_type' but found '${typeText(type)}'`)
    );
  }

  /** One type for all parts; what is mixed is dyn where that may be. */
  #joined(types: readonly CelType[], places: readonly number[]): CelType {
    let all = types[0] ?? DYN;
    for (const [i, type] of types.entries()) {
      const joined = joinedType(all, type);
      if (joined === undefined && !this.#mixed) {
        const why = `expected type '${typeText(all)}' but found '${typeText(type)}'`;
        return this.#fault(places[i] ?? 0, why);
      }
      all = joined ?? DYN;
    }
    return all;
  }

  #map(expr: MapLiteral): CelType {
    const keys = expr.entries.map(({ key }) => this.#check(key));
    const values = expr.entries.map(({ value, optional }) => this.#item(value, optional));
    const key = this.#joined(
      keys,
      expr.entries.map((entry) => entry.key.at),
    );
    return mapOf(
      key,
      this.#joined(
        values,
        expr.entries.map((entry) => entry.value.at),
      ),
    );
  }

  #struct(expr: StructLiteral): CelType {
    const type = this.#declarations.structs?.(expr.type);
    if (type === undefined) this.#fault(expr.at, undeclared(expr.type));
    for (const { name, value, optional, at } of expr.fields) {
      const given = this.#item(value, optional);
      const wanted = type === undefined ? DYN : this.#fieldType(type, name, at);
      if (!fits(wanted, given, new Map())) {
        const why = `expected type of field '${name}' is '${typeText(wanted)}' but provided type is '${typeText(given)}'`;
        this.#fault(at, why);
      }
    }
    return type ?? DYN;
  }

  #within(scope: Scope, inner: () => CelType): CelType {
    const before = this.#scopes;
    this.#scopes = [scope, ...before];
    const type = inner();
    this.#scopes = before;
    return type;
  }

  #bind({ name, value, body }: Bind): CelType {
    const type = this.#check(value);
    return this.#within({ [name]: type }, () => this.#check(body));
  }

  #fold(expr: Fold): CelType {
    const range = this.#check(expr.range);
    const parts = this.#rangeParts(range, expr.range.at);
    const [first = '', second] = expr.variables;
    const single = range.kind === 'list' ? parts.item : parts.key;
    const scope: Scope =
      second === undefined ? { [first]: single } : { [first]: parts.key, [second]: parts.item };
    return this.#within(scope, () => {
      if (expr.condition) this.#bool(expr.condition);
      return this.#folded(expr, single, parts.key);
    });
  }

  #folded({ macro, body }: Fold, single: CelType, key: CelType): CelType {
    switch (macro) {
      case 'map':
      case 'transformList':
        return listOf(this.#check(body));
      case 'transformMap':
        return mapOf(key, this.#check(body));
      case 'transformMapEntry':
        return this.#entry(body);
      case 'filter':
        this.#bool(body);
        return listOf(single);
      default:
        this.#bool(body);
        return BOOL;
    }
  }

  #entry(body: Expr): CelType {
    const type = this.#check(body);
    if (type.kind === 'map' || type.kind === 'dyn') return type;
    return this.#fault(body.at, `expected type 'map' but found '${typeText(type)}'`);
  }

  #bool(expr: Expr): void {
    const type = this.#check(expr);
    if (!fits(BOOL, type, new Map()))
      this.#fault(expr.at, `expected type 'bool' but found '${typeText(type)}'`);
  }

  #rangeParts(range: CelType, at: number): { key: CelType; item: CelType } {
    if (range.kind === 'list') return { key: INT, item: range.of };
    if (range.kind === 'map') return { key: range.key, item: range.of };
    if (range.kind !== 'dyn') {
      const what = `expression of type '${typeText(range)}' cannot be range of a comprehension`;
      this.#fault(at, `${what} (must be list, map, or dynamic)`);
    }
    return { key: DYN, item: DYN };
  }
}

type SpecialCall = 'conditional' | 'index' | 'logic';

/** Operators that no function does. */
const SPECIAL: Readonly<Record<string, SpecialCall>> = table({
  '_&&_': 'logic',
  '_||_': 'logic',
  '_?_:_': 'conditional',
  '_[_]': 'index',
  '_[?_]': 'index',
});

function indexedType(of: CelType, key: CelType): CelType | undefined {
  if (of.kind === 'dyn') return DYN;
  if (of.kind === 'list') return fits(INT, key, new Map()) ? of.of : undefined;
  return of.kind === 'map' && fits(of.key, key, new Map()) ? of.of : undefined;
}

/** What a call of these arguments gives; undefined where it does not fit. */
function resultOf({ params, result }: Overload, args: readonly CelType[]): CelType | undefined {
  if (params.length !== args.length) return undefined;
  const bound: Bound = new Map();
  if (!params.every((param, i) => fits(param, args[i] ?? DYN, bound))) return undefined;
  return substituted(result, bound);
}

function joinedType(a: CelType, b: CelType): CelType | undefined {
  if (sameType(a, b)) return larger(a, b);
  if (a.kind === 'null' && fits(b, a, new Map())) return b;
  if (!fits(a, b, new Map())) return undefined;
  return a.kind === 'dyn' || b.kind === 'dyn' ? DYN : a;
}

/** The one that allows larger values. */
function larger(a: CelType, b: CelType): CelType {
  const size = (type: CelType): number => ('max' in type ? (type.max ?? Infinity) : 0);
  return size(b) > size(a) ? b : a;
}

function undeclared(name: string): string {
  return `undeclared reference to '${name}' (in container '')`;
}

function noOverload(name: string, asMethod: boolean, args: readonly CelType[]): string {
  const [first = '', ...rest] = args.map(typeText);
  const shown = asMethod ? `${first}.(${rest.join(', ')})` : `(${args.map(typeText).join(', ')})`;
  return `found no matching overload for '${name}' applied to '${shown}'`;
}
