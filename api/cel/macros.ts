// Macros: calls that mean a loop, a binding or a test rather than a function.
// Invariant: a call is a macro by its name, its number of arguments and where it stands; whatever else is a function.
import { table } from '../../base/table.ts';
import {
  type Call,
  type Expr,
  type Fold,
  type FoldName,
  type Ident,
  type Literal,
  SyntaxFault,
} from './ast.ts';

/** The name that the target of `optMap` has while it is worked on; no source can write it. */
const TARGET = '@target';

/** The macro's tree, or undefined where the call is none. Throws a SyntaxFault for a macro that is used wrongly. */
export function expandMacro(call: Call): Expr | undefined {
  const { name, target, args } = call;
  if (target === undefined) return name === 'has' && args.length === 1 ? presence(call) : undefined;
  if (name === 'bind' && target.kind === 'ident' && target.name === 'cel' && args.length === 3)
    return binding(call);
  if ((name === 'optMap' || name === 'optFlatMap') && args.length === 2) return optional(call);
  const fold = FOLDS[name];
  return fold?.[args.length] === undefined ? undefined : folded(call, target, fold[args.length]!);
}

interface FoldShape {
  readonly macro: FoldName;
  /** How many arguments name variables. */
  readonly variables: number;
  readonly condition?: boolean;
}

/** By name and number of arguments. */
const FOLDS: Readonly<Record<string, Readonly<Record<number, FoldShape>>>> = table({
  all: shapes('all', 2, 3),
  exists: shapes('exists', 2, 3),
  exists_one: shapes('exists_one', 2),
  existsOne: shapes('exists_one', 2, 3),
  filter: shapes('filter', 2),
  map: { 2: { macro: 'map', variables: 1 }, 3: { macro: 'map', variables: 1, condition: true } },
  transformList: transformation('transformList'),
  transformMap: transformation('transformMap'),
  transformMapEntry: transformation('transformMapEntry'),
});

function shapes(macro: FoldName, ...counts: number[]): Record<number, FoldShape> {
  return Object.fromEntries(counts.map((count) => [count, { macro, variables: count - 1 }]));
}

function transformation(macro: FoldName): Record<number, FoldShape> {
  return { 3: { macro, variables: 2 }, 4: { macro, variables: 2, condition: true } };
}

function presence({ at, args: [arg] }: Call): Expr {
  if (arg?.kind === 'select' && arg.mode === 'plain') return { ...arg, mode: 'test', at };
  throw new SyntaxFault(arg?.at ?? at, 'invalid argument to has() macro');
}

function folded(call: Call, range: Expr, shape: FoldShape): Fold {
  const { args, at } = call;
  const variables = args.slice(0, shape.variables).map((arg) => variable(arg).name);
  if (new Set(variables).size < variables.length)
    throw new SyntaxFault(args[1]?.at ?? at, `duplicate variable name: ${variables[0]}`);
  const [condition, body] = shape.condition ? args.slice(-2) : [undefined, args.at(-1)];
  return { kind: 'fold', at, macro: shape.macro, range, variables, condition, body: body! };
}

function variable(arg: Expr): Ident {
  if (arg.kind === 'ident') return arg;
  throw new SyntaxFault(arg.at, 'argument must be a simple name');
}

function binding({ at, args }: Call): Expr {
  const [name, value, body] = args as [Expr, Expr, Expr];
  return { kind: 'bind', at, name: variable(name).name, value, body };
}

/** `a.optMap(x, f)`: of `a`'s value `f`, if there is one. */
function optional({ at, name, target, args }: Call): Expr {
  const [variableArg, body] = args as [Expr, Expr];
  const it: Ident = { kind: 'ident', at, name: TARGET };
  const method = (of: string, on: Expr, ...rest: Expr[]): Call => ({
    kind: 'call',
    at,
    name: of,
    target: on,
    args: rest,
  });
  const optionals: Ident = { kind: 'ident', at, name: 'optional' };
  const bound: Expr = {
    kind: 'bind',
    at,
    name: variable(variableArg).name,
    value: method('value', it),
    body,
  };
  const some = name === 'optMap' ? method('of', optionals, bound) : bound;
  const choice: Call = {
    kind: 'call',
    at,
    name: '_?_:_',
    target: undefined,
    args: [method('hasValue', it), some, method('none', optionals)],
  };
  return { kind: 'bind', at, name: TARGET, value: target!, body: choice };
}

/** A literal's tree. */
export function literal(at: number, value: Literal['value']): Literal {
  return { kind: 'literal', at, value };
}
