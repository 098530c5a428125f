// Figures and conditions of a set, and its next step.
import { describe, expect, it } from 'vitest';
import type { Pod, ReplicaSet } from '../../api/generated/types.ts';
import { formatTime } from '../../api/meta/time.ts';
import { planStep } from './plan.ts';
import { nextAvailableMs, replicaSetStatus } from './status.ts';

const NOW = Date.UTC(2026, 0, 1);
const labels = { app: 'x' };
const set: ReplicaSet = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 's', generation: 4 },
  spec: {
    replicas: 3,
    minReadySeconds: 10,
    selector: { matchLabels: labels },
    template: { metadata: { labels } },
  },
};
const aPod = (readyAgoMs: number | undefined, changes: Partial<Pod['metadata']> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { labels, ...changes },
  status: {
    phase: 'Running',
    conditions:
      readyAgoMs === undefined
        ? []
        : [{ type: 'Ready', status: 'True', lastTransitionTime: formatTime(NOW - readyAgoMs) }],
  },
});
const leaving = { deletionTimestamp: formatTime(NOW) };

describe('the status of a set', () => {
  it('counts pods by how far they are', () => {
    const pods = [aPod(20_000), aPod(4_000), aPod(undefined), aPod(20_000, leaving)];
    const status = replicaSetStatus(set, { pods, generation: 3, failure: undefined, nowMs: NOW });
    expect(status).toEqual({
      replicas: 3,
      fullyLabeledReplicas: 3,
      readyReplicas: 2,
      availableReplicas: 1,
      terminatingReplicas: 1,
      // What was acted on, not what the set asks for by now.
      observedGeneration: 3,
      conditions: undefined,
    });
    expect(nextAvailableMs(set, pods, NOW)).toBe(6_000);
    expect(nextAvailableMs(set, [aPod(undefined)], NOW)).toBeUndefined();
  });

  it('tells a failure once, and when it is over', () => {
    const failure = { reason: 'FailedCreate' as const, message: 'first' };
    const input = { pods: [], generation: 4, nowMs: NOW };
    const failed = replicaSetStatus(set, { ...input, failure });
    expect(failed.conditions).toMatchObject([{ type: 'ReplicaFailure', message: 'first' }]);
    const before = { ...set, status: failed };
    const again = replicaSetStatus(before, { ...input, failure: { ...failure, message: 'next' } });
    expect(again.conditions).toEqual(failed.conditions);
    const waiting = replicaSetStatus(before, { ...input, failure: 'unknown' });
    expect(waiting.conditions).toEqual(failed.conditions);
    const fine = replicaSetStatus(before, { ...input, failure: undefined });
    expect(fine.conditions).toBeUndefined();
  });
});

describe('the next step', () => {
  const facts = { nowMs: NOW, crowding: () => 1 };
  const pods = (count: number) =>
    Array.from({ length: count }, (_, i) => aPod(20_000, { name: `p${i}`, uid: `p${i}` }));

  it('makes what is missing and deletes what is too much, at most 500 at once', () => {
    expect(planStep(set, pods(1), facts)).toEqual({ kind: 'create', count: 2 });
    expect(planStep(set, pods(3), facts)).toEqual({ kind: 'nothing' });
    const step = planStep(set, pods(5), facts);
    expect(step.kind === 'delete' && step.pods.length).toBe(2);
    const huge = { ...set, spec: { ...set.spec, selector: {}, replicas: 2000 } };
    expect(planStep(huge, [], facts)).toEqual({ kind: 'create', count: 500 });
  });
});
