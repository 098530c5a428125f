// The figures of a Deployment's status and whether it has enough available pods. Pure.
// Progress and its deadline are told in progress.ts.
import type {
  Deployment,
  DeploymentCondition,
  DeploymentStatus,
  ReplicaSet,
} from '../../api/generated/types.ts';
import { formatTime } from '../../api/meta/time.ts';
import { findCondition } from '../framework/conditions.ts';
import { desired, fencesOf } from './plan.ts';
import { available, type Generations, total, wanted } from './replica-sets.ts';

/** What figures are worked out from, beside the deployment. */
export interface FigureFacts {
  readonly generations: Generations;
  /** Of the spec that was acted on; the deployment may have a newer one by now. */
  readonly generation: number | undefined;
  readonly nowMs: number;
}

/** The figures and the Available condition; other conditions stay. */
export function statusFigures(deployment: Deployment, facts: FigureFacts): DeploymentStatus {
  const { generations, generation, nowMs } = facts;
  const { current, old } = generations;
  const sets = [current, ...old];
  const availableReplicas = total(sets, available);
  const terminating = total(sets, (set) => set.status?.terminatingReplicas ?? 0);
  return {
    observedGeneration: generation,
    replicas: said(total(sets, replicasOf)),
    updatedReplicas: said(current ? replicasOf(current) : 0),
    readyReplicas: said(total(sets, (set) => set.status?.readyReplicas ?? 0)),
    availableReplicas: said(availableReplicas),
    unavailableReplicas: said(Math.max(0, total(sets, wanted) - availableReplicas)),
    terminatingReplicas: terminating,
    collisionCount: deployment.status?.collisionCount,
    conditions: withDeploymentCondition(
      deployment.status?.conditions,
      availability(deployment, availableReplicas),
      nowMs,
    ),
  };
}

/** Counts of none are left out, as upstream writes them: `-o jsonpath={.status.readyReplicas}` prints nothing. */
const said = (count: number): number | undefined => (count === 0 ? undefined : count);

const replicasOf = (set: ReplicaSet): number => set.status?.replicas ?? 0;

/** A condition before its times are set. */
export type BareCondition = Pick<DeploymentCondition, 'type' | 'status' | 'reason' | 'message'>;

function availability(deployment: Deployment, availableReplicas: number): BareCondition {
  const enough = availableReplicas >= desired(deployment) - fencesOf(deployment).unavailable;
  return {
    type: 'Available',
    status: enough ? 'True' : 'False',
    reason: enough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
    message: enough
      ? 'Deployment has minimum availability.'
      : 'Deployment does not have minimum availability.',
  };
}

/**
 * The list with the condition; the same list where status and reason are what they were. lastUpdateTime is the
 * time of the change, lastTransitionTime that of the last change of status.
 */
export function withDeploymentCondition(
  conditions: readonly DeploymentCondition[] | undefined,
  next: BareCondition,
  nowMs: number,
): DeploymentCondition[] {
  const old = findCondition(conditions, next.type);
  if (old?.status === next.status && old.reason === next.reason) return [...(conditions ?? [])];
  return withFreshCondition(conditions, next, nowMs);
}

/** As withDeploymentCondition, but lastUpdateTime moves in any case: something happened. */
export function withFreshCondition(
  conditions: readonly DeploymentCondition[] | undefined,
  next: BareCondition,
  nowMs: number,
): DeploymentCondition[] {
  const old = findCondition(conditions, next.type);
  const now = formatTime(nowMs);
  const kept = old?.status === next.status ? old.lastTransitionTime : undefined;
  const others = (conditions ?? []).filter((condition) => condition !== old);
  return [...others, { ...next, lastUpdateTime: now, lastTransitionTime: kept ?? now }];
}
