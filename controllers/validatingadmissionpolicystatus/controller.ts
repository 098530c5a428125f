// Checks ValidatingAdmissionPolicies against the schemas of the kinds that they are about, and says in their status what their
// rules would not find there. Invariant: each generation of a policy is checked once; whatever is found, the policy holds as
// it did.
import { breathe } from '../../base/breathe.ts';
import {
  expressionWarnings,
  MAX_CHECKED_KINDS,
  namedResources,
  typeFaults,
} from '../../api/admissionregistration/type-warnings.ts';
import type { ExpressionWarning, ValidatingAdmissionPolicy } from '../../api/generated/types.ts';
import { ValidatingAdmissionPolicies } from '../../api/kinds.ts';
import { isNotFound } from '../../api/status.ts';
import { type ControllerFactory, done, source } from '../framework/reconciler.ts';
import { writeStatus } from '../framework/status-writer.ts';
import { KindTypes } from './kind-types.ts';

const isChecked = ({ metadata, status }: ValidatingAdmissionPolicy): boolean =>
  (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);

/** The controller. */
export const validatingAdmissionPolicyStatus: ControllerFactory = ({ client, informers }) => {
  const policies = informers.informer(ValidatingAdmissionPolicies);
  const resource = client.resource(ValidatingAdmissionPolicies);
  const types = new KindTypes(client);

  const warningsOf = async (
    { spec = {} }: ValidatingAdmissionPolicy,
    signal: AbortSignal,
  ): Promise<ExpressionWarning[]> => {
    const params = spec.paramKind && (await types.ofParam(spec.paramKind, signal));
    const faults: ReadonlyMap<string, string>[] = [];
    for (const named of namedResources(spec.matchConstraints ?? {})) {
      if (faults.length >= MAX_CHECKED_KINDS) break;
      const kind = await types.ofResource(named, signal);
      if (kind === undefined) continue;
      // A policy of a thousand expressions takes a while: others come in between.
      await breathe();
      faults.push(typeFaults(spec, kind, params));
    }
    return expressionWarnings(faults);
  };

  return {
    name: 'validatingadmissionpolicy-status',
    sources: [source<ValidatingAdmissionPolicy>({ ref: ValidatingAdmissionPolicies })],
    async reconcile(name, { signal }) {
      const policy = policies.get(name);
      if (!policy || isChecked(policy)) return done;
      const { generation = 0 } = policy.metadata;
      const found = await warningsOf(policy, signal);
      const typeChecking = found.length > 0 ? { expressionWarnings: found } : {};
      try {
        await writeStatus({ resource, signal }, policy, (current) =>
          // What was found is of the generation that was looked at; a newer one is looked at next.
          ({ ...current.status, observedGeneration: generation, typeChecking }),
        );
      } catch (error) {
        // It went meanwhile.
        if (!isNotFound(error)) throw error;
      }
      return done;
    },
  };
};
