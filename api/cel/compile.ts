// The door of CEL: compile once, evaluate often, within a budget.
// Invariant: nothing written in an expression throws past this door, or takes longer than its limits.
import { type Fault, SyntaxFault } from './ast.ts';
import { CelError, CostExceeded } from './cel-error.ts';
import { type CelType, typeText } from './cel-type.ts';
import { check, type Checked } from './checker.ts';
import type { Declarations } from './environment.ts';
import type { Frame, Plan } from './frame.ts';
import { codePoints } from './library/operators.ts';
import { Meter, type CostBudget } from './meter.ts';
import { parse } from './parser.ts';
import { planned } from './planner.ts';
import { fits } from './type-match.ts';
import type { CelValue } from './values.ts';

/** An expression that is ready. Made by compile only. */
export interface Program {
  readonly source: string;
  /** What it gives. */
  readonly type: CelType;
  readonly checked: Checked;
  readonly variables: readonly string[];
  readonly plan: Plan;
  readonly slots: number;
}

/** What compiling comes to. */
export type Compilation =
  | { readonly kind: 'compiled'; readonly program: Program }
  | {
      readonly kind: 'faulty';
      /** `syntax` and `type` faults come with places; a `result` fault is of the whole. */
      readonly why: 'result' | 'syntax' | 'type';
      /** As upstream shows it: for places, `ERROR: <input>:1:6: …` and the line with a mark. */
      readonly message: string;
      readonly faults: readonly Fault[];
    };

/** What is asked of an expression. */
export interface CompileOptions extends Declarations {
  /** What it must give; one of several. Anything, where nothing is said. */
  readonly result?: CelType | readonly CelType[];
}

/** Compiles an expression. Never throws. */
export function compile(source: string, options: CompileOptions): Compilation {
  const checked = parsed(source, options);
  if (checked instanceof SyntaxFault) return faulty(source, 'syntax', [checked]);
  if (checked.faults.length > 0) return faulty(source, 'type', checked.faults);
  const wanted = wantedTypes(options);
  if (wanted.length > 0 && !wanted.some((type) => fits(type, checked.type, new Map()))) {
    const message = `must evaluate to ${wanted.map(typeText).join(' or ')}`;
    return { kind: 'faulty', why: 'result', message, faults: [{ at: 0, message }] };
  }
  const variables = Object.keys(options.variables);
  const { plan, slots } = planned(checked, variables);
  return {
    kind: 'compiled',
    program: { source, type: checked.type, checked, variables, plan, slots },
  };
}

function wantedTypes({ result }: CompileOptions): readonly CelType[] {
  if (result === undefined) return [];
  return 'kind' in result ? [result] : result;
}

function parsed(source: string, declarations: Declarations): Checked | SyntaxFault {
  try {
    return check(parse(source), declarations);
  } catch (error) {
    if (error instanceof SyntaxFault) return error;
    throw error;
  }
}

function faulty(source: string, why: 'syntax' | 'type', faults: readonly Fault[]): Compilation {
  const sorted = [...faults].sort((a, b) => a.at - b.at);
  return { kind: 'faulty', why, message: faultText(source, sorted), faults: sorted };
}

/** Longer lines are not shown. */
const MAX_SHOWN_LINE = 1000;

/** The faults with their places, as upstream shows them. */
function faultText(source: string, faults: readonly Fault[]): string {
  return faults
    .map(({ at, message }) => {
      const before = source.slice(0, at).split('\n');
      const column = codePoints(before.at(-1) ?? '');
      const line = source.split('\n', before.length).at(-1) ?? '';
      const text = `ERROR: <input>:${before.length}:${column + 1}: ${message}`;
      if (line.length > MAX_SHOWN_LINE) return text;
      return `${text}\n | ${line}\n | ${'.'.repeat(column)}^`;
    })
    .join('\n');
}

/** What evaluating comes to; `cost` is what was used. */
export type Outcome =
  | { readonly kind: 'value'; readonly value: CelValue; readonly cost: number }
  /** There is no value: `no such key: x`. */
  | { readonly kind: 'error'; readonly message: string; readonly cost: number }
  /** It cost more than one expression may (`call`), or than was left for the request. */
  | { readonly kind: 'exceeded'; readonly scope: 'call' | 'request'; readonly cost: number };

/**
 * Evaluates a program and takes what it costs from the budget. Variables without a binding are not set: using them is
 * an error. Never throws, but for faults of this program and of values that others wrote.
 */
export function evaluate(
  program: Program,
  bindings: Readonly<Record<string, CelValue | undefined>>,
  budget: CostBudget,
): Outcome {
  const meter = new Meter(budget, program.checked.patterns);
  const slots = Array.from<CelValue | undefined>({ length: program.slots });
  program.variables.forEach((name, slot) => {
    slots[slot] = bindings[name];
  });
  const outcome = run(program.plan, { slots, meter });
  budget.remaining -= outcome.cost;
  budget.work -= meter.worked;
  return outcome;
}

const TOO_LARGE = 'values are too large or nested too deep';

function run(plan: Plan, frame: Frame): Outcome {
  try {
    const value = plan(frame);
    return { kind: 'value', value, cost: Math.ceil(frame.meter.used) };
  } catch (error) {
    const cost = Math.ceil(frame.meter.used);
    if (error instanceof CelError) return { kind: 'error', message: error.message, cost };
    // Of the engine: values nested too deep, or texts too long for it.
    if (error instanceof RangeError) return { kind: 'error', message: TOO_LARGE, cost };
    if (error instanceof CostExceeded) return { kind: 'exceeded', scope: error.scope, cost };
    throw error;
  }
}
