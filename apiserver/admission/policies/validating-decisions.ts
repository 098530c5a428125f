// What a ValidatingAdmissionPolicy says of one write, with one parameter: a decision for each rule, and audit annotations.
// Invariant: pure but for the clock; what cannot be told is decided by the failure policy.
import type { CompiledExpression } from '../../../api/admissionregistration/compiled-expression.ts';
import type { ValidatingExpressions } from '../../../api/admissionregistration/policy-expressions.ts';
import type { CostBudget } from '../../../api/cel/meter.ts';
import { costBudget } from '../../../api/cel/meter.ts';
import type { ValidatingAdmissionPolicySpec, Validation } from '../../../api/generated/types.ts';
import type { Clock } from '../../../base/clock.ts';
import type { CheckError } from '../../metrics/policy-figures.ts';
import type { Bindings } from '../expression-values.ts';
import { type Answer, type Conditions, Evaluation, OutOfBudget } from './evaluation.ts';
import type { Patience } from './patience.ts';

/** One rule's word on a write. */
export interface Decision {
  readonly denied: boolean;
  readonly message: string;
  /** Of the Status; Invalid where the rule says none. */
  readonly reason?: string | undefined;
  readonly error: CheckError;
  readonly seconds: number;
}

/** What a policy says of a write. */
export interface Verdict {
  /** In the order of the rules. */
  readonly decisions: readonly Decision[];
  /** Values for the audit by key; a message where there is none because of an error. */
  readonly annotations: readonly Annotation[];
}

/** One annotation for the audit, or why there is none. */
export type Annotation =
  | { readonly key: string; readonly value: string }
  | { readonly key: string; readonly failure: Decision };

/** Characters that a message of an expression may have; a longer one is not shown. */
export const MAX_MESSAGE_LENGTH = 5 * 1024;

const SILENCE: Verdict = { decisions: [], annotations: [] };

/** A policy to ask. */
export interface Asked {
  readonly spec: Partial<ValidatingAdmissionPolicySpec>;
  readonly compiled: ValidatingExpressions;
  readonly bindings: Bindings;
  /** What its match conditions came to. */
  readonly conditions: Conditions;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly patience: Patience;
}

/** Asks a policy. Never throws. */
export async function verdictOf(asked: Asked): Promise<Verdict> {
  const { spec, conditions } = asked;
  const denied = spec.failurePolicy !== 'Ignore';
  if (conditions.kind === 'unmatched') return SILENCE;
  // Under Ignore a condition that cannot be told counts as one that is not met.
  if (conditions.kind === 'error' && !denied) return SILENCE;
  if (conditions.kind === 'error') {
    const { message, sort: error } = conditions;
    return { decisions: [{ denied, message, error, seconds: 0 }], annotations: [] };
  }
  return new Asking(asked, denied).verdict();
}

class Asking {
  readonly #asked: Asked;
  /** Whether a rule that cannot be told denies. */
  readonly #strict: boolean;
  readonly #budget: CostBudget = costBudget();
  readonly #evaluation: Evaluation;

  constructor(asked: Asked, strict: boolean) {
    this.#asked = asked;
    this.#strict = strict;
    this.#evaluation = new Evaluation(asked.bindings, asked.compiled.variables, this.#budget);
  }

  async verdict(): Promise<Verdict> {
    const { compiled, patience } = this.#asked;
    const decisions: Decision[] = [];
    try {
      for (let i = 0; i < compiled.validations.length; i += 1) {
        if (patience.isOver) await patience.rest();
        decisions.push(this.#decide(i));
      }
      return { decisions, annotations: await this.#annotations() };
    } catch (error) {
      if (!(error instanceof OutOfBudget)) throw error;
      const why = { message: error.message, error: 'out_of_budget' as const, seconds: 0 };
      return { decisions: [{ denied: this.#strict, ...why }], annotations: [] };
    }
  }

  #decide(index: number): Decision {
    const { validations } = this.#asked.compiled;
    const rule = validations[index]?.rule.compiled;
    const said = this.#asked.spec.validations?.[index];
    if (rule === undefined || said === undefined) throw new Error('a rule was not compiled');
    const { answer, seconds } = this.#timed(rule);
    if (answer.kind === 'error')
      return { denied: this.#strict, message: answer.message, error: answer.sort, seconds };
    if (answer.value === true) return { denied: false, message: '', error: 'no_error', seconds };
    const message = this.#said(validations[index]?.message?.compiled) || ownMessage(said);
    return { denied: true, message, reason: said.reason, error: 'no_error', seconds };
  }

  #timed(expression: CompiledExpression): { answer: Answer; seconds: number } {
    const { clock } = this.#asked;
    const begun = clock.monotonic();
    const answer = this.#evaluation.answer(expression);
    return { answer, seconds: (clock.monotonic() - begun) / 1000 };
  }

  /** What a message's expression gives, if that can be shown. */
  #said(expression: CompiledExpression | undefined): string {
    if (expression === undefined) return '';
    const answer = this.#evaluation.answer(expression);
    if (answer.kind === 'error' || typeof answer.value !== 'string') return '';
    const text = answer.value.trim();
    return text.length > MAX_MESSAGE_LENGTH || text.includes('\n') ? '' : text;
  }

  async #annotations(): Promise<Annotation[]> {
    const { compiled, patience } = this.#asked;
    const found: Annotation[] = [];
    for (const { name, compiled: expression } of compiled.auditAnnotations) {
      if (patience.isOver) await patience.rest();
      const annotation = this.#annotation(name, expression);
      if (annotation) found.push(annotation);
    }
    return found;
  }

  #annotation(key: string, expression: CompiledExpression): Annotation | undefined {
    const { answer, seconds } = this.#timed(expression);
    if (answer.kind === 'error') {
      const { message, sort: error } = answer;
      return this.#strict ? { key, failure: { denied: true, message, error, seconds } } : undefined;
    }
    const value = typeof answer.value === 'string' ? answer.value.trim() : '';
    return value === '' ? undefined : { key, value };
  }
}

function ownMessage({ message = '', expression }: Validation): string {
  return message.trim() || `failed expression: ${expression.trim()}`;
}
