// How many pods of a disruption budget may go: by what it says, what its pods are, and what evictions took.
import { describe, expect, it } from 'vitest';
import type {
  Pod,
  PodDisruptionBudget,
  PodDisruptionBudgetSpec,
} from '../../api/generated/types.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { Workload } from './plan.ts';
import { DELETION_TIMEOUT_MS, planBudget } from './plan.ts';

const NOW = Date.parse('2026-01-01T00:10:00Z');
const ago = (ms: number) => formatTime(NOW - ms);
const pod = (name: string, ready = true, metadata: object = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, ...metadata },
  status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
});
const budget = (spec: PodDisruptionBudgetSpec, status: object = {}): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'b', generation: 3 },
  spec,
  status,
});
const sized = (replicas: number): Workload => ({ kind: 'sized', uid: 'u', replicas });
const plan = (one: PodDisruptionBudget, pods: Pod[], workload: Workload = sized(4)) =>
  planBudget({ budget: one, pods, workloadOf: () => workload, nowMs: NOW });

describe('a budget', () => {
  const four = [pod('a'), pod('b'), pod('c'), pod('d', false)];
  it.each<[string, PodDisruptionBudgetSpec, Workload, number[]]>([
    ['of a least number', { minAvailable: 2 }, sized(9), [4, 2, 1]],
    ['of a least number that is not there', { minAvailable: 5 }, sized(9), [4, 5, 0]],
    ['of a least share, rounded up', { minAvailable: '30%' }, sized(4), [4, 2, 1]],
    ['of a most number', { maxUnavailable: 2 }, sized(4), [4, 2, 1]],
    ['of a most share, rounded up', { maxUnavailable: '30%' }, sized(4), [4, 2, 1]],
    ['of more than there are', { maxUnavailable: 9 }, sized(4), [4, 0, 3]],
    ['of a share of pods of nobody', { maxUnavailable: '50%' }, { kind: 'none' }, [0, 0, 0]],
    ['that says nothing', {}, sized(4), [0, 0, 0]],
  ])('%s', (...[, spec, workload, [expected, desired, allowed]]) => {
    const { status, failure } = plan(budget(spec), four, workload);
    expect(failure).toBeUndefined();
    expect(status).toMatchObject({
      observedGeneration: 3,
      expectedPods: expected,
      desiredHealthy: desired,
      currentHealthy: 3,
      disruptionsAllowed: allowed,
      conditions: [
        {
          type: 'DisruptionAllowed',
          status: (allowed ?? 0) > 0 ? 'True' : 'False',
          reason: (allowed ?? 0) > 0 ? 'SufficientPods' : 'InsufficientPods',
        },
      ],
    });
  });

  it('counts each workload once', () => {
    const workloads: Record<string, Workload> = {
      a: { kind: 'sized', uid: 'x', replicas: 2 },
      b: { kind: 'sized', uid: 'x', replicas: 2 },
      c: { kind: 'sized', uid: 'y', replicas: 3 },
    };
    const { status } = planBudget({
      budget: budget({ maxUnavailable: 1 }),
      pods: [pod('a'), pod('b'), pod('c')],
      workloadOf: ({ metadata }) => workloads[metadata.name ?? ''] ?? { kind: 'none' },
      nowMs: NOW,
    });
    expect(status.expectedPods).toBe(5);
  });

  it('allows nothing while a workload cannot tell its size, and says why', () => {
    const old = { disruptionsAllowed: 2, observedGeneration: 2, expectedPods: 7 };
    const outcome = plan(budget({ maxUnavailable: 1 }, old), four, { kind: 'unknown', why: 'no!' });
    expect(outcome.failure).toBe('no!');
    expect(outcome.status).toMatchObject({
      disruptionsAllowed: 0,
      observedGeneration: 2,
      expectedPods: 7,
      conditions: [
        { status: 'False', reason: 'SyncFailed', message: 'no!', observedGeneration: 2 },
      ],
    });
  });

  it('keeps the time since which it allows or not', () => {
    const conditions = [
      {
        type: 'DisruptionAllowed',
        status: 'True',
        reason: 'SufficientPods',
        message: '',
        lastTransitionTime: ago(60_000),
      },
    ];
    const { status } = plan(budget({ minAvailable: 1 }, { conditions }), four);
    expect(status.conditions?.[0]?.lastTransitionTime).toBe(ago(60_000));
  });
});

describe('evicted pods', () => {
  const evicted = { a: ago(30_000), gone: ago(30_000) };

  it('do not count, until they are gone or too long has passed', () => {
    const { status, recheckMs, notDeleted } = plan(
      budget({ minAvailable: 1 }, { disruptedPods: evicted }),
      [pod('a'), pod('b'), pod('c')],
    );
    expect(status).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 1 });
    expect(status.disruptedPods).toEqual({ a: evicted.a });
    expect(recheckMs).toBe(DELETION_TIMEOUT_MS - 30_000 + 1);
    expect(notDeleted).toEqual([]);
  });

  it('are forgotten once they are being deleted', () => {
    const leaving = pod('a', true, { deletionTimestamp: ago(0) });
    const { status } = plan(budget({ minAvailable: 1 }, { disruptedPods: evicted }), [
      leaving,
      pod('b'),
    ]);
    expect(status.disruptedPods).toBeUndefined();
    expect(status.currentHealthy).toBe(1);
  });

  it('count again when nobody deleted them', () => {
    const late = { a: ago(DELETION_TIMEOUT_MS + 1000) };
    const { status, notDeleted, recheckMs } = plan(
      budget({ minAvailable: 1 }, { disruptedPods: late }),
      [pod('a'), pod('b')],
    );
    expect(status).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 1 });
    expect(status.disruptedPods).toBeUndefined();
    expect(notDeleted.map(({ metadata }) => metadata.name)).toEqual(['a']);
    expect(recheckMs).toBeUndefined();
  });
});
