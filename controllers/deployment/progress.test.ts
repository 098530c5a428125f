// When a rollout counts as moving, complete, stuck or paused.
import { describe, expect, it } from 'vitest';
import type { Deployment, DeploymentStatus, ReplicaSet } from '../../api/generated/types.ts';
import { formatTime } from '../../api/meta/time.ts';
import { deadlineWaitMs, pauseCondition, withProgress } from './progress.ts';
import { statusFigures } from './status.ts';

const NOW = Date.UTC(2026, 0, 1);

const aDeployment = (status: DeploymentStatus = {}, paused = false): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd', generation: 1 },
  spec: { replicas: 2, selector: {}, template: {}, progressDeadlineSeconds: 60, paused },
  status: { observedGeneration: 1, ...status },
});
const aSet = (status: Partial<ReplicaSet['status']>): ReplicaSet => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 's' },
  spec: { replicas: 2, selector: {} },
  status: { replicas: 0, ...status },
});
const progressing = (reason: string, updatedMs: number): DeploymentStatus => ({
  conditions: [
    {
      type: 'Progressing',
      status: 'True',
      reason,
      lastUpdateTime: formatTime(updatedMs),
      lastTransitionTime: formatTime(updatedMs),
    },
  ],
});

function next(deployment: Deployment, set: ReplicaSet, nowMs = NOW) {
  const generations = { current: set, old: [] };
  const { generation } = deployment.metadata;
  const figures = statusFigures(deployment, { generations, generation, nowMs });
  const status = withProgress(deployment, figures, { generations, nowMs });
  return {
    status,
    condition: status.conditions?.find(({ type }) => type === 'Progressing'),
    available: status.conditions?.find(({ type }) => type === 'Available'),
  };
}

describe('progress', () => {
  it('is told when figures grow, and its time moves each time', () => {
    const before = aDeployment(progressing('NewReplicaSetCreated', NOW - 50_000));
    const { condition } = next(before, aSet({ replicas: 1 }));
    expect(condition).toMatchObject({
      status: 'True',
      reason: 'ReplicaSetUpdated',
      message: 'ReplicaSet "s" is progressing.',
      lastUpdateTime: formatTime(NOW),
      lastTransitionTime: formatTime(NOW - 50_000),
    });
  });

  it('is complete when all are updated and available', () => {
    const before = aDeployment(progressing('ReplicaSetUpdated', NOW));
    const full = aSet({ replicas: 2, readyReplicas: 2, availableReplicas: 2 });
    const { condition, available } = next(before, full);
    expect(condition).toMatchObject({
      reason: 'NewReplicaSetAvailable',
      message: 'ReplicaSet "s" has successfully progressed.',
    });
    expect(available?.status).toBe('True');
  });

  it('runs out of time when nothing has moved for the deadline', () => {
    const before = aDeployment(progressing('ReplicaSetUpdated', NOW - 61_000));
    const { condition } = next(before, aSet({}));
    expect(condition).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded' });
    const late = aDeployment(progressing('ReplicaSetUpdated', NOW - 59_000));
    expect(next(late, aSet({})).condition?.reason).toBe('ReplicaSetUpdated');
  });

  it('does not run out once it was complete, though pods fail later', () => {
    const before = aDeployment({
      ...progressing('NewReplicaSetAvailable', NOW - 3_600_000),
      replicas: 2,
      updatedReplicas: 2,
      availableReplicas: 2,
    });
    const { condition, available } = next(before, aSet({ replicas: 2 }));
    expect(condition?.reason).toBe('NewReplicaSetAvailable');
    expect(available).toMatchObject({ status: 'False', reason: 'MinimumReplicasUnavailable' });
  });

  it('tells of pods that cannot be made', () => {
    const failure = {
      type: 'ReplicaFailure',
      status: 'True',
      reason: 'FailedCreate',
      message: 'm',
    };
    const { status } = next(aDeployment(), aSet({ conditions: [failure] }));
    expect(status.conditions).toContainEqual(expect.objectContaining(failure));
  });
});

describe('the wait for the deadline', () => {
  it('lasts until just after it, and there is none when complete, paused or timed out', () => {
    const running = aDeployment(progressing('ReplicaSetUpdated', NOW - 20_000));
    expect(deadlineWaitMs(running, NOW)).toBe(41_000);
    const complete = aDeployment(progressing('NewReplicaSetAvailable', NOW));
    expect(deadlineWaitMs(complete, NOW)).toBeUndefined();
    const late = aDeployment(progressing('ProgressDeadlineExceeded', NOW));
    expect(deadlineWaitMs(late, NOW)).toBeUndefined();
    const paused = aDeployment(progressing('ReplicaSetUpdated', NOW), true);
    expect(deadlineWaitMs(paused, NOW)).toBeUndefined();
  });
});

describe('pausing', () => {
  it('stops the clock, and resuming starts it anew, each told once', () => {
    const paused = aDeployment(progressing('ReplicaSetUpdated', NOW), true);
    expect(pauseCondition(paused)?.reason).toBe('DeploymentPaused');
    expect(pauseCondition(aDeployment(progressing('DeploymentPaused', NOW), true))).toBeUndefined();
    const resumed = aDeployment(progressing('DeploymentPaused', NOW));
    expect(pauseCondition(resumed)?.reason).toBe('DeploymentResumed');
    expect(pauseCondition(aDeployment())).toBeUndefined();
  });
});
