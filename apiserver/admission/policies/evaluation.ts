// Asks the expressions of a policy about one write, with one parameter: variables once each, costs from one budget.
// Invariant: an expression never throws past here but for OutOfBudget, after which no other is asked.
import type { CompiledExpression } from '../../../api/admissionregistration/compiled-expression.ts';
import type { NamedExpression } from '../../../api/admissionregistration/policy-expressions.ts';
import { CelError, CostExceeded } from '../../../api/cel/cel-error.ts';
import { evaluate } from '../../../api/cel/compile.ts';
import { COST_OF_MATCH_CONDITIONS } from '../../../api/cel/limits.ts';
import { type CostBudget, costBudget, Meter } from '../../../api/cel/meter.ts';
import { type CelValue, ObjectValue } from '../../../api/cel/values.ts';
import type { CheckError } from '../../metrics/policy-figures.ts';
import type { Bindings } from '../expression-values.ts';

/** What asking an expression comes to. */
export type Answer =
  | { readonly kind: 'value'; readonly value: CelValue }
  | {
      readonly kind: 'error';
      readonly message: string;
      /** The message without the expression that it is about. */
      readonly why: string;
      readonly sort: ErrorSort;
    };

/** Why there is no value. */
export type ErrorSort = Exclude<CheckError, 'no_error'>;

/** The expressions together cost more than one write may. */
export class OutOfBudget extends Error {
  override readonly name = 'OutOfBudget';

  constructor() {
    super(
      'validation failed due to running out of cost budget, no further validation rules will be run',
    );
  }
}

/** One asking of a policy. */
export class Evaluation {
  readonly #bindings: Bindings;
  readonly #budget: CostBudget;

  /** `variables` are those of the policy; they are worked out when an expression first names them. */
  constructor(
    bindings: Bindings,
    variables: readonly NamedExpression[] = [],
    budget: CostBudget = costBudget(),
  ) {
    this.#budget = budget;
    const own = new PolicyVariables(variables, (expression) => this.answer(expression));
    this.#bindings = { ...bindings, variables: own };
  }

  /** Pays from what is left, for reading what an expression gave. */
  meter(): Meter {
    return new Meter(this.#budget);
  }

  /** Throws OutOfBudget. */
  answer({ source, program, fault }: CompiledExpression): Answer {
    if (program === undefined)
      return {
        kind: 'error',
        message: `compilation error: ${fault}`,
        why: fault,
        sort: 'compile_error',
      };
    const outcome = evaluate(program, this.#bindings, this.#budget);
    if (this.#budget.remaining < 0 || this.#budget.work < 0) throw new OutOfBudget();
    switch (outcome.kind) {
      case 'value':
        return outcome;
      case 'error':
        return failed(source, outcome.message, 'invalid_error');
      case 'exceeded':
        if (outcome.scope === 'request') throw new OutOfBudget();
        return failed(source, COST_EXCEEDED, 'out_of_budget');
    }
  }
}

const COST_EXCEEDED = 'operation cancelled: actual cost limit exceeded';

function failed(source: string, why: string, sort: ErrorSort): Answer {
  const message = `expression '${source}' resulted in error: ${why}`;
  return { kind: 'error', message, why, sort };
}

/** `variables`: each is worked out at most once, and may name those before it. */
class PolicyVariables extends ObjectValue {
  readonly typeName = 'kubernetes.variables';
  readonly #expressions: ReadonlyMap<string, CompiledExpression>;
  readonly #known = new Map<string, Answer>();
  readonly #answer: (expression: CompiledExpression) => Answer;

  constructor(
    variables: readonly NamedExpression[],
    answer: (expression: CompiledExpression) => Answer,
  ) {
    super();
    this.#expressions = new Map(variables.map(({ name, compiled }) => [name, compiled]));
    this.#answer = answer;
  }

  get(name: string): CelValue | undefined {
    const expression = this.#expressions.get(name);
    if (expression === undefined) throw new CelError(`no such field '${name}'`);
    let known = this.#known.get(name);
    if (known === undefined) this.#known.set(name, (known = this.#worked(expression)));
    if (known.kind === 'value') return known.value;
    const what = known.sort === 'compile_error' ? 'compile' : 'evaluate';
    throw new CelError(
      `composited variable ${JSON.stringify(name)} fails to ${what}: ${known.why}`,
    );
  }

  names(): readonly string[] {
    return [...this.#expressions.keys()];
  }

  #worked(expression: CompiledExpression): Answer {
    try {
      return this.#answer(expression);
    } catch (error) {
      // Ends the expression that names the variable too, whatever it would make of an error.
      throw error instanceof OutOfBudget ? new CostExceeded('request') : error;
    }
  }
}

/** What match conditions come to: whether the policy or webhook is about the write, or why that cannot be told. */
export type Conditions =
  | { readonly kind: 'matched' | 'unmatched' }
  | { readonly kind: 'error'; readonly message: string; readonly sort: ErrorSort };

/** Asks match conditions: one that is false settles it, whatever the others come to. */
export function askConditions(
  conditions: readonly NamedExpression[],
  bindings: Bindings,
): Conditions {
  if (conditions.length === 0) return { kind: 'matched' };
  const evaluation = new Evaluation(bindings, [], costBudget(COST_OF_MATCH_CONDITIONS));
  const errors: Extract<Answer, { kind: 'error' }>[] = [];
  try {
    for (const { compiled } of conditions) {
      const answer = evaluation.answer(compiled);
      if (answer.kind === 'error') errors.push(answer);
      else if (answer.value === false) return { kind: 'unmatched' };
    }
  } catch (error) {
    if (!(error instanceof OutOfBudget)) throw error;
    return { kind: 'error', message: error.message, sort: 'out_of_budget' };
  }
  const [first] = errors;
  if (first === undefined) return { kind: 'matched' };
  return { kind: 'error', sort: first.sort, message: aggregated(errors.map((e) => e.message)) };
}

/** Several errors as one, in upstream's form. */
function aggregated(messages: readonly string[]): string {
  const different = [...new Set(messages)];
  return different.length === 1 ? (different[0] ?? '') : `[${different.join(', ')}]`;
}
