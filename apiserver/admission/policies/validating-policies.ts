// ValidatingAdmissionPolicies: rules that users wrote as expressions, for writes that their bindings are about.
// Invariant: with no binding a write costs one look at a list; nothing of the write is changed; a policy that cannot be
// asked denies, unless it says Ignore.
import {
  type ValidatingExpressions,
  validatingExpressions,
} from '../../../api/admissionregistration/policy-expressions.ts';
import { DYN } from '../../../api/cel/cel-type.ts';
import { celValue } from '../../../api/cel/json-values.ts';
import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '../../../api/generated/types.ts';
import {
  ValidatingAdmissionPolicies,
  ValidatingAdmissionPolicyBindings,
} from '../../../api/kinds.ts';
import type { LooseObject } from '../../../api/meta/object.ts';
import { StatusError } from '../../../api/status.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { admittedObjects } from '../admitted-object.ts';
import { authorizerOf, type Bindings, bindingsOf, namespaceOf } from '../expression-values.ts';
import { isExempt } from '../matching.ts';
import { Denials } from './denials.ts';
import { ConfigurationError, paramsOf } from './params.ts';
import { type Bound, type Hook, PolicyIndex } from './policy-index.ts';
import type { PolicyParts } from './policy-parts.ts';
import { type Verdict, verdictOf } from './validating-decisions.ts';

type Policies = PolicyIndex<
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingExpressions
>;
type PolicyHook = Hook<
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingExpressions
>;
type PolicyBound = Bound<ValidatingAdmissionPolicyBinding>;

/** The plugin; it follows the store from now on. */
export function validatingPolicies(parts: PolicyParts): AdmissionPlugin {
  const policies: Policies = new PolicyIndex(
    {
      policies: ValidatingAdmissionPolicies,
      bindings: ValidatingAdmissionPolicyBindings,
      compile: ({ spec }) => validatingExpressions(spec ?? {}),
    },
    parts,
  );
  return {
    name: 'ValidatingAdmissionPolicy',
    validate(request) {
      const { hooks } = policies;
      if (hooks.length === 0 || isExempt(request)) return undefined;
      return new Asking(request, parts).all(hooks);
    },
  };
}

/** One write, asked of every policy. */
class Asking {
  readonly #request: AdmissionRequest;
  readonly #parts: PolicyParts;
  readonly #denials: Denials;

  constructor(request: AdmissionRequest, parts: PolicyParts) {
    this.#request = request;
    this.#parts = parts;
    this.#denials = new Denials(request, parts.figures);
  }

  /** Throws the Status of the first denial. */
  async all(hooks: readonly PolicyHook[]): Promise<void> {
    for (const hook of hooks) {
      await this.#configured(hook, undefined, () => this.#policy(hook));
      this.#denials.annotate(hook.of.name);
    }
    this.#denials.end();
  }

  async #policy(hook: PolicyHook): Promise<void> {
    const as = hook.of.matches(this.#request);
    if (as === undefined) return;
    const params = hook.of.params();
    for (const bound of hook.bindings) {
      await this.#configured(hook, bound, async () => {
        if (!bound.matches(this.#request)) return;
        const { paramRef: ref } = bound.binding.spec ?? {};
        const query = { ref, namespace: this.#request.namespace };
        const found = await paramsOf(params, query, this.#parts.store);
        if (found.length === 0) return;
        const objects = await admittedObjects(this.#request, as);
        const namespace = namespaceOf(this.#request, this.#parts.store);
        const base = {
          ...bindingsOf(this.#request, { as, objects, namespace }),
          authorizer: authorizerOf(this.#request, this.#parts.decide),
        };
        for (const param of found)
          this.#denials.take({ policy: hook.of, bound }, this.#ask(hook, base, param));
      });
    }
  }

  #ask({ of }: PolicyHook, base: Bindings, param: LooseObject | undefined): Verdict {
    return verdictOf({
      spec: of.policy.spec ?? {},
      compiled: of.compiled,
      bindings: { ...base, params: celValue(param ?? null, DYN) },
      clock: this.#parts.clock,
    });
  }

  /** What is said wrongly denies too, unless the policy ignores failures. */
  async #configured(
    hook: PolicyHook,
    bound: PolicyBound | undefined,
    work: () => Promise<void>,
  ): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ConfigurationError) && !(error instanceof StatusError)) throw error;
      this.#denials.misconfigured({ policy: hook.of, ...(bound && { bound }) }, error.message);
    }
  }
}
