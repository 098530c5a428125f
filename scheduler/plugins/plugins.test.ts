// Filters and scores, each on one node.
import { describe, expect, it } from 'vitest';
import type { Node, NodeSelectorRequirement, Pod } from '../../api/generated/types.ts';
import type { FilterPlugin, ScorePlugin } from '../framework/plugin.ts';
import { demandOf, NodeInfo } from '../snapshot/node-info.ts';
import { leastAllocated, mostAllocated } from './allocation-scores.ts';
import { nodeAffinity, preferredNodeAffinity } from './node-affinity.ts';
import { nodeUnschedulable } from './node-unschedulable.ts';
import { nodePorts, resourcesFit } from './resources-fit.ts';
import { preferUntainted, taintsTolerations } from './taints-tolerations.ts';

const pod = (spec: Partial<Pod['spec']> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { containers: [], ...spec },
});
const asks = (cpu: string, hostPort?: number, hostIP?: string) =>
  pod({
    containers: [
      {
        name: 'c',
        resources: { requests: { cpu, 'example.com/gpu': '0' } },
        ...(hostPort === undefined ? {} : { ports: [{ containerPort: 1, hostPort, hostIP }] }),
      },
    ],
  });
const info = (spec: Node['spec'] = {}, running: Pod[] = []): NodeInfo => {
  const node = new NodeInfo({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n1', labels: { zone: 'a', size: '8' } },
    spec,
    status: { allocatable: { cpu: '2', memory: '1Gi', pods: '3' } },
  });
  for (const [i, each] of running.entries()) node.addPod(`u${i}`, demandOf(each));
  return node;
};
const refusal = (plugin: FilterPlugin, of: Pod, node: NodeInfo) =>
  plugin.filter({ pod: of, demand: demandOf(of) }, node);
const scoreOf = (plugin: ScorePlugin, of: Pod, node: NodeInfo) =>
  plugin.score({ pod: of, demand: demandOf(of) }, node);

describe('resources', () => {
  it('must be left, every kind of them', () => {
    const node = info({}, [asks('1500m')]);
    expect(refusal(resourcesFit, asks('500m'), node)).toEqual([]);
    expect(refusal(resourcesFit, asks('501m'), node)).toEqual(['Insufficient cpu']);
    const gpu = { name: 'c', resources: { requests: { 'example.com/gpu': '1' } } };
    expect(refusal(resourcesFit, pod({ containers: [gpu] }), node)).toEqual([
      'Insufficient example.com/gpu',
    ]);
    const full = info({}, [pod(), pod(), pod()]);
    expect(refusal(resourcesFit, pod(), full)).toEqual(['Too many pods']);
  });

  it('are preferred free, or in use', () => {
    const [empty, half] = [info(), info({}, [asks('1')])];
    const [least, most] = [leastAllocated, mostAllocated].map((plugin) => [
      scoreOf(plugin, asks('100m'), empty),
      scoreOf(plugin, asks('100m'), half),
    ]);
    expect(least?.[0]).toBeGreaterThan(least?.[1] ?? 0);
    expect(most?.[0]).toBeLessThan(most?.[1] ?? 0);
  });
});

describe('pods that request nothing', () => {
  const silent = (containers: number) =>
    pod({ containers: Array.from({ length: containers }, (_, i) => ({ name: `c${i}` })) });

  it('make their node look fuller, by the number of their containers', () => {
    const nodes = [info(), info({}, [silent(1)]), info({}, [asks('400m')]), info({}, [silent(3)])];
    const least = nodes.map((node) => scoreOf(leastAllocated, silent(1), node));
    expect(least).toEqual(least.toSorted((a, b) => b - a));
    expect(new Set(least).size).toBe(4);
    const most = nodes.map((node) => scoreOf(mostAllocated, silent(1), node));
    expect(most).toEqual(least.map((score) => 100 - score));
  });

  it('take no room all the same', () => {
    const node = info({}, [silent(25)]);
    expect(refusal(resourcesFit, asks('2'), node)).toEqual([]);
    node.removePod('u0');
    expect(node.weighed('cpu')).toBe(0n);
  });
});

describe('host ports', () => {
  it('of init containers that stay count, of others not', () => {
    const holds = (restartPolicy?: string) =>
      pod({
        initContainers: [
          {
            name: 'i',
            ports: [{ containerPort: 1, hostPort: 80 }],
            ...(restartPolicy ? { restartPolicy } : {}),
          },
        ],
      });
    expect(refusal(nodePorts, asks('0', 80), info({}, [holds('Always')]))).toHaveLength(1);
    expect(refusal(nodePorts, asks('0', 80), info({}, [holds()]))).toEqual([]);
  });

  it.each([
    [80, undefined, 80, undefined, false],
    [80, undefined, 81, undefined, true],
    [80, '10.0.0.1', 80, '10.0.0.2', true],
    [80, '10.0.0.1', 80, '10.0.0.1', false],
    [80, '0.0.0.0', 80, '10.0.0.1', false],
    [80, '10.0.0.1', 80, undefined, false],
  ])('%s at %s beside %s at %s: fits is %s', (...[port, ip, other, otherIp, fits]) => {
    const node = info({}, [asks('0', port, ip)]);
    expect(refusal(nodePorts, asks('0', other, otherIp), node).length === 0).toBe(fits);
  });
});

describe('taints', () => {
  const soft = { key: 's', effect: 'PreferNoSchedule' };
  const node = info({ taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }, soft] });

  it('keep pods away that do not tolerate them; soft ones do not', () => {
    expect(refusal(taintsTolerations, pod(), node)).toEqual([
      'node(s) had untolerated taint {k: v}',
    ]);
    const tolerant = pod({ tolerations: [{ key: 'k', operator: 'Exists' }] });
    expect(refusal(taintsTolerations, tolerant, node)).toEqual([]);
  });

  it('that are soft put pods off', () => {
    expect(scoreOf(preferUntainted, pod(), info())).toBe(100);
    expect(scoreOf(preferUntainted, pod(), node)).toBe(50);
    const tolerant = pod({ tolerations: [{ key: 's', operator: 'Exists' }] });
    expect(scoreOf(preferUntainted, tolerant, node)).toBe(100);
  });

  it('of cordons are tolerated by those that say so', () => {
    const cordoned = info({ unschedulable: true });
    expect(refusal(nodeUnschedulable, pod(), cordoned)).toEqual(['node(s) were unschedulable']);
    const tolerant = pod({ tolerations: [{ operator: 'Exists' }] });
    expect(refusal(nodeUnschedulable, tolerant, cordoned)).toEqual([]);
  });
});

describe('affinity', () => {
  const requires = (...matchExpressions: NodeSelectorRequirement[]) =>
    pod({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions }],
          },
        },
      },
    });

  it.each<[string, string, string[] | undefined, boolean]>([
    ['zone', 'In', ['a', 'b'], true],
    ['zone', 'In', ['b'], false],
    ['zone', 'NotIn', ['b'], true],
    ['gone', 'NotIn', ['b'], true],
    ['zone', 'Exists', undefined, true],
    ['gone', 'DoesNotExist', undefined, true],
    ['size', 'Gt', ['7'], true],
    ['size', 'Lt', ['8'], false],
    ['zone', 'Near', ['a'], false],
  ])('by %s %s %s fits: %s', (...[key, operator, values, fits]) => {
    const of = requires({ key, operator, ...(values ? { values } : {}) });
    expect(refusal(nodeAffinity, of, info()).length === 0).toBe(fits);
  });

  it('by selector wants every label; a term without requirements matches nothing', () => {
    expect(refusal(nodeAffinity, pod({ nodeSelector: { zone: 'a' } }), info())).toEqual([]);
    expect(refusal(nodeAffinity, pod({ nodeSelector: { zone: 'b' } }), info())).toHaveLength(1);
    expect(refusal(nodeAffinity, requires(), info())).toHaveLength(1);
  });

  it('that is preferred counts by its weight', () => {
    const prefer = (weight: number, zone: string) => ({
      weight,
      preference: { matchExpressions: [{ key: 'zone', operator: 'In', values: [zone] }] },
    });
    const of = pod({
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [prefer(30, 'a'), prefer(10, 'b')],
        },
      },
    });
    expect(scoreOf(preferredNodeAffinity, of, info())).toBe(75);
  });

  it('that is preferred but says nothing counts for nothing', () => {
    const prefers = (...terms: object[]) =>
      pod({
        affinity: {
          nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: terms as never },
        },
      });
    const inZone = { matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] };
    expect(scoreOf(preferredNodeAffinity, prefers({ weight: 1 }), info())).toBe(0);
    const among = prefers(
      { weight: 99 },
      { weight: 9, preference: {} },
      { weight: 1, preference: inZone },
    );
    expect(scoreOf(preferredNodeAffinity, among, info())).toBe(100);
  });
});
