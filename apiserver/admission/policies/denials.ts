// What validating policies made of one write: warnings, audit annotations, figures, and at last the first denial's Status.
// Invariant: every policy is heard, so that warnings and annotations are whole; the Status is that of the first denial.
import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '../../../api/generated/types.ts';
import { type StatusReason, StatusError, forbidden } from '../../../api/status.ts';
import type { CheckAction, PolicyFigures } from '../../metrics/policy-figures.ts';
import { type AdmissionRequest, toldName } from '../admission.ts';
import type { Bound, Prepared } from './policy-index.ts';
import type { Decision, Verdict } from './validating-decisions.ts';

/** Who speaks. */
export interface Speaker {
  readonly policy: Prepared<ValidatingAdmissionPolicy, unknown>;
  readonly bound: Bound<ValidatingAdmissionPolicyBinding>;
}

/** A policy that has something wrong with it may have no binding to blame. */
type MaybeBound = Pick<Speaker, 'policy'> & Partial<Speaker>;

/** Characters of one audit annotation; the rest is cut off. */
export const MAX_ANNOTATION_LENGTH = 10 * 1024;

/** Failures of one write that are noted for the audit; the rest is not. */
export const MAX_NOTED_FAILURES = 100;

/** Under which key what bindings only audit is noted. */
const FAILURES = 'validation.policy.admission.k8s.io/validation_failure';

interface Denial {
  readonly message: string;
  readonly reason: StatusReason;
}

/** Gathers what policies say. */
export class Denials {
  readonly #request: AdmissionRequest;
  readonly #figures: PolicyFigures;
  readonly #failures: object[] = [];
  #annotations = new Map<string, string[]>();
  #first: Denial | undefined;

  constructor(request: AdmissionRequest, figures: PolicyFigures) {
    this.#request = request;
    this.#figures = figures;
  }

  /** What a policy says under a binding, with one parameter. */
  take(speaker: Speaker, { decisions, annotations }: Verdict): void {
    decisions.forEach((decision, index) => {
      if (decision.denied) this.#act(speaker, decision, index);
      else if (decision.error !== 'no_error') this.#counted(speaker, decision, 'allow');
    });
    for (const annotation of annotations) {
      if ('failure' in annotation) this.#deny(speaker, annotation.failure);
      else this.#note(annotation.key, annotation.value);
    }
  }

  /** A policy, or its binding, that says what cannot be. */
  misconfigured(speaker: MaybeBound, why: string): void {
    if (speaker.policy.policy.spec?.failurePolicy === 'Ignore') return;
    const message = `failed to configure ${speaker.bound ? 'binding' : 'policy'}: ${why}`;
    this.#first ??= { message: told(speaker, message), reason: 'Invalid' };
  }

  /** Notes what the policy had to say to the audit, under its name. */
  annotate(policy: string): void {
    if (this.#annotations.size === 0) return;
    for (const [key, values] of this.#annotations)
      this.#request.annotate(`${policy}/${key}`, values.join(', '));
    this.#annotations = new Map();
  }

  /** Throws the Status of the first denial. */
  end(): void {
    if (this.#failures.length > 0) this.#request.annotate(FAILURES, JSON.stringify(this.#failures));
    if (this.#first === undefined) return;
    const { message, reason } = this.#first;
    const refused = forbidden(
      this.#request.definition.ref,
      toldName(this.#request) || 'Unknown',
      message,
    );
    throw new StatusError(reason, refused.message, {
      details: { ...refused.details, causes: [{ message }] },
    });
  }

  #act(speaker: Speaker, decision: Decision, index: number): void {
    const { policy, bound } = speaker;
    const validationActions = bound.binding.spec?.validationActions ?? [];
    for (const action of validationActions) {
      if (action === 'Deny') this.#deny(speaker, decision);
      else if (action === 'Warn') {
        const where = `ValidatingAdmissionPolicy '${policy.name}' with binding '${bound.name}'`;
        this.#request.warnings.push(`Validation failed for ${where}: ${decision.message}`);
        this.#counted(speaker, decision, 'warn');
      } else if (action === 'Audit') {
        this.#noteFailure(speaker, decision, index);
        this.#counted(speaker, decision, 'audit');
      }
    }
  }

  #noteFailure({ policy, bound }: Speaker, { message }: Decision, expressionIndex: number): void {
    if (this.#failures.length >= MAX_NOTED_FAILURES) return;
    const validationActions = bound.binding.spec?.validationActions ?? [];
    const of = { policy: policy.name, binding: bound.name };
    this.#failures.push({ message, ...of, expressionIndex, validationActions });
  }

  #deny(speaker: Speaker, decision: Decision): void {
    const reason = (decision.reason ?? 'Invalid') as StatusReason;
    this.#first ??= { message: told(speaker, decision.message), reason };
    this.#counted(speaker, decision, 'deny');
  }

  #note(key: string, value: string): void {
    const values = this.#annotations.get(key) ?? [];
    const cut = value.slice(0, MAX_ANNOTATION_LENGTH);
    if (!values.includes(cut)) values.push(cut);
    this.#annotations.set(key, values);
  }

  #counted({ policy, bound }: Speaker, decision: Decision, action: CheckAction): void {
    const { error, seconds } = decision;
    const check = { policy: policy.name, binding: bound.name, error, seconds };
    this.#figures.validated(check, action);
  }
}

function told({ policy, bound }: MaybeBound, why: string): string {
  const binding = bound ? ` with binding '${bound.name}'` : '';
  return `ValidatingAdmissionPolicy '${policy.name}'${binding} denied request: ${why}`;
}
