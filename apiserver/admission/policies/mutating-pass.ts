// One pass of MutatingAdmissionPolicies over a write.
// Invariant: which policies are about the write, and with which parameters, is settled before the first one changes it.
import type { MutatingExpressions } from '../../../api/admissionregistration/policy-expressions.ts';
import { CostExceeded } from '../../../api/cel/cel-error.ts';
import { DYN } from '../../../api/cel/cel-type.ts';
import { celValue } from '../../../api/cel/json-values.ts';
import type { ResourceDefinition } from '../../../api/definition.ts';
import { type MergeType, mergeTypeOf } from '../../../api/fieldset/merge-type.ts';
import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
} from '../../../api/generated/types.ts';
import { deepEqual } from '../../../api/meta/deep-equal.ts';
import type { LooseObject } from '../../../api/meta/object.ts';
import { mergeTypeOfKind } from '../../../api/object-type.ts';
import { schemaNameOf } from '../../../api/schema/endpoints.ts';
import { forbidden, StatusError } from '../../../api/status.ts';
import type { CheckError } from '../../metrics/policy-figures.ts';
import { type AdmissionRequest, type AdmissionRound, toldName } from '../admission.ts';
import { admittedObjects, takeBack } from '../admitted-object.ts';
import { authorizerOf, type Bindings, bindingsOf, namespaceOf } from '../expression-values.ts';
import { kindOfRequest, requestNamespace } from '../matching.ts';
import { Evaluation, OutOfBudget } from './evaluation.ts';
import { appliedTo, MutationError, patched } from './mutation.ts';
import { ConfigurationError, paramsOf } from './params.ts';
import { Patience } from './patience.ts';
import type { Bound, Hook, Prepared } from './policy-index.ts';
import { policyConditions } from './policy-conditions.ts';
import type { PolicyParts } from './policy-parts.ts';

type Policy = Prepared<MutatingAdmissionPolicy, MutatingExpressions>;
type Binding = Bound<MutatingAdmissionPolicyBinding>;
type PolicyHook = Hook<
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingExpressions
>;

/** What of the first pass the second one has to know. */
export interface Memory {
  /** Asked so far, and to be asked again if somebody changes the object after them. */
  readonly waiting: Set<string>;
  /** To be asked again. */
  readonly again: Set<string>;
  /** The object after the pass. */
  left: string;
}

/** A write on one of its passes. */
export interface Passing {
  readonly request: AdmissionRequest;
  readonly round: AdmissionRound;
  readonly memory: Memory;
}

/** A policy to be asked, with one parameter. */
interface Invocation {
  readonly policy: Policy;
  readonly bound: Binding;
  readonly as: ResourceDefinition;
  readonly param: LooseObject | undefined;
}

/** A policy that could not be asked; evaluations are Invalid, what is said wrongly has no reason of its own. */
interface Failure {
  readonly message: string;
  readonly reason: 'Forbidden' | 'Invalid';
}

/** One pass. */
export class MutatingPass {
  readonly #parts: PolicyParts;
  readonly #passing: Passing;
  readonly #failures: Failure[] = [];
  readonly #patience: Patience;

  constructor(parts: PolicyParts, passing: Passing) {
    this.#parts = parts;
    this.#passing = passing;
    this.#patience = new Patience(parts.clock);
  }

  /** Throws Forbidden or Invalid, code 403, naming every policy that failed. */
  async run(hooks: readonly PolicyHook[]): Promise<void> {
    const { request, round, memory } = this.#passing;
    // Plugins of the house changed it between the passes.
    if (round.again && memory.left !== JSON.stringify(request.object)) this.#recall();
    if (round.again && memory.again.size === 0) return;
    for (const invocation of await this.#invocations(hooks)) {
      const key = keyOf(invocation);
      if (round.again && !memory.again.has(key)) continue;
      if (await this.#changes(invocation)) {
        this.#recall();
        round.changed();
      }
      if (invocation.policy.policy.spec?.reinvocationPolicy === 'IfNeeded') memory.waiting.add(key);
    }
    if (!round.again && memory.waiting.size > 0) memory.left = JSON.stringify(request.object);
    this.#end();
  }

  #recall(): void {
    const { waiting, again } = this.#passing.memory;
    for (const key of waiting) again.add(key);
    waiting.clear();
  }

  async #invocations(hooks: readonly PolicyHook[]): Promise<readonly Invocation[]> {
    const found: Invocation[] = [];
    for (const { of: policy, bindings } of hooks) {
      const as = this.#tried({ policy }, () => policy.matches(this.#passing.request));
      if (as === undefined) continue;
      const definition = this.#tried({ policy }, () => ({ of: policy.params() }));
      for (const bound of definition ? bindings : []) {
        const params = await this.#params({ policy, bound }, definition?.of);
        found.push(...params.map((param) => ({ policy, bound, as, param })));
      }
    }
    return found;
  }

  /** Those of a binding that is about the write. */
  async #params(
    about: { policy: Policy; bound: Binding },
    definition: ResourceDefinition | undefined,
  ): Promise<readonly (LooseObject | undefined)[]> {
    const { request } = this.#passing;
    const { bound } = about;
    try {
      if (!bound.matches(request)) return [];
      const query = { ref: bound.binding.spec?.paramRef, namespace: requestNamespace(request) };
      return await paramsOf(definition, query, this.#parts.store);
    } catch (error) {
      this.#misconfigured(about, error);
      return [];
    }
  }

  #tried<T>(about: { policy: Policy }, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.#misconfigured(about, error);
      return undefined;
    }
  }

  #misconfigured(about: { policy: Policy; bound?: Binding }, error: unknown): void {
    if (!(error instanceof ConfigurationError) && !(error instanceof StatusError)) throw error;
    const message = `failed to configure ${about.bound ? 'binding' : 'policy'}: ${error.message}`;
    this.#fail(about, { message, reason: 'Forbidden' });
  }

  /** Whether the policy changed the object. */
  async #changes(invocation: Invocation): Promise<boolean> {
    const { compiled, name } = invocation.policy;
    const { operation } = this.#passing.request;
    const about = { name, kind: 'policy', type: 'admit', operation } as const;
    const bindings = await this.#bindings(invocation);
    const conditions = policyConditions(compiled.matchConditions, { bindings, about }, this.#parts);
    if (conditions.kind === 'error')
      this.#fail(invocation, { message: conditions.message, reason: 'Invalid' });
    if (conditions.kind !== 'matched') return false;
    let changed = false;
    for (const mutation of compiled.mutations) {
      if (this.#patience.isOver) await this.#patience.rest();
      if (await this.#mutate(invocation, mutation)) changed = true;
    }
    return changed;
  }

  /** As the object is now. */
  async #bindings({ as, param }: Invocation): Promise<Bindings> {
    const { request } = this.#passing;
    const objects = await admittedObjects(request, as);
    const namespace = namespaceOf(request, this.#parts.store);
    return {
      ...bindingsOf(request, { as, objects, namespace }),
      params: celValue(param ?? null, DYN),
      authorizer: authorizerOf(request, this.#parts.decide),
    };
  }

  async #mutate(
    invocation: Invocation,
    mutation: MutatingExpressions['mutations'][number],
  ): Promise<boolean> {
    const { request } = this.#passing;
    const { object } = await admittedObjects(request, invocation.as);
    if (object === undefined) return false;
    const begun = this.#parts.clock.monotonic();
    const outcome = this.#outcome(invocation, {
      object,
      mutation,
      bindings: await this.#bindings(invocation),
    });
    const seconds = (this.#parts.clock.monotonic() - begun) / 1000;
    const { policy, bound } = invocation;
    const error = 'error' in outcome ? outcome.error : 'no_error';
    this.#parts.figures.mutated({ policy: policy.name, binding: bound.name, error, seconds });
    if ('error' in outcome) {
      this.#fail(invocation, { message: outcome.message, reason: 'Invalid' });
      return false;
    }
    if (deepEqual(outcome.object, object)) return false;
    return this.#taken(invocation, outcome.object);
  }

  async #taken(invocation: Invocation, object: LooseObject): Promise<boolean> {
    try {
      await takeBack(this.#passing.request, { shown: invocation.as, reading: 'strictly' }, object);
      return true;
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      this.#fail(invocation, { message: error.message, reason: 'Invalid' });
      return false;
    }
  }

  #outcome(
    { policy, as }: Invocation,
    { object, mutation, bindings }: Mutating,
  ): { readonly object: LooseObject } | { readonly error: CheckError; readonly message: string } {
    const evaluation = new Evaluation(bindings, policy.compiled.variables);
    try {
      const answer = evaluation.answer(mutation.compiled);
      if (answer.kind === 'error') return { error: answer.sort, message: answer.message };
      const change = mutation.patchType === 'JSONPatch' ? patched : appliedTo;
      const type = mergeTypeIn(this.#passing.request, as);
      return { object: change({ object, type, meter: evaluation.meter() }, answer.value) };
    } catch (error) {
      if (error instanceof OutOfBudget || error instanceof CostExceeded)
        return { error: 'out_of_budget', message: error.message };
      if (error instanceof MutationError) return { error: 'invalid_error', message: error.message };
      throw error;
    }
  }

  #fail({ policy, bound }: { policy: Policy; bound?: Binding }, failure: Failure): void {
    if (policy.policy.spec?.failurePolicy === 'Ignore') return;
    const where = bound
      ? `policy '${policy.name}' with binding '${bound.name}'`
      : `policy "${policy.name}"`;
    this.#failures.push({ ...failure, message: `${where} denied request: ${failure.message}` });
  }

  #end(): void {
    const [first] = this.#failures;
    if (first === undefined) return;
    const { request } = this.#passing;
    const { details } = forbidden(request.definition.ref, toldName(request) || 'Unknown', '');
    const causes = this.#failures.map(({ message }) => ({ message }));
    throw new StatusError(first.reason, first.message, {
      code: 403,
      details: { ...details, causes },
    });
  }
}

interface Mutating {
  readonly object: LooseObject;
  readonly mutation: MutatingExpressions['mutations'][number];
  readonly bindings: Bindings;
}

function keyOf({ policy, bound, param }: Invocation): string {
  const { namespace = '', name = '' } = param?.metadata ?? {};
  return JSON.stringify([policy.name, bound.name, namespace, name]);
}

/** The type of what is shown of a request: the kind's own, or that of what is sent to its subresource. */
function mergeTypeIn(
  { subresource }: AdmissionRequest,
  as: ResourceDefinition,
): MergeType | undefined {
  const kind = kindOfRequest(as, subresource);
  if (kind === undefined || kind.kind === as.ref.kind) return mergeTypeOfKind(as);
  const schema = schemaNameOf(kind);
  return schema === undefined ? undefined : mergeTypeOf(schema);
}
