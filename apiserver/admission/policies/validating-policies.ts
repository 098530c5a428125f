// ValidatingAdmissionPolicies: rules that users wrote as expressions, for writes that their bindings are about.
// Invariant: with no binding a write costs one look at a list; nothing of the write is changed; a policy that cannot be
// asked denies, unless it says Ignore.
import {
  type ValidatingExpressions,
  validatingExpressions,
} from '../../../api/admissionregistration/policy-expressions.ts';
import { DYN } from '../../../api/cel/cel-type.ts';
import { celValue } from '../../../api/cel/json-values.ts';
import type { ResourceDefinition } from '../../../api/definition.ts';
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
import { isExempt, requestNamespace } from '../matching.ts';
import { Denials, type Speaker } from './denials.ts';
import { ConfigurationError, paramsOf } from './params.ts';
import { Patience } from './patience.ts';
import { type Hook, PolicyIndex } from './policy-index.ts';
import { policyConditions } from './policy-conditions.ts';
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
/** A policy under a binding, with its expressions. */
type AskedSpeaker = Speaker & { readonly policy: PolicyHook['of'] };

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
  readonly #shown = new Map<ResourceDefinition, Promise<Bindings>>();
  readonly #patience: Patience;

  constructor(request: AdmissionRequest, parts: PolicyParts) {
    this.#request = request;
    this.#parts = parts;
    this.#denials = new Denials(request, parts.figures);
    this.#patience = new Patience(parts.clock);
  }

  /** Throws the Status of the first denial. Nothing to wait for where no policy is about the write. */
  all(hooks: readonly PolicyHook[]): Promise<void> | undefined {
    const matched = hooks.flatMap((hook) => {
      const as = this.#matched(hook);
      return as ? [{ hook, as }] : [];
    });
    if (matched.length > 0) return this.#askAll(matched);
    this.#denials.end();
    return undefined;
  }

  #matched(hook: PolicyHook): ResourceDefinition | undefined {
    try {
      return hook.of.matches(this.#request);
    } catch (error) {
      this.#misconfigured({ policy: hook.of }, error);
      return undefined;
    }
  }

  async #askAll(
    matched: readonly { readonly hook: PolicyHook; readonly as: ResourceDefinition }[],
  ): Promise<void> {
    for (const { hook, as } of matched) {
      await this.#policy(hook, as);
      this.#denials.annotate(hook.of.name);
    }
    this.#denials.end();
  }

  async #policy({ of, bindings }: PolicyHook, as: ResourceDefinition): Promise<void> {
    const params = this.#params(of);
    if (params === 'unknown') return;
    for (const bound of bindings) {
      try {
        if (bound.matches(this.#request)) await this.#binding({ policy: of, bound }, as, params);
      } catch (error) {
        this.#misconfigured({ policy: of, bound }, error);
      }
    }
  }

  #params(policy: Speaker['policy']): ResourceDefinition | 'unknown' | undefined {
    try {
      return policy.params();
    } catch (error) {
      this.#misconfigured({ policy }, error);
      return 'unknown';
    }
  }

  async #binding(
    speaker: AskedSpeaker,
    as: ResourceDefinition,
    params: ResourceDefinition | undefined,
  ): Promise<void> {
    const { paramRef: ref } = speaker.bound.binding.spec ?? {};
    const query = { ref, namespace: requestNamespace(this.#request) };
    const found = await paramsOf(params, query, this.#parts.store);
    if (found.length === 0) return;
    const base = await this.#bindings(as);
    for (const param of found)
      this.#denials.take(speaker, await this.#ask(speaker.policy, base, param));
  }

  /** The write does not change meanwhile, so that all policies look at the same values. */
  #bindings(as: ResourceDefinition): Promise<Bindings> {
    let shown = this.#shown.get(as);
    if (!shown) this.#shown.set(as, (shown = this.#show(as)));
    return shown;
  }

  async #show(as: ResourceDefinition): Promise<Bindings> {
    const { store, decide } = this.#parts;
    const objects = await admittedObjects(this.#request, as);
    const namespace = namespaceOf(this.#request, store);
    return {
      ...bindingsOf(this.#request, { as, objects, namespace }),
      authorizer: authorizerOf(this.#request, decide),
    };
  }

  #ask(
    { policy, name, compiled }: AskedSpeaker['policy'],
    base: Bindings,
    param: LooseObject | undefined,
  ): Promise<Verdict> {
    const { operation } = this.#request;
    const bindings = { ...base, params: celValue(param ?? null, DYN) };
    const about = { name, kind: 'policy', type: 'validate', operation } as const;
    const conditions = policyConditions(compiled.matchConditions, { bindings, about }, this.#parts);
    const { clock } = this.#parts;
    const spec = policy.spec ?? {};
    return verdictOf({ spec, compiled, bindings, conditions, clock, patience: this.#patience });
  }

  /** What is said wrongly denies too, unless the policy ignores failures. */
  #misconfigured(speaker: Pick<Speaker, 'policy'> & Partial<Speaker>, error: unknown): void {
    if (!(error instanceof ConfigurationError) && !(error instanceof StatusError)) throw error;
    this.#denials.misconfigured(speaker, error.message);
  }
}
