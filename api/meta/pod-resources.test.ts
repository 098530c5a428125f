// What pods ask for as a whole, and their quality-of-service class.
import { describe, expect, it } from 'vitest';
import type { Container, PodSpec } from '../generated/types.ts';
import type { ResourceList } from './pod-resources.ts';
import { podLimits, podRequests, qosClassOf } from './pod-resources.ts';
import { formatQuantity } from './quantity.ts';

const asks = (cpu: string, more: Partial<Container> = {}): Container => ({
  name: 'c',
  resources: { requests: { cpu } },
  ...more,
});
const texts = (list: ResourceList) =>
  Object.fromEntries(Object.entries(list).map(([name, amount]) => [name, formatQuantity(amount)]));

describe('requests of a pod', () => {
  it.each<[string, PodSpec, Record<string, string>]>([
    ['none', { containers: [{ name: 'a' }] }, {}],
    ['the sum of its containers', { containers: [asks('100m'), asks('1')] }, { cpu: '1100m' }],
    [
      'limits where no request is stated',
      { containers: [{ name: 'a', resources: { limits: { memory: '1Gi' } } }] },
      { memory: '1Gi' },
    ],
    [
      'the largest init container, where that is more',
      { containers: [asks('100m')], initContainers: [asks('2'), asks('1')] },
      { cpu: '2' },
    ],
    [
      'sidecars beside all that start after them',
      {
        containers: [asks('1')],
        initContainers: [asks('500m', { restartPolicy: 'Always' }), asks('2')],
      },
      { cpu: '2500m' },
    ],
    [
      'sidecars beside the containers',
      {
        containers: [asks('1')],
        initContainers: [asks('1500m'), asks('500m', { restartPolicy: 'Always' })],
      },
      { cpu: '1500m' },
    ],
    ['overhead on top', { containers: [asks('1')], overhead: { cpu: '250m' } }, { cpu: '1250m' }],
    [
      'what is stated for the pod as a whole',
      { containers: [asks('1')], resources: { requests: { cpu: '3', 'example.com/x': '1' } } },
      { cpu: '3' },
    ],
  ])('are %s', (_what, spec, expected) => {
    expect(texts(podRequests(spec))).toEqual(expected);
  });

  it('leave overhead out of limits that are not set', () => {
    const spec: PodSpec = {
      containers: [{ name: 'a', resources: { limits: { cpu: '1' } } }],
      overhead: { cpu: '100m', memory: '10Mi' },
    };
    expect(texts(podLimits(spec))).toEqual({ cpu: '1100m' });
  });
});

describe('quality of service', () => {
  const both = { cpu: '1', memory: '1Gi' };
  it.each<[string, PodSpec]>([
    ['BestEffort', { containers: [{ name: 'a' }] }],
    ['BestEffort', { containers: [{ name: 'a', resources: { requests: { cpu: '0' } } }] }],
    ['Burstable', { containers: [asks('1')] }],
    ['Burstable', { containers: [{ name: 'a', resources: { limits: { cpu: '1' } } }] }],
    ['Guaranteed', { containers: [{ name: 'a', resources: { limits: both } }] }],
    [
      'Guaranteed',
      {
        containers: [
          { name: 'a', resources: { limits: both, requests: { cpu: '1000m', memory: '1024Mi' } } },
        ],
      },
    ],
    ['Burstable', { containers: [{ name: 'a', resources: { limits: both } }, { name: 'b' }] }],
    [
      'Burstable',
      { containers: [{ name: 'a', resources: { limits: both } }], initContainers: [asks('1')] },
    ],
    ['Guaranteed', { containers: [{ name: 'a' }], resources: { limits: both, requests: both } }],
  ])('is %s', (expected, spec) => {
    expect(qosClassOf(spec)).toBe(expected);
  });
});
