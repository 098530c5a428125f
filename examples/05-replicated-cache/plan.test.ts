// What the operator of caches decides, case by case, without a cluster.
import { describe, expect, it } from 'vitest';
import { type ReplicatedCache, ReplicatedCaches } from './kind.ts';
import { claimFor, claimOf, type Member, memberOf, podFor } from './members.ts';
import { plan, type Step, stopStep, tellStep } from './plan.ts';

type Spec = Partial<ReplicatedCache['spec']>;

function aCache(spec: Spec = {}): ReplicatedCache {
  return ReplicatedCaches.object({
    metadata: { name: 'web', namespace: 'default', generation: 3, uid: 'u' },
    spec: { replicas: 3, image: 'cache:1', storage: { size: '1Gi' }, ...spec },
  });
}
const deleting = { storage: { size: '1Gi', whenUnused: 'Delete' } } as const;

const member = (number: number, but: Partial<Member> = {}, spec: Spec = {}): Member => ({
  ...memberOf(podFor(aCache(spec), number)),
  ready: true,
  ...but,
});
const claim = (number: number, ending = false) => ({
  ...claimOf(claimFor(aCache(), number)),
  ending,
});

const told = (step: Step) => tellStep(aCache(), step);
function decide(
  members: readonly Member[],
  spec: Spec = {},
  claims = [0, 1, 2].map((n) => claim(n)),
) {
  return plan({ cache: aCache(spec), members, claims, nowMs: 0 });
}
const next = (members: readonly Member[], spec: Spec = {}) => told(decide(members, spec).step);

describe('plan', () => {
  it('starts members in order, each once the one before it is ready', () => {
    expect(next([])).toBe('starts web-0');
    expect(next([member(0, { ready: false })])).toBe('waits for web-0 to be ready');
    expect(next([member(0)])).toBe('starts web-1');
    expect(next([member(0), member(1), member(2)])).toBe('');
  });

  it('starts nothing in the place of a member that is still ending', () => {
    expect(next([member(0, { ending: true }), member(1)])).toBe('waits for web-0 to end');
    expect(next([member(1), member(2)])).toBe('starts web-0');
  });

  it('stops those that are too many from the highest down, one at a time, though others are not ready', () => {
    const scaled = { replicas: 1 };
    expect(next([member(0), member(1), member(2)], scaled)).toBe(
      'removes web-2: it is wanted no more',
    );
    expect(next([member(0), member(1), member(2, { ending: true })], scaled)).toBe(
      'waits for web-2 to end',
    );
    expect(next([member(0, { ready: false }), member(1)], scaled)).toMatch(/^removes web-1/);
  });

  it('replaces members of an older revision from the highest down, while all are ready', () => {
    const spec = { image: 'cache:2' };
    const [old0, old1, old2] = [member(0), member(1), member(2)];
    expect(next([old0, old1, old2], spec)).toBe('removes web-2: it is of an older revision');
    expect(next([old0, old1, member(2, { ready: false }, spec)], spec)).toBe(
      'waits for web-2 to be ready',
    );
    expect(next([old0, old1, member(2, {}, spec)], spec)).toMatch(/^removes web-1/);
  });

  it('does not wait for an older revision that is not ready: it is replaced at once', () => {
    const stuck = member(2, { ready: false });
    expect(next([member(0), member(1), stuck], { image: 'cache:2' })).toBe(
      'removes web-2: it is not ready, and of an older revision',
    );
    expect(next([member(0), member(1), stuck])).toBe('waits for web-2 to be ready');
  });

  it('removes members that have ended, before all else', () => {
    const lost = member(1, { ready: false, over: true });
    expect(next([member(0), lost, member(2)])).toBe('removes web-1: it has ended');
  });

  it('makes claims that are missing under members, and drops unused ones where it is told to', () => {
    const members = [member(0), member(1)];
    const few = { replicas: 2 };
    expect(decide(members, few, [claim(0)]).makeClaims).toEqual([1]);
    expect(decide(members, few).dropClaims).toEqual([]);
    const dropped = (more: readonly Member[]) =>
      decide([...members, ...more], { ...few, ...deleting }).dropClaims.map(({ number }) => number);
    expect(dropped([])).toEqual([2]);
    expect(dropped([member(2, { ending: true })])).toEqual([]);
  });

  it('makes no member on a claim that is being deleted', () => {
    const { step } = decide([member(0), member(1)], deleting, [claim(0), claim(1), claim(2, true)]);
    expect(told(step)).toBe('waits for the old volume claim of web-2 to be gone');
  });

  it('tells in the status how far it is', () => {
    const { status } = decide([member(0), member(1, { ready: false })]);
    expect(status).toMatchObject({ replicas: 2, readyReplicas: 1, updatedReplicas: 2 });
    expect(status.conditions).toMatchObject([
      { type: 'Ready', status: 'False', message: '1 of 3 members are ready' },
      { type: 'Progressing', status: 'True', message: 'waits for web-1 to be ready' },
    ]);
  });

  it('stops a cache from its highest member down', () => {
    expect(told(stopStep([member(0), member(10), member(2)]))).toMatch(/^removes web-10/);
    expect(told(stopStep([member(0), member(1, { ending: true })]))).toBe('waits for web-1 to end');
    expect(stopStep([])).toEqual({ kind: 'none' });
  });
});

describe('the kind', () => {
  it('holds fast what members cannot change, and names that are no host names', () => {
    const [old, wider] = [aCache(), aCache({ storage: { size: '2Gi', whenUnused: 'Keep' } })];
    const said = (object: ReplicatedCache, before?: ReplicatedCache) =>
      ReplicatedCaches.validate(object, before).map((each) => String(each.message));
    expect(said(old)).toEqual([]);
    expect(said(wider, old).join()).toContain('volumes stay as they are');
    expect(said(aCache({ port: 1 }), old).join()).toContain('the port stays as it is');
    const named = { ...old, metadata: { ...old.metadata, name: '9.9' } };
    expect(said(named).join()).toContain('part of host names');
  });
});
