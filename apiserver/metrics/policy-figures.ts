// What admission policies count, under upstream's names and labels: checks of single expressions, and how long they took.
// Invariant: a figure is looked up only where a policy was asked; how many there are is bounded as every family is.
import type { Count, Family, Figures, Spread } from '../../base/figures.ts';

/** Upper bounds of durations, seconds; upstream's. */
const SECONDS = [0.0000005, 0.001, 0.01, 0.1, 1];

/** Why an expression gave nothing, if it did not. */
export type CheckError = 'compile_error' | 'invalid_error' | 'no_error' | 'out_of_budget';
/** What came of a rule. */
export type CheckAction = 'allow' | 'audit' | 'deny' | 'warn';

/** One asking of one expression. */
export interface PolicyCheck {
  readonly policy: string;
  readonly binding: string;
  readonly error: CheckError;
  readonly seconds: number;
}

interface Families {
  readonly checks: Family<Count>;
  readonly durations: Family<Spread>;
}

/** Counts checks. */
export class PolicyFigures {
  readonly #validating: Families;
  readonly #mutating: Families;

  constructor(figures: Figures) {
    const labels = ['policy', 'policy_binding', 'error_type'];
    this.#validating = familiesOf(figures, 'validating', [...labels, 'enforcement_action']);
    this.#mutating = familiesOf(figures, 'mutating', labels);
  }

  /** A rule of a ValidatingAdmissionPolicy denied, warned or was noted, or failed and was let pass. */
  validated(check: PolicyCheck, action: CheckAction): void {
    observe(this.#validating, check, [action]);
  }

  /** A mutation of a MutatingAdmissionPolicy was made, or failed. */
  mutated(check: PolicyCheck): void {
    observe(this.#mutating, check, []);
  }
}

function observe(
  { checks, durations }: Families,
  { policy, binding, error, seconds }: PolicyCheck,
  more: readonly string[],
): void {
  checks.of(policy, binding, error, ...more).add();
  durations.of(policy, binding, error, ...more).observe(seconds);
}

function familiesOf(figures: Figures, sort: string, labels: readonly string[]): Families {
  const prefix = `apiserver_${sort}_admission_policy_check`;
  return {
    checks: figures.counter({
      name: `${prefix}_total`,
      help: 'Expressions of policies that were asked, by what came of it.',
      labels,
    }),
    durations: figures.histogram({
      name: `${prefix}_duration_seconds`,
      help: 'How long single expressions of policies took.',
      labels,
      buckets: SECONDS,
    }),
  };
}
