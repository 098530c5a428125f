// MutatingAdmissionPolicies: changes that users wrote as expressions, one after the other, each seeing what those before it
// made; those that want to, once more when somebody after them changed the object (KEP-3962).
// Invariant: with no binding a write costs one look at a list; a mutation is made as a whole or not at all, and what it makes
// is read and defaulted as any body is. Changes are nobody's in managedFields.
import {
  type MutatingExpressions,
  mutatingExpressions,
} from '../../../api/admissionregistration/policy-expressions.ts';
import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
} from '../../../api/generated/types.ts';
import { MutatingAdmissionPolicies, MutatingAdmissionPolicyBindings } from '../../../api/kinds.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { isExempt } from '../matching.ts';
import { type Memory, MutatingPass } from './mutating-pass.ts';
import { PolicyIndex } from './policy-index.ts';
import type { PolicyParts } from './policy-parts.ts';

/** The plugin; it follows the store from now on. */
export function mutatingPolicies(parts: PolicyParts): AdmissionPlugin {
  const policies = new PolicyIndex<
    MutatingAdmissionPolicy,
    MutatingAdmissionPolicyBinding,
    MutatingExpressions
  >(
    {
      policies: MutatingAdmissionPolicies,
      bindings: MutatingAdmissionPolicyBindings,
      compile: ({ spec }) => mutatingExpressions(spec ?? {}),
    },
    parts,
  );
  const memories = new WeakMap<AdmissionRequest, Memory>();
  return {
    name: 'MutatingAdmissionPolicy',
    mutate(request, round) {
      const { hooks } = policies;
      if (hooks.length === 0 || isExempt(request)) return undefined;
      const memory = memories.get(request) ?? { waiting: new Set(), again: new Set(), left: '' };
      memories.set(request, memory);
      return new MutatingPass(parts, { request, round, memory }).run(hooks);
    },
  };
}
