// Match conditions of webhooks: expressions that say which of the matched requests a webhook is asked about (KEP-3716).
// Invariant: one that is false settles it; one that cannot be told keeps the webhook out, or the request, by the failure policy.
import type { Decide } from '../../../api/admissionregistration/authorizer-library.ts';
import type { ResourceDefinition } from '../../../api/definition.ts';
import { forbidden } from '../../../api/status.ts';
import type { Clock } from '../../../base/clock.ts';
import type { AdmissionFigures, WebhookType } from '../../metrics/admission-figures.ts';
import { type AdmissionRequest, toldName } from '../admission.ts';
import type { AdmittedObjects } from '../admitted-object.ts';
import { authorizerOf, bindingsOf } from '../expression-values.ts';
import { askConditions } from '../policies/evaluation.ts';
import type { Hook } from './webhook-index.ts';

/** What conditions are asked with. */
export interface ConditionParts {
  readonly decide: Decide;
  readonly clock: Clock;
  readonly figures: AdmissionFigures;
}

/** A webhook that is about a request by its rules and selectors. */
export interface Matched {
  readonly hook: Hook;
  readonly request: AdmissionRequest;
  readonly shown: ResourceDefinition;
  readonly objects: AdmittedObjects;
}

/** Is the webhook to be asked? Throws Forbidden where that cannot be told and the webhook does not ignore failures. */
export function meetsConditions(
  { hook, request, shown, objects }: Matched,
  { decide, clock, figures }: ConditionParts,
  type: WebhookType,
): boolean {
  const { conditions, name, failsOpen } = hook;
  if (conditions.length === 0) return true;
  const about = { name, type, operation: request.operation };
  const startedAt = clock.monotonic();
  const outcome = askConditions(conditions, {
    ...bindingsOf(request, { as: shown, objects, namespace: undefined }),
    authorizer: authorizerOf(request, decide),
  });
  figures.conditionsAsked(about, clock.monotonic() - startedAt);
  if (outcome.kind === 'error') {
    figures.conditionFailed(about);
    if (failsOpen) return false;
    throw forbidden(request.definition.ref, toldName(request), outcome.message);
  }
  const meets = outcome.kind === 'matched';
  if (!meets) figures.excluded(about);
  return meets;
}
