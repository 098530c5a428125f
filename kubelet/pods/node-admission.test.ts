// Tests of what a node refuses.
import { describe, expect, it } from 'vitest';
import type { PodSpec } from '../../api/generated/types.ts';
import { aContainer, aPod } from './fixtures/pod-scenes.ts';
import { refusalOf } from './node-admission.ts';

const asking = (cpu: string, parts: Partial<PodSpec> = {}) =>
  aPod({ containers: [aContainer('app', { resources: { requests: { cpu } } })], ...parts });

const refused = (spec: Partial<PodSpec>, others = [asking('1500m')]) =>
  refusalOf(aPod(spec), {
    node: {
      allocatable: { cpuMillis: 2000, memoryBytes: 1000, storageBytes: 1000 },
      cpuMillis: 2000,
      memoryBytes: 2000,
      storageBytes: 2000,
      maxPods: 3,
    },
    nodeName: 'node-1',
    nodeLabels: { zone: 'a', cores: '4' },
    others,
  });

const affinity = (key: string, operator: string, values: string[] = []): Partial<PodSpec> => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key, operator, values }] }],
      },
    },
  },
});

describe('a node', () => {
  it('takes what fits', () => {
    expect(refused(asking('500m').spec ?? {})).toBeUndefined();
    expect(refused({ nodeSelector: { zone: 'a' } })).toBeUndefined();
  });

  it('refuses what asks for more than is left, with the figures', () => {
    expect(refused(asking('501m').spec ?? {})).toEqual({
      reason: 'OutOfcpu',
      message:
        "Pod was rejected: Node didn't have enough resource: cpu, requested: 501, used: 1500, capacity: 2000",
    });
    expect(refused({}, [aPod(), aPod(), aPod()])?.reason).toBe('OutOfpods');
  });

  it('refuses what is meant for other nodes', () => {
    expect(refused({ nodeSelector: { zone: 'b' } })?.reason).toBe('NodeAffinity');
  });

  it.each([
    { key: 'zone', operator: 'In', values: ['a', 'b'], fits: true },
    { key: 'zone', operator: 'NotIn', values: ['a'], fits: false },
    { key: 'none', operator: 'NotIn', values: ['a'], fits: true },
    { key: 'zone', operator: 'Exists', values: [], fits: true },
    { key: 'none', operator: 'Exists', values: [], fits: false },
    { key: 'none', operator: 'DoesNotExist', values: [], fits: true },
    { key: 'cores', operator: 'Gt', values: ['3'], fits: true },
    { key: 'cores', operator: 'Lt', values: ['4'], fits: false },
    { key: 'zone', operator: 'Odd', values: [], fits: false },
  ])('weighs $key $operator $values: $fits', ({ key, operator, values, fits }) => {
    expect(refused(affinity(key, operator, values)) === undefined).toBe(fits);
  });
});
