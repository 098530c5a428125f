// Sizes of sets: fences, steps, shares; and a property: every rollout ends and stays within its bounds.
import { fc } from '../../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import type { Deployment, DeploymentStrategy, ReplicaSet } from '../../api/generated/types.ts';
import {
  fencesOf,
  newSetSize,
  planCleanUp,
  planRecreate,
  planResize,
  planRolling,
} from './plan.ts';
import { revisionOf } from './revision.ts';

const aDeployment = (replicas: number, strategy?: DeploymentStrategy): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd' },
  spec: { replicas, selector: {}, template: {}, strategy },
});
const rolling = (maxSurge: number | string, maxUnavailable: number | string) => ({
  type: 'RollingUpdate',
  rollingUpdate: { maxSurge, maxUnavailable },
});
const aSet = (name: string, wanted: number, available = wanted): ReplicaSet => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name },
  spec: { replicas: wanted, selector: {} },
  status: { replicas: wanted, availableReplicas: available },
});
/** As scaled by a deployment that then allowed so many pods. */
const shareOf = (name: string, wanted: number, most: number): ReplicaSet => {
  const set = aSet(name, wanted);
  set.metadata.annotations = { 'deployment.kubernetes.io/max-replicas': String(most) };
  return set;
};
const sizes = (plan: readonly { set: ReplicaSet; replicas: number }[]) =>
  Object.fromEntries(plan.map(({ set, replicas }) => [set.metadata.name, replicas]));

describe('fences', () => {
  const fences = (count: number, surge: number | string, unavailable: number | string) => {
    const of = fencesOf(aDeployment(count, rolling(surge, unavailable)));
    return [of.surge, of.unavailable];
  };

  it('round surge up and unavailable down', () => {
    expect(fences(10, '25%', '25%')).toEqual([3, 2]);
    expect(fences(3, '25%', '25%')).toEqual([1, 0]);
    expect(fences(1, '25%', '25%')).toEqual([1, 0]);
    expect(fences(0, '25%', '25%')).toEqual([0, 0]);
  });

  it('are never both nothing, or a rollout could not move', () => {
    expect(fences(4, 0, 0)).toEqual([0, 1]);
    expect(fences(1, '0%', '50%')).toEqual([0, 1]);
  });

  it('let no more pods be unavailable than there are', () => {
    expect(fences(2, 5, 5)).toEqual([5, 2]);
  });

  it('are none under Recreate', () => {
    expect(fencesOf(aDeployment(4, { type: 'Recreate' }))).toEqual({ surge: 0, unavailable: 0 });
  });
});

describe('a new set', () => {
  it('grows as far as the surge leaves room, and no further than wanted', () => {
    const next = (size: number, existing: number) =>
      newSetSize(aDeployment(10, rolling(3, 2)), size, existing);
    expect(next(0, 10)).toBe(3);
    expect(next(0, 13)).toBe(0);
    expect(next(9, 10)).toBe(10);
    expect(next(3, 5)).toBe(10);
  });
});

describe('a rolling update', () => {
  it('grows the new set by the surge and shrinks the old one by what may be unavailable', () => {
    const plan = planRolling(aDeployment(10, rolling(3, 2)), {
      current: aSet('new', 0),
      old: [aSet('old', 10)],
    });
    expect(sizes(plan)).toEqual({ new: 3, old: 8 });
  });

  it('takes old pods that do not serve away first', () => {
    const plan = planRolling(aDeployment(10, rolling(0, 2)), {
      current: aSet('new', 0),
      old: [aSet('broken', 3, 0), aSet('good', 7)],
    });
    expect(sizes(plan)).toEqual({ broken: 1 });
  });

  it('does not count pods of old sets that are going already, though their status still shows them', () => {
    // Eight are wanted at least: the old set was just made smaller by two and lags behind.
    const plan = planRolling(aDeployment(10, rolling(3, 2)), {
      current: aSet('new', 3, 0),
      old: [aSet('old', 8, 10)],
    });
    expect(sizes(plan)).toEqual({ new: 5 });
  });

  it('waits while new pods are not available', () => {
    const plan = planRolling(aDeployment(4, rolling(1, 0)), {
      current: aSet('new', 1, 0),
      old: [aSet('old', 4)],
    });
    expect(plan).toEqual([]);
  });

  it('always ends, and never leaves its bounds on the way, though statuses lag', () => {
    const fence = fc.integer({ min: 0, max: 4 });
    fc.assert(
      fc.property(
        fc.record({
          count: fc.integer({ min: 0, max: 12 }),
          surge: fence,
          unavailable: fence,
          old: fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 3 }),
        }),
        fc.infiniteStream(fc.boolean()),
        ({ count, surge, unavailable, old }, luck) => {
          const deployment = aDeployment(count, rolling(surge, unavailable));
          const fences = fencesOf(deployment);
          let current = aSet('new', 0);
          let others = old.map((size, i) => aSet(`old${i}`, size));
          /** How many really are available, by set; the status shows it now or later. */
          const real = new Map(others.map((set) => [set.metadata.name, set.spec?.replicas ?? 0]));
          const started = old.reduce((sum, size) => sum + size, 0);
          const floor = Math.min(started, count - fences.unavailable);
          for (let round = 0; round < 200; round++) {
            const plan = sizes(planRolling(deployment, { current, old: others }));
            const resized = (set: ReplicaSet) => {
              const size = plan[set.metadata.name ?? ''] ?? set.spec?.replicas ?? 0;
              // Shrinking takes idle pods first; growing pods become available by chance.
              const was = Math.min(real.get(set.metadata.name) ?? 0, size);
              const next = luck.next().value ? size : was;
              real.set(set.metadata.name, next);
              const shown = luck.next().value ? next : set.status?.availableReplicas;
              return aSet(set.metadata.name ?? '', size, shown);
            };
            current = resized(current);
            others = others.map(resized);
            const all = [current, ...others];
            const wanted = all.reduce((sum, set) => sum + (set.spec?.replicas ?? 0), 0);
            const available = all.reduce((n, set) => n + (real.get(set.metadata.name) ?? 0), 0);
            expect(wanted).toBeLessThanOrEqual(Math.max(started, count + fences.surge));
            expect(available).toBeGreaterThanOrEqual(floor);
          }
          expect(current.spec?.replicas).toBe(count);
          expect(others.every((set) => set.spec?.replicas === 0)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('Recreate', () => {
  const deployment = aDeployment(3, { type: 'Recreate' });

  it('first ends the old sets, then waits for their pods, then starts the new one', () => {
    const current = aSet('new', 0);
    const old = [aSet('old', 3)];
    expect(sizes(planRecreate(deployment, { current, old }, true))).toEqual({ old: 0 });
    const ended = { current, old: [aSet('old', 0)] };
    expect(planRecreate(deployment, ended, true)).toEqual([]);
    expect(sizes(planRecreate(deployment, ended, false))).toEqual({ new: 3 });
  });
});

describe('a change of size', () => {
  it('goes to the only active set', () => {
    const current = aSet('new', 3);
    expect(sizes(planResize(aDeployment(7), { current, old: [aSet('old', 0)] }))).toEqual({
      new: 7,
    });
  });

  it('ends old sets where the new one has everything', () => {
    const generations = { current: aSet('new', 5), old: [aSet('old', 2)] };
    expect(sizes(planResize(aDeployment(5, rolling(2, 0)), generations))).toEqual({ old: 0 });
  });

  it('is shared out by size in the middle of a rollout', () => {
    // 10 wanted with surge 3 were 13 in all; now 30 with surge 3 are 33.
    const generations = { current: shareOf('new', 5, 13), old: [shareOf('old', 8, 13)] };
    const plan = sizes(planResize(aDeployment(30, rolling(3, 2)), generations));
    expect(plan).toEqual({ new: 13, old: 20 });
    const down = { current: shareOf('new', 13, 33), old: [shareOf('old', 20, 33)] };
    const after = sizes(planResize(aDeployment(10, rolling(3, 2)), down));
    expect((after['new'] ?? 0) + (after['old'] ?? 0)).toBe(13);
    const none = sizes(planResize(aDeployment(0, rolling(3, 2)), generations));
    expect(none).toEqual({ new: 0, old: 0 });
  });
});

describe('cleaning up', () => {
  const past = (revision: number, wanted = 0): ReplicaSet => {
    const set = aSet(`r${revision}`, wanted);
    set.metadata.annotations = { 'deployment.kubernetes.io/revision': String(revision) };
    return set;
  };

  it('removes the lowest revisions past the limit, but none that is in use', () => {
    const deployment = aDeployment(1);
    if (deployment.spec) deployment.spec.revisionHistoryLimit = 1;
    const plan = planCleanUp(deployment, [past(3), past(1), past(2, 1)], revisionOf);
    expect(plan.map(({ metadata }) => metadata.name)).toEqual(['r1']);
  });
});
