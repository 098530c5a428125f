// Health of nodes, the taints that follow, and when pods must leave.
import { describe, expect, it } from 'vitest';
import type { Lease, Node, NodeCondition, Taint, Toleration } from '../../api/generated/types.ts';
import { formatTime } from '../../api/meta/time.ts';
import { leavesAtMs } from './eviction-plan.ts';
import { awayInMs, healthAfter, unknownConditions } from './health.ts';
import { resolveNodeLifecycleOptions } from './options.ts';
import { type Eviction, evictionFrom, nextTaints } from './taints.ts';

const NOW = Date.UTC(2026, 0, 1);
const node = (
  ready: string | undefined,
  spec: Node['spec'] = {},
  more: NodeCondition[] = [],
): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n', uid: 'u', creationTimestamp: formatTime(NOW) },
  spec,
  status: { conditions: [...(ready ? [{ type: 'Ready', status: ready }] : []), ...more] },
});
const lease = (renewTime: string): Lease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'n' },
  spec: { renewTime },
});

describe('health', () => {
  const options = resolveNodeLifecycleOptions();

  it('begins anew with each renewal of the Lease, and with nothing else of ours', () => {
    const first = healthAfter(undefined, { node: node('True'), lease: lease('a') }, 0);
    const same = healthAfter(first, { node: node('True'), lease: lease('a') }, 30_000);
    expect(same).toBe(first);
    expect(awayInMs(node('True'), same, { nowMs: 30_000, options })).toBe(10_000);
    expect(awayInMs(node('True'), same, { nowMs: 50_000, options })).toBe(0);
    const renewed = healthAfter(same, { node: node('True'), lease: lease('b') }, 50_000);
    expect(awayInMs(node('True'), renewed, { nowMs: 50_000, options })).toBe(40_000);
    const silent = healthAfter(undefined, { node: node('Unknown'), lease: undefined }, 0);
    expect(healthAfter(silent, { node: node('Unknown'), lease: undefined }, 9)).toBe(silent);
  });

  it('leaves a node that has never said anything more time', () => {
    const health = healthAfter(undefined, { node: node(undefined), lease: undefined }, 0);
    expect(awayInMs(node(undefined), health, { nowMs: 0, options })).toBe(60_000);
  });

  it('that is lost makes what only the node knows unknown, and keeps the rest', () => {
    const network = { type: 'NetworkUnavailable', status: 'False' };
    const conditions = unknownConditions(node('True', {}, [network]), NOW);
    expect(conditions).toContainEqual(network);
    expect(conditions.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      lastTransitionTime: formatTime(NOW),
    });
    expect(conditions.find(({ type }) => type === 'DiskPressure')?.reason).toBe(
      'NodeStatusNeverUpdated',
    );
    const again = { ...node('True'), status: { conditions } };
    expect(unknownConditions(again, NOW + 99_000)).toEqual(conditions);
  });
});

describe('taints', () => {
  const ids = (of: Node, eviction: Eviction = 'goes-on') =>
    nextTaints(of, { eviction, nowMs: NOW })?.map(
      ({ key, effect }) => `${key.split('/')[1] ?? key}:${effect}`,
    );

  it('follow readiness', () => {
    expect(ids(node('True'))).toBeUndefined();
    expect(ids(node('False'))).toEqual(['not-ready:NoSchedule', 'not-ready:NoExecute']);
    expect(ids(node('Unknown'))).toEqual(['unreachable:NoSchedule', 'unreachable:NoExecute']);
    expect(ids(node(undefined))).toEqual(['not-ready:NoSchedule']);
  });

  it('drive no pod away while no node is ready', () => {
    expect(ids(node('Unknown'), 'is-taken-back')).toEqual(['unreachable:NoSchedule']);
    const tainted = nextTaints(node('Unknown'), { eviction: 'goes-on', nowMs: NOW }) ?? [];
    expect(ids(node('Unknown', { taints: tainted }), 'is-taken-back')).toEqual([
      'unreachable:NoSchedule',
    ]);
  });

  it('drive no further pods away while eviction is held, and go on where it began', () => {
    expect(ids(node('Unknown'), 'is-held')).toEqual(['unreachable:NoSchedule']);
    const taints = nextTaints(node('False'), { eviction: 'goes-on', nowMs: NOW }) ?? [];
    expect(ids(node('False', { taints }), 'is-held')).toBeUndefined();
    expect(ids(node('Unknown', { taints }), 'is-held')).toEqual([
      'unreachable:NoSchedule',
      'unreachable:NoExecute',
    ]);
    expect(ids(node('True', { taints }), 'is-held')).toEqual([]);
  });

  it.each<[number, number, Eviction]>([
    [1, 1, 'goes-on'],
    [1, 2, 'goes-on'],
    [1, 3, 'is-held'],
    [3, 3, 'goes-on'],
    [9, 11, 'is-held'],
    [22, 28, 'is-held'],
    [10, 41, 'goes-on'],
    [0, 4, 'is-taken-back'],
  ])('with %i nodes ready and %i not: eviction %s', (ready, unready, eviction) => {
    const away = node('Unknown');
    const nodes = [
      ...Array.from({ length: ready }, () => node('True')),
      away,
      ...Array.from({ length: unready - 1 }, (_, i) => node(i % 2 ? 'False' : 'Unknown')),
    ];
    expect(evictionFrom(away, nodes)).toBe(eviction);
  });

  it('are judged zone by zone', () => {
    const within = (zone: string, of: Node): Node => ({
      ...of,
      metadata: { ...of.metadata, labels: { 'topology.kubernetes.io/zone': zone } },
    });
    const [a, b] = [within('a', node('Unknown')), within('b', node('Unknown'))];
    const ready = within('a', node('True'));
    const nodes = [a, a, a, ready, b, b, b];
    expect(evictionFrom(a, nodes)).toBe('is-held');
    // A whole zone that is down is evicted from, since another is up.
    expect(evictionFrom(b, nodes)).toBe('goes-on');
  });

  it('follow pressure and cordons', () => {
    const pressed = node('True', { unschedulable: true }, [
      { type: 'MemoryPressure', status: 'True' },
      { type: 'DiskPressure', status: 'False' },
    ]);
    expect(ids(pressed)).toEqual(['memory-pressure:NoSchedule', 'unschedulable:NoSchedule']);
  });

  it('of others stay, and ours go when they no longer hold', () => {
    const theirs = { key: 'example.com/gpu', effect: 'NoSchedule' };
    const ours = nextTaints(node('False'), { eviction: 'goes-on', nowMs: NOW }) ?? [];
    expect(
      nextTaints(node('True', { taints: [theirs, ...ours] }), { eviction: 'goes-on', nowMs: NOW }),
    ).toEqual([theirs]);
    expect(
      nextTaints(node('False', { taints: [theirs, ...ours] }), {
        eviction: 'goes-on',
        nowMs: NOW + 5,
      }),
    ).toBeUndefined();
  });
});

describe('a pod under a taint', () => {
  const taint = (key: string): Taint => ({ key, effect: 'NoExecute' });
  const tolerate = (key: string, tolerationSeconds?: number) => ({
    key,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds,
  });
  const leaves = (taints: Taint[], tolerations?: Toleration[]) =>
    leavesAtMs(taints, tolerations, ({ key }) => (key === 'late' ? NOW + 5_000 : NOW));

  it('goes at once where it does not tolerate it', () => {
    expect(leaves([taint('a')], [])).toBe(NOW);
    expect(leaves([taint('late')])).toBe(NOW + 5_000);
  });

  it('goes when its toleration has run out, counted from the taint', () => {
    expect(leaves([taint('late')], [tolerate('late', 300)])).toBe(NOW + 305_000);
    expect(leaves([taint('a')], [tolerate('a', -1)])).toBe(NOW);
  });

  it('stays where it tolerates without a limit', () => {
    expect(leaves([taint('a')], [tolerate('a')])).toBeUndefined();
    expect(leaves([], [])).toBeUndefined();
  });

  it('goes by the shortest of several limits', () => {
    const tolerations = [tolerate('a', 300), tolerate('b', 10)];
    expect(leaves([taint('a'), taint('b')], tolerations)).toBe(NOW + 10_000);
  });

  it('goes by the first of several tolerations of one taint', () => {
    expect(leaves([taint('b')], [tolerate('b'), tolerate('b', 10)])).toBeUndefined();
    expect(leaves([taint('b')], [tolerate('b', 10), tolerate('b')])).toBe(NOW + 10_000);
  });
});
