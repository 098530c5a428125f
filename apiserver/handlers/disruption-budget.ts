// How an eviction asks the pod's disruption budget: whether there is room, and taking one place of it.
// Invariant: a place is taken by compare-and-set, so that two evictions never share one.
import type { Pod, PodDisruptionBudget } from '../../api/generated/types.ts';
import { PodDisruptionBudgets } from '../../api/kinds.ts';
import { isConditionTrue } from '../../api/meta/conditions.ts';
import { fromLabelSelector } from '../../api/meta/labels.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { formatTime } from '../../api/meta/time.ts';
import { validateLabelSelector } from '../../api/meta/validate-labels.ts';
import { podDisruptionBudgetDefinition } from '../../api/policy/pod-disruption-budget.ts';
import { refusalText, withDisruptionAllowed } from '../../api/policy/disruption-allowed.ts';
import { forbidden, StatusError } from '../../api/status.ts';
import type { ResourceDefinition } from '../../api/definition.ts';
import type { ServerParts } from '../exchange.ts';
import { collectionPrefix } from '../registry/keys.ts';

/** Evictions that the controller has not seen through yet, at most. */
export const MAX_DISRUPTED_PODS = 2000;
/** How long a client should wait for a budget that has not been looked at yet. */
const RETRY_AFTER_SECONDS = 10;
const VIOLATED = "Cannot evict pod as it would violate the pod's disruption budget.";
/** Phases in which a pod serves nobody. */
const IDLE = new Set(['Succeeded', 'Failed', 'Pending']);

/** Throws TooManyRequests unless the pod may go; takes a place of its budget where it has one. */
export async function takePlace(
  server: ServerParts,
  pod: Pod,
  options: { readonly dryRun: boolean },
): Promise<void> {
  const { deletionTimestamp, namespace = '' } = pod.metadata;
  if (deletionTimestamp !== undefined || IDLE.has(pod.status?.phase ?? '')) return;
  const [budget, ...others] = budgetsOf(server, pod);
  if (budget === undefined) return;
  if (others.length > 0) {
    const why =
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
    throw new StatusError('InternalError', why);
  }
  if (!isConditionTrue(pod.status?.conditions, 'Ready') && unreadyMayGo(budget)) return;
  const definition = podDisruptionBudgetDefinition as unknown as ResourceDefinition;
  await server.registry.updateInTurn(
    { definition, namespace, name: budget.metadata.name ?? '' },
    (old) => ({ kind: 'put', object: withoutPlace(old, pod, server.clock.now()) }),
    options,
  );
}

function budgetsOf({ store }: ServerParts, { metadata }: Pod): PodDisruptionBudget[] {
  return store
    .list(collectionPrefix(PodDisruptionBudgets, metadata.namespace))
    .items.map((item) => item.object() as unknown as PodDisruptionBudget)
    .filter(({ spec }) => {
      const sound = validateLabelSelector(spec?.selector, '').length === 0;
      return sound && fromLabelSelector(spec?.selector).matches(metadata.labels);
    });
}

/** A pod that does not serve costs nothing, where the budget says so or the others suffice. */
function unreadyMayGo({ spec, status = {} }: PodDisruptionBudget): boolean {
  if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status;
  return desiredHealthy > 0 && currentHealthy >= desiredHealthy;
}

/** The budget with one place less. Throws where there is none. */
function withoutPlace(old: LooseObject, pod: Pod, nowMs: number): LooseObject {
  const budget = old as unknown as PodDisruptionBudget;
  const { metadata, status = {} } = budget;
  const { disruptionsAllowed = 0, disruptedPods = {}, observedGeneration = 0 } = status;
  const { name = '' } = metadata;
  if (observedGeneration < (metadata.generation ?? 0)) {
    const why = `The disruption budget ${name} is still being processed by the server.`;
    throw refusal(why, { retryAfterSeconds: RETRY_AFTER_SECONDS });
  }
  const resource = { group: 'policy', plural: 'poddisruptionbudget' };
  if (disruptionsAllowed < 0) {
    throw forbidden(resource, name, 'pdb disruptions allowed is negative');
  }
  if (Object.keys(disruptedPods).length > MAX_DISRUPTED_PODS) {
    const why = 'DisruptedPods map too big - too many evictions not confirmed by PDB controller';
    throw forbidden(resource, name, why);
  }
  if (disruptionsAllowed === 0) throw refusal(refusalText(budget));
  const allowed = disruptionsAllowed - 1;
  const place = { allowed, generation: observedGeneration };
  return {
    ...old,
    status: {
      ...status,
      disruptionsAllowed: allowed,
      disruptedPods: { ...disruptedPods, [pod.metadata.name ?? '']: formatTime(nowMs) },
      ...(allowed > 0
        ? {}
        : { conditions: withDisruptionAllowed(status.conditions, place, nowMs) }),
    },
  };
}

function refusal(message: string, details: { retryAfterSeconds?: number } = {}): StatusError {
  const causes = [{ reason: 'DisruptionBudget', message }];
  return new StatusError('TooManyRequests', VIOLATED, { details: { ...details, causes } });
}
