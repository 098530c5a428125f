// The worst case of an expression, from the sizes that its types allow: told when a rule is stored.
// Invariant: pure; no evaluation of values that fit their types costs more, but where this house counts work of its own.
import type {
  Bind,
  Call,
  Expr,
  Fold,
  ListLiteral,
  MapLiteral,
  Select,
  StructLiteral,
} from './ast.ts';
import type { CelType } from './cel-type.ts';
import type { Checked } from './checker.ts';
import { exactly, product, sum, union, ZERO } from './costs.ts';
import { STEP_COSTS } from './folds.ts';
import type { CostModel, Overload, Range, SizedArgument } from './overload.ts';

/** What a part costs, and how large its value may be. */
interface Estimate {
  readonly cost: Range;
  readonly size: Range;
  /** Of a list: its items. */
  readonly items: Range | undefined;
}

/** The least and the most that evaluating may cost. */
export function estimate({ checked }: { readonly checked: Checked }): Range {
  const { cost } = new Estimator(checked).of(checked.expr);
  return { min: Math.ceil(cost.min), max: Math.ceil(cost.max) };
}

/** Addresses count by their bytes; other values that only functions look into count one. */
const LARGEST_OPAQUE = 16;

/** How large values of a type may be. */
function typeSize(type: CelType | undefined): Range {
  switch (type?.kind) {
    case 'string':
    case 'bytes':
    case 'list':
    case 'map':
      return { min: 0, max: type.max ?? Infinity };
    case 'dyn':
      return { min: 0, max: type.max ?? Infinity };
    case 'opaque':
      return { min: 0, max: LARGEST_OPAQUE };
    default:
      return exactly(1);
  }
}

function itemSize(type: CelType | undefined): Range | undefined {
  return type?.kind === 'list' ? typeSize(type.of) : undefined;
}

class Estimator {
  readonly #checked: Checked;
  /** What is known of bound names beside their types. */
  #bound: ReadonlyMap<string, Estimate> = new Map();

  constructor(checked: Checked) {
    this.#checked = checked;
  }

  of(expr: Expr): Estimate {
    switch (expr.kind) {
      case 'literal':
        return this.#typed(expr, ZERO, this.#literalSize(expr));
      case 'ident':
        return { ...(this.#bound.get(expr.name) ?? this.#typed(expr, ZERO)), cost: exactly(1) };
      case 'select':
        return this.#select(expr);
      case 'call':
        return this.#call(expr);
      case 'list':
        return this.#list(expr);
      case 'map':
      case 'struct':
        return this.#entries(expr);
      case 'fold':
        return this.#fold(expr);
      case 'bind':
        return this.#bind(expr);
    }
  }

  #typed(expr: Expr, cost: Range, size?: Range): Estimate {
    const type = this.#checked.types.get(expr);
    return { cost, size: size ?? typeSize(type), items: itemSize(type) };
  }

  #literalSize(expr: Expr): Range {
    return exactly(typeSize(this.#checked.types.get(expr)).max);
  }

  #select(expr: Select): Estimate {
    if (this.#checked.typeNames.has(expr) || this.#checked.dotted.has(expr))
      return this.#typed(expr, exactly(1));
    const { cost } = this.of(expr.operand);
    return this.#typed(expr, expr.mode === 'test' ? cost : sum(cost, exactly(1)));
  }

  #call(expr: Call): Estimate {
    const withTarget = expr.target !== undefined && !this.#checked.qualified.has(expr);
    const args = (withTarget ? [expr.target!, ...expr.args] : expr.args).map((arg) => this.of(arg));
    const special = expr.target === undefined ? this.#special(expr, args) : undefined;
    if (special) return special;
    const costs = args.reduce((all, { cost }) => sum(all, cost), ZERO);
    const overloads = this.#checked.overloads.get(expr) ?? [];
    const own = overloads
      .map((each) => callCost(each, args))
      .reduce(union, { min: Infinity, max: 0 });
    return this.#typed(expr, sum(costs, own), resultSize(overloads, args));
  }

  #special(expr: Call, args: readonly Estimate[]): Estimate | undefined {
    const costs = args.reduce((all, { cost }) => sum(all, cost), ZERO);
    const [first, second, third] = args;
    switch (expr.name) {
      case '_&&_':
      case '_||_':
        return this.#typed(expr, { min: first?.cost.min ?? 0, max: costs.max });
      case '_?_:_': {
        const branch = union(second!.cost, third!.cost);
        const items = second!.items && third!.items && union(second!.items, third!.items);
        return { cost: sum(first!.cost, branch), size: union(second!.size, third!.size), items };
      }
      case '_[_]':
      case '_[?_]':
        return this.#typed(expr, sum(costs, exactly(1)), first!.items);
      default:
        return undefined;
    }
  }

  #list(expr: ListLiteral): Estimate {
    const parts = expr.items.map(({ value }) => this.of(value));
    const cost = parts.reduce((all, part) => sum(all, part.cost), exactly(10));
    const items = parts.map(({ size }) => size).reduce(union, { min: Infinity, max: 0 });
    return { cost, size: exactly(parts.length), items };
  }

  #entries(expr: MapLiteral | StructLiteral): Estimate {
    const parts =
      expr.kind === 'map'
        ? expr.entries.flatMap(({ key, value }) => [key, value])
        : expr.fields.map(({ value }) => value);
    const base = exactly(expr.kind === 'map' ? 30 : 40);
    const cost = parts.reduce((all, part) => sum(all, this.of(part).cost), base);
    return this.#typed(expr, cost, expr.kind === 'map' ? exactly(expr.entries.length) : undefined);
  }

  #within<T>(names: readonly (readonly [string, Estimate])[], inner: () => T): T {
    const before = this.#bound;
    this.#bound = new Map([...before, ...names]);
    const result = inner();
    this.#bound = before;
    return result;
  }

  #bind({ name, value, body }: Bind): Estimate {
    const bound = this.of(value);
    const inner = this.#within([[name, bound]], () => this.of(body));
    return { ...inner, cost: sum(sum(exactly(10), bound.cost), inner.cost) };
  }

  #fold(expr: Fold): Estimate {
    const range = this.of(expr.range);
    const type = this.#checked.types.get(expr.range);
    const { start, step, kept } = STEP_COSTS[expr.macro];
    const { condition, body } = this.#within(variablesOf(expr, type, range), () => ({
      condition: expr.condition === undefined ? ZERO : this.of(expr.condition).cost,
      body: this.of(expr.body),
    }));
    const always =
      expr.condition !== undefined || expr.macro === 'filter' || expr.macro === 'exists_one';
    const perItem = sum(sum(exactly(step), condition), body.cost);
    const each = { min: perItem.min + (always ? 0 : kept), max: perItem.max + kept };
    const cost = sum(sum(range.cost, exactly(start)), product(range.size, each));
    const made = expr.macro === 'filter' ? range.items : body.size;
    return { cost, size: { min: 0, max: range.size.max }, items: made };
  }
}

function variablesOf(
  { variables }: Fold,
  type: CelType | undefined,
  range: Estimate,
): [string, Estimate][] {
  const [first = '', second] = variables;
  const parts = type?.kind === 'map' ? type : undefined;
  const key = parts ? sizedAs(typeSize(parts.key), parts.key) : sizedAs(exactly(1), undefined);
  const of = type?.kind === 'list' || type?.kind === 'map' ? type.of : undefined;
  const item = sizedAs(range.items ?? (of ? typeSize(of) : { min: 0, max: Infinity }), of);
  if (second !== undefined)
    return [
      [first, key],
      [second, item],
    ];
  return [[first, type?.kind === 'map' ? key : item]];
}

function sizedAs(size: Range, type: CelType | undefined): Estimate {
  return { cost: exactly(1), size, items: itemSize(type) };
}

function callCost({ costs }: Overload, args: readonly SizedArgument[]): Range {
  if (costs.estimate) return costs.estimate(args);
  const at = (end: 'max' | 'min'): number => costs.cost(args.map(({ size }) => size[end]));
  return { min: at('min'), max: at('max') };
}

function resultSize(
  overloads: readonly Overload[],
  args: readonly SizedArgument[],
): Range | undefined {
  const sizes = overloads.map(({ costs }: { costs: CostModel }) => costs.size?.(args));
  const known = sizes.filter((size) => size !== undefined);
  return known.length === 0 ? undefined : known.reduce(union);
}
