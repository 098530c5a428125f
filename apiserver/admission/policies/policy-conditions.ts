// Match conditions of policies, asked and counted.
// Invariant: as upstream, they know neither variables nor the namespace.
import type { NamedExpression } from '../../../api/admissionregistration/policy-expressions.ts';
import type { ConditionsAsked } from '../../metrics/admission-figures.ts';
import type { Bindings } from '../expression-values.ts';
import { askConditions, type Conditions } from './evaluation.ts';
import type { PolicyParts } from './policy-parts.ts';

/** Asks the conditions of a policy. */
export function policyConditions(
  conditions: readonly NamedExpression[],
  { bindings, about }: { readonly bindings: Bindings; readonly about: ConditionsAsked },
  { clock, conditionFigures }: Pick<PolicyParts, 'clock' | 'conditionFigures'>,
): Conditions {
  if (conditions.length === 0) return { kind: 'matched' };
  const begun = clock.monotonic();
  const outcome = askConditions(conditions, { ...bindings, namespaceObject: null });
  conditionFigures.conditionsAsked(about, clock.monotonic() - begun);
  if (outcome.kind === 'error') conditionFigures.conditionFailed(about);
  if (outcome.kind === 'unmatched') conditionFigures.excluded(about);
  return outcome;
}
