// What a disruption budget says of itself: whether pods may be evicted now, and if not, why.
// Pure; texts and reasons are those API clients know.
import type {
  Condition,
  PodDisruptionBudget,
  PodDisruptionBudgetStatus,
} from '../generated/types.ts';
import { findCondition, setCondition } from '../meta/conditions.ts';

/** The type of the condition. */
export const DISRUPTION_ALLOWED = 'DisruptionAllowed';

const SYNC_FAILED = 'SyncFailed';

/** The conditions of a budget that allows so many disruptions at that generation. */
export function withDisruptionAllowed(
  conditions: readonly Condition[] | undefined,
  { allowed, generation }: { allowed: number; generation: number },
  nowMs: number,
): Condition[] {
  const next: Condition = {
    type: DISRUPTION_ALLOWED,
    status: allowed > 0 ? 'True' : 'False',
    reason: allowed > 0 ? 'SufficientPods' : 'InsufficientPods',
    message: '',
    observedGeneration: generation,
    lastTransitionTime: '',
  };
  return setCondition(conditions, next, nowMs);
}

/** The conditions of a budget that could not be worked out. */
export function withSyncFailed(
  { conditions, observedGeneration = 0 }: PodDisruptionBudgetStatus,
  message: string,
  nowMs: number,
): Condition[] {
  const next: Condition = {
    type: DISRUPTION_ALLOWED,
    status: 'False',
    reason: SYNC_FAILED,
    message,
    observedGeneration,
    lastTransitionTime: '',
  };
  return setCondition(conditions, next, nowMs);
}

/** Why the budget lets no pod go now. */
export function refusalText({ metadata, status = {} }: PodDisruptionBudget): string {
  const { conditions, currentHealthy = 0, desiredHealthy = 0 } = status;
  const budget = `The disruption budget ${metadata.name ?? ''}`;
  const condition = findCondition(conditions, DISRUPTION_ALLOWED);
  const why = condition?.status === 'False' ? condition.message : '';
  if (why !== '' && condition?.reason === SYNC_FAILED) {
    return `${budget} does not allow evicting pods currently because it failed sync: ${why}`;
  }
  if (currentHealthy <= desiredHealthy) {
    return `${budget} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  }
  const reason = why === '' ? '' : ` (${condition?.reason ?? ''}): ${why}`;
  return `${budget} does not allow evicting pods currently${reason}`;
}
