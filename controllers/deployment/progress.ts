// Whether a Deployment's rollout gets on, is done, or has been stuck for longer than its deadline. Pure.
// Invariant: once a rollout is told complete it cannot time out; a new template starts the clock anew.
import type { Deployment, DeploymentStatus, ReplicaSet } from '../../api/generated/types.ts';
import { parseTime } from '../../api/meta/time.ts';
import { findCondition, withoutCondition } from '../framework/conditions.ts';
import { desired } from './plan.ts';
import type { Generations } from './replica-sets.ts';
import { type BareCondition, withDeploymentCondition, withFreshCondition } from './status.ts';

/** A deadline that is this large means none. */
const NO_DEADLINE = 2 ** 31 - 1;

const AVAILABLE = 'NewReplicaSetAvailable';
const TIMED_OUT = 'ProgressDeadlineExceeded';

/** Seconds that a rollout may stand still; undefined for any length of time. */
export function deadlineSeconds({ spec }: Deployment): number | undefined {
  const seconds = spec?.progressDeadlineSeconds;
  return seconds === undefined || seconds === NO_DEADLINE ? undefined : seconds;
}

/** A Progressing condition. */
export function progressing(
  status: 'True' | 'False' | 'Unknown',
  [reason, message]: readonly [string, string],
): BareCondition {
  return { type: 'Progressing', status, reason, message };
}

/** All pods are of the present template and available, and nothing is left of the old ones. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const count = desired(deployment);
  return (
    (status.updatedReplicas ?? 0) === count &&
    (status.replicas ?? 0) === count &&
    (status.availableReplicas ?? 0) === count &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

/** Does the new status show more than the old one did? */
function hasMoved(deployment: Deployment, status: DeploymentStatus): boolean {
  const before = deployment.status ?? {};
  const grown = (['updatedReplicas', 'readyReplicas', 'availableReplicas'] as const).some(
    (figure) => (status[figure] ?? 0) > (before[figure] ?? 0),
  );
  const outdated = ({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus) =>
    replicas - updatedReplicas;
  return grown || outdated(status) < outdated(before);
}

/** The rollout has been told complete, and no other has begun. */
function wasComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const { reason } = findCondition(deployment.status?.conditions, 'Progressing') ?? {};
  return reason === AVAILABLE && status.replicas === status.updatedReplicas;
}

/** The status with its Progressing and ReplicaFailure conditions. */
export function withProgress(
  deployment: Deployment,
  status: DeploymentStatus,
  facts: { readonly generations: Generations; readonly nowMs: number },
): DeploymentStatus {
  const { generations, nowMs } = facts;
  let { conditions } = status;
  if (deadlineSeconds(deployment) === undefined)
    conditions = withoutCondition(conditions, 'Progressing');
  else if (!wasComplete(deployment, status)) {
    const who = subject(deployment, generations.current);
    if (isComplete(deployment, status))
      conditions = withDeploymentCondition(
        conditions,
        progressing('True', [AVAILABLE, `${who} has successfully progressed.`]),
        nowMs,
      );
    else if (hasMoved(deployment, status))
      conditions = withFreshCondition(
        conditions,
        progressing('True', ['ReplicaSetUpdated', `${who} is progressing.`]),
        nowMs,
      );
    else if (hasTimedOut(deployment, nowMs))
      conditions = withDeploymentCondition(
        conditions,
        progressing('False', [TIMED_OUT, `${who} has timed out progressing.`]),
        nowMs,
      );
  }
  return { ...status, conditions: withFailure(conditions, generations, nowMs) };
}

function subject(deployment: Deployment, current: ReplicaSet | undefined): string {
  return current
    ? `ReplicaSet ${JSON.stringify(current.metadata.name)}`
    : `Deployment ${JSON.stringify(deployment.metadata.name)}`;
}

function hasTimedOut(deployment: Deployment, nowMs: number): boolean {
  const condition = findCondition(deployment.status?.conditions, 'Progressing');
  if (!condition || condition.reason === AVAILABLE) return false;
  if (condition.reason === TIMED_OUT) return true;
  const due = dueMs(deployment);
  return due !== undefined && due < nowMs;
}

/** When the rollout will have stood still for too long, ms of wall time. */
function dueMs(deployment: Deployment): number | undefined {
  const seconds = deadlineSeconds(deployment);
  const condition = findCondition(deployment.status?.conditions, 'Progressing');
  const from = parseTime(condition?.lastUpdateTime ?? condition?.lastTransitionTime);
  return seconds === undefined || from === undefined ? undefined : from + seconds * 1000;
}

/** How long until it is worth looking at the deadline again; undefined where there is nothing to wait for. */
export function deadlineWaitMs(deployment: Deployment, nowMs: number): number | undefined {
  const { status = {}, spec } = deployment;
  const { reason } = findCondition(status.conditions, 'Progressing') ?? {};
  const waits = reason !== undefined && reason !== AVAILABLE && reason !== TIMED_OUT;
  if (!waits || spec?.paused || isComplete(deployment, status)) return undefined;
  const due = dueMs(deployment);
  // A second more, since times are written in whole seconds.
  return due === undefined ? undefined : Math.max(0, due - nowMs) + 1000;
}

/** Carries a failure to create pods from the sets up to the deployment. */
function withFailure(
  conditions: DeploymentStatus['conditions'],
  { current, old }: Generations,
  nowMs: number,
): DeploymentStatus['conditions'] {
  const failures = [current, ...old].map((set) =>
    findCondition(set?.status?.conditions, 'ReplicaFailure'),
  );
  const failure = failures.find((each) => each !== undefined);
  if (!failure) return withoutCondition(conditions, 'ReplicaFailure');
  const { type, status, reason, message } = failure;
  return withDeploymentCondition(conditions, { type, status, reason, message }, nowMs);
}

/** What pausing and resuming do to the clock: they stop and restart it. Undefined where nothing changes. */
export function pauseCondition(deployment: Deployment): BareCondition | undefined {
  if (deadlineSeconds(deployment) === undefined) return undefined;
  const { reason } = findCondition(deployment.status?.conditions, 'Progressing') ?? {};
  if (reason === TIMED_OUT) return undefined;
  if (deployment.spec?.paused)
    return reason === 'DeploymentPaused'
      ? undefined
      : progressing('Unknown', ['DeploymentPaused', 'Deployment is paused']);
  return reason === 'DeploymentPaused'
    ? progressing('Unknown', ['DeploymentResumed', 'Deployment is resumed'])
    : undefined;
}
