// Resources that containers see of themselves and of each other (downward API): limits that stand in for each other, units, and names.
import { describe, expect, it } from 'vitest';
import type { Container, Pod } from '../../api/generated/types.ts';
import { type PodFacts, resourceField } from './pod-fields.ts';

const GIB = 1024 ** 3;
const facts: PodFacts = {
  podIp: '10.0.0.1',
  hostIp: '192.0.2.1',
  nodeName: 'n1',
  allocatable: { cpuMillis: 1500, memoryBytes: 4 * GIB, storageBytes: 9 * GIB },
};
const plain: Container = { name: 'plain', image: 'app:1' };
const sized: Container = {
  name: 'sized',
  image: 'app:1',
  resources: {
    requests: { cpu: '250m', memory: '64Mi', 'ephemeral-storage': '1Gi', 'hugepages-2Mi': '4Mi' },
    limits: { cpu: '1200m', memory: '100Mi', 'ephemeral-storage': '2Gi', 'hugepages-2Mi': '4Mi' },
  },
};
const zero: Container = {
  name: 'zero',
  image: 'app:1',
  resources: { limits: { cpu: '0', memory: '0' } },
};
const pod = (resources: object = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'shop', name: 'web' },
  spec: { containers: [plain, zero], initContainers: [sized], resources },
});
const valueOf = (containerName: string, resource: string, divisor = '0') =>
  resourceField({ containerName, resource, divisor }, { pod: pod(), facts });

describe('a resource field', () => {
  it.each([
    ['requests.cpu', '0', '1'],
    ['requests.cpu', '1m', '250'],
    ['limits.cpu', '0', '2'],
    ['limits.cpu', '100m', '12'],
    ['requests.memory', '0', String(64 * 1024 ** 2)],
    ['limits.memory', '1Mi', '100'],
    ['limits.memory', '1Gi', '1'],
    ['requests.ephemeral-storage', '1Gi', '1'],
    ['limits.ephemeral-storage', '1Mi', '2048'],
    ['requests.hugepages-2Mi', '1Mi', '4'],
    ['limits.hugepages-2Mi', '0', String(4 * 1024 ** 2)],
  ])('%s in units of %s is %s, rounded up', (resource, divisor, value) => {
    expect(valueOf('sized', resource, divisor)).toBe(value);
  });

  it.each([
    ['limits.cpu', '1m', '1500'],
    ['limits.memory', '1Gi', '4'],
    ['limits.ephemeral-storage', '1Gi', '9'],
    ['limits.hugepages-2Mi', '0', '0'],
    ['requests.cpu', '1m', '0'],
    ['requests.memory', '0', '0'],
    ['requests.ephemeral-storage', '0', '0'],
  ])('%s that is not set is what the node has for pods, a request nothing: in %s %s', (...row) => {
    const [resource, divisor, value] = row;
    expect(valueOf('plain', resource, divisor)).toBe(value);
    if (resource !== 'limits.ephemeral-storage')
      expect(valueOf('zero', resource, divisor), 'nor is a limit of zero one').toBe(value);
  });

  it('that is not set is the pod’s own limit where it has one', () => {
    const limits = { cpu: '500m', memory: '1Gi' };
    const of = (resource: string, divisor: string) =>
      resourceField({ containerName: 'plain', resource, divisor }, { pod: pod({ limits }), facts });
    expect(of('limits.cpu', '1m')).toBe('500');
    expect(of('limits.memory', '1Gi')).toBe('1');
    expect(of('limits.ephemeral-storage', '1Gi')).toBe('9');
  });

  it('is about its own container where it names none, and about none where there is no such one', () => {
    const ref = { resource: 'requests.cpu', divisor: '1m' };
    expect(resourceField(ref, { pod: pod(), facts, own: sized })).toBe('250');
    expect(resourceField(ref, { pod: pod(), facts })).toBeUndefined();
    expect(valueOf('nobody', 'limits.cpu')).toBeUndefined();
  });
});
