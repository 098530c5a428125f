// What objects use of quotas, which quotas are about them, and when there is no more room.
import { describe, expect, it } from 'vitest';
import type { Pod, ResourceQuota, ResourceQuotaSpec } from '../generated/types.ts';
import { formatQuantity, parseQuantity } from '../meta/quantity.ts';
import { charge, growth, quotaCovers, totalUsage, unsaid, usageOf } from './quota-usage.ts';

const texts = (list: ReturnType<typeof usageOf>) =>
  Object.fromEntries(Object.entries(list).map(([name, amount]) => [name, formatQuantity(amount)]));
const pods = { group: '', plural: 'pods' };
const claims = { group: '', plural: 'persistentvolumeclaims' };
const thing = (parts: object = {}): Pod =>
  ({ apiVersion: 'v1', kind: 'X', metadata: { name: 'x' }, ...parts }) as Pod;
const pod = (resources: object = {}, spec: object = {}, status: object = {}): Pod =>
  thing({ spec: { containers: [{ name: 'a', image: 'a', resources }], ...spec }, status });
const quota = (spec: ResourceQuotaSpec, status: object = {}): ResourceQuota => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'q' },
  spec,
  status,
});

describe('usage', () => {
  it.each<[string, { group: string; plural: string }, Pod, object]>([
    [
      'of any kind is a count',
      { group: 'batch', plural: 'jobs' },
      thing(),
      { 'count/jobs.batch': '1' },
    ],
    [
      'of older kinds is a plain count too',
      { group: '', plural: 'secrets' },
      thing(),
      { 'count/secrets': '1', secrets: '1' },
    ],
    [
      'of a pod is what it asks for and is held to',
      pods,
      pod({ requests: { cpu: '100m', 'a.io/gpu': '2' }, limits: { cpu: '1' } }),
      {
        'count/pods': '1',
        pods: '1',
        cpu: '100m',
        'requests.cpu': '100m',
        'limits.cpu': '1',
        'requests.a.io/gpu': '2',
      },
    ],
    [
      'of a pod that has ended is its place',
      pods,
      pod({}, {}, { phase: 'Failed' }),
      { 'count/pods': '1' },
    ],
    [
      'of a service is its ports and its balancer',
      { group: '', plural: 'services' },
      thing({
        spec: { type: 'LoadBalancer', ports: [{ port: 1, nodePort: 30_000 }, { port: 2 }] },
      }),
      {
        'count/services': '1',
        services: '1',
        'services.loadbalancers': '1',
        'services.nodeports': '1',
      },
    ],
    [
      'of a claim is its storage, by class too',
      claims,
      thing({ spec: { storageClassName: 'fast', resources: { requests: { storage: '1Gi' } } } }),
      {
        'count/persistentvolumeclaims': '1',
        persistentvolumeclaims: '1',
        'requests.storage': '1Gi',
        'fast.storageclass.storage.k8s.io/requests.storage': '1Gi',
        'fast.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
      },
    ],
  ])('%s', (...[, ref, object, usage]) => {
    expect(texts(usageOf(ref, object))).toEqual(usage);
  });

  it('together is told of what is bounded alone', () => {
    const one = quota({ hard: { pods: '5', 'requests.cpu': '4', secrets: '2' } });
    const all = [
      [pods, pod({ requests: { cpu: '500m' } })],
      [pods, pod({ requests: { cpu: '1' } })],
      [claims, thing()],
    ] as const;
    expect(totalUsage(one, all)).toEqual({ pods: '2', 'requests.cpu': '1500m', secrets: '0' });
  });
});

describe('scopes', () => {
  const asked = { requests: { cpu: '1' } };
  const far = { podAffinityTerm: { topologyKey: 'a', namespaces: ['b'] }, weight: 1 };
  const reaching = {
    affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [far] } },
  };
  it.each<[string, Pod, boolean]>([
    ['Terminating', pod({}, { activeDeadlineSeconds: 5 }), true],
    ['Terminating', pod(), false],
    ['NotTerminating', pod(), true],
    ['BestEffort', pod(), true],
    ['BestEffort', pod(asked), false],
    ['NotBestEffort', pod(asked), true],
    ['PriorityClass', pod({}, { priorityClassName: 'high' }), true],
    ['PriorityClass', pod(), false],
    ['CrossNamespacePodAffinity', pod({}, reaching), true],
    ['CrossNamespacePodAffinity', pod(), false],
  ])('%s select pods: %#', (scope, object, covered) => {
    expect(quotaCovers(quota({ scopes: [scope] }), pods, object)).toBe(covered);
    expect(quotaCovers(quota({ scopes: [scope] }), claims, object)).toBe(false);
    expect(quotaCovers(quota({}), claims, object)).toBe(true);
  });

  it.each<[string, string[], boolean, boolean]>([
    ['In', ['high'], true, false],
    ['NotIn', ['high'], false, true],
    ['DoesNotExist', [], false, true],
  ])('select classes by %s %j', (...[operator, values, high, none]) => {
    const requirement = { scopeName: 'PriorityClass', operator, values };
    const one = quota({ scopeSelector: { matchExpressions: [requirement] } });
    expect(quotaCovers(one, pods, pod({}, { priorityClassName: 'high' }))).toBe(high);
    expect(quotaCovers(one, pods, pod())).toBe(none);
  });

  it('select claims by their attributes', () => {
    const one = quota({ scopes: ['VolumeAttributesClass'] });
    expect(quotaCovers(one, claims, thing({ spec: { volumeAttributesClassName: 'a' } }))).toBe(
      true,
    );
    expect(quotaCovers(one, claims, thing({ spec: {} }))).toBe(false);
  });
});

describe('room', () => {
  const status = { hard: { pods: '2', cpu: '1' }, used: { pods: '1', cpu: '500m' } };

  it('is taken up to the bound, and no further', () => {
    const asks = (cpu: string) => usageOf(pods, pod({ requests: { cpu } }));
    expect(charge(quota({}, status), asks('500m'))).toEqual({ used: { pods: '2', cpu: '1' } });
    expect(charge(quota({}, status), asks('501m'))).toEqual({
      why: 'exceeded quota: q, requested: cpu=501m, used: cpu=500m, limited: cpu=1',
    });
    const full = { ...status, used: { pods: '2', cpu: '1' } };
    expect(charge(quota({}, full), asks('1'))).toEqual({
      why: 'exceeded quota: q, requested: cpu=1,pods=1, used: cpu=1,pods=2, limited: cpu=1,pods=2',
    });
  });

  it('is asked for what grows alone', () => {
    const of = (storage: string) => ({ 'requests.storage': parseQuantity(storage) });
    expect(texts(growth(of('3Gi'), of('1Gi')))).toEqual({ 'requests.storage': '2Gi' });
    expect(growth(of('1Gi'), of('3Gi'))).toEqual({});
  });

  it('needs containers that say what they need', () => {
    const one = quota({}, { hard: { cpu: '1', 'limits.memory': '1Gi', pods: '3' } });
    expect(unsaid(one, pod({ requests: { cpu: '1' } }))).toBe(
      'failed quota: q: must specify limits.memory for: a',
    );
    expect(unsaid(one, pod())).toBe(
      'failed quota: q: must specify cpu for: a; limits.memory for: a',
    );
    expect(unsaid(one, pod({ requests: { cpu: '1' }, limits: { memory: '1Mi' } }))).toBeUndefined();
  });
});
