// Dry runs: every verb that writes answers as if it had, and nothing is stored, told to watchers or taken.
// Invariant: each case is followed by a look at the whole store's revision, which must not have moved.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Method } from '../../../api/wire/exchange.ts';
import type { ApiCaller, OpenCaller } from '../../support/api-caller.ts';

const CORE = '/api/v1/namespaces/default';
const MAPS = `${CORE}/configmaps`;
const PODS = `${CORE}/pods`;
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
const patch = (kind: string) => `application/${kind}-patch+json`;
const map = (name: string, data = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});
const pod = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i' }] },
});
const deployment = (name: string, replicas = 1) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    },
  },
});
const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'there' } };
const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'there' } };
const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'there' } };
const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'new' } };
const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'new' } };

interface Case {
  readonly name: string;
  readonly method: Method;
  readonly path: string;
  readonly body?: unknown;
  readonly type?: string;
  readonly query?: string;
  readonly status: number;
  /** What the answer has in it. */
  readonly shows: object;
}

const data = (a: string) => ({ data: { a } });
const change = { method: 'PATCH', path: `${MAPS}/there`, status: 200, shows: data('2') } as const;
const remove = { method: 'DELETE', status: 200 } as const;

const CASES: readonly Case[] = [
  {
    name: 'a create',
    method: 'POST',
    path: DEPLOYMENTS,
    body: deployment('new'),
    status: 201,
    shows: {
      metadata: { uid: expect.any(String), creationTimestamp: expect.any(String), generation: 1 },
      spec: { replicas: 1, revisionHistoryLimit: 10 },
    },
  },
  {
    name: 'a create with a generated name',
    method: 'POST',
    path: MAPS,
    body: { ...map(''), metadata: { generateName: 'g-' } },
    status: 201,
    shows: { metadata: { name: expect.stringMatching(/^g-.{5}$/) } },
  },
  {
    name: 'a create that takes an address',
    method: 'POST',
    path: `${CORE}/services`,
    body: { ...service, spec: { ports: [{ port: 80 }], clusterIP: '10.96.7.7' } },
    status: 201,
    shows: { spec: { clusterIP: '10.96.7.7' } },
  },
  {
    name: 'an update',
    method: 'PUT',
    path: `${DEPLOYMENTS}/there`,
    body: deployment('there', 3),
    status: 200,
    shows: { metadata: { generation: 2 }, spec: { replicas: 3 } },
  },
  {
    name: 'an update that creates',
    method: 'PUT',
    path: `${LEASES}/new`,
    body: lease,
    status: 201,
    shows: { metadata: { uid: expect.any(String) } },
  },
  {
    name: 'an update of status',
    method: 'PUT',
    path: `${DEPLOYMENTS}/there/status`,
    body: { ...deployment('there'), status: { replicas: 4 } },
    status: 200,
    shows: { status: { replicas: 4 } },
  },
  { ...change, name: 'a merge patch', type: patch('merge'), body: data('2') },
  { ...change, name: 'a strategic patch', type: patch('strategic-merge'), body: data('2') },
  {
    ...change,
    name: 'a JSON patch',
    type: patch('json'),
    body: [{ op: 'replace', path: '/data/a', value: '2' }],
  },
  {
    ...change,
    name: 'an apply',
    type: 'application/apply-patch+yaml',
    query: 'fieldManager=x&force=true&',
    body: map('there', { a: '2' }),
  },
  {
    ...change,
    name: 'an apply that creates',
    path: `${MAPS}/new`,
    type: 'application/apply-patch+yaml',
    query: 'fieldManager=x&',
    body: map('new', { a: '2' }),
    status: 201,
  },
  {
    name: 'a scale',
    method: 'PUT',
    path: `${DEPLOYMENTS}/there/scale`,
    body: { ...scale, spec: { replicas: 5 } },
    status: 200,
    shows: { kind: 'Scale', spec: { replicas: 5 } },
  },
  {
    ...remove,
    name: 'a delete',
    path: `${MAPS}/there`,
    shows: { kind: 'Status', status: 'Success', details: { name: 'there' } },
  },
  {
    ...remove,
    name: 'a delete that leaves dependents',
    path: `${MAPS}/there`,
    body: { propagationPolicy: 'Orphan' },
    shows: { metadata: { finalizers: ['orphan'], deletionTimestamp: expect.any(String) } },
  },
  {
    ...remove,
    name: 'a delete of a collection',
    path: MAPS,
    shows: { kind: 'ConfigMapList', items: [{ metadata: { name: 'there' } }] },
  },
  {
    name: 'a binding',
    method: 'POST',
    path: `${PODS}/there/binding`,
    body: { ...binding, target: { kind: 'Node', name: 'n' } },
    status: 201,
    shows: { kind: 'Status', status: 'Success' },
  },
  {
    name: 'an eviction',
    method: 'POST',
    path: `${PODS}/there/eviction`,
    body: eviction,
    status: 201,
    shows: { kind: 'Status', status: 'Success' },
  },
];

/** Holds for every way to a server, over every storage. */
export function dryRunningContract(open: OpenCaller): void {
  let api: ApiCaller;
  beforeAll(async () => {
    api = await open();
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
    await api.call('POST', `${CORE}/serviceaccounts`, { body: account });
    await api.call('POST', MAPS, { body: map('there', { a: '1' }) });
    await api.call('POST', DEPLOYMENTS, { body: deployment('there') });
    await api.call('POST', PODS, { body: pod('there') });
  });
  afterAll(() => api.close());
  const send = ({ method, path, body, type, query = '' }: Case, dryRun: string) =>
    api.call(method, `${path}?${query}dryRun=${dryRun}`, { body, ...(type && { type }) });

  it.each(CASES)('of $name show what would be, and store nothing', async (each) => {
    const before = api.storage.range().newest;
    const { status, json } = await send(each, 'All');
    expect([status, json]).toEqual([each.status, expect.anything()]);
    expect(json).toMatchObject(each.shows);
    expect(api.storage.range().newest).toBe(before);
  });

  it.each(CASES)('of $name are refused with 422 for any word but All', async (each) => {
    const before = api.storage.range().newest;
    for (const word of ['Some', 'all', 'true', 'All&dryRun=Some']) {
      const { status, json } = await send(each, word);
      expect([status, json.reason]).toEqual([422, 'Invalid']);
      const values = JSON.stringify(word.split('&dryRun='));
      expect(json.message).toMatch(
        /^(Create|Update|Patch|Delete)Options\.meta\.k8s\.io "" is invalid: /,
      );
      expect(json.message).toContain(
        `dryRun: Unsupported value: ${values}: supported values: "All"`,
      );
    }
    expect(api.storage.range().newest).toBe(before);
  });

  it('give back what they took: the address of a Service is free afterwards', async () => {
    const body = { ...service, spec: { ports: [{ port: 80 }], clusterIP: '10.96.7.7' } };
    await api.call('POST', `${CORE}/services?dryRun=All`, { body });
    expect((await api.call('POST', `${CORE}/services`, { body })).status).toBe(201);
    await api.call('DELETE', `${CORE}/services/new`);
  });

  it('are refused as the write would be: taken names, old versions, broken rules, missing objects', async () => {
    const code = async (method: Method, path: string, body: unknown) =>
      (await api.call(method, `${path}?dryRun=All`, { body })).status;
    const stale = { ...map('there'), metadata: { name: 'there', resourceVersion: '1' } };
    expect(await code('POST', MAPS, map('there'))).toBe(409);
    expect(await code('PUT', `${MAPS}/there`, stale)).toBe(409);
    expect(await code('POST', MAPS, map('Bad_Name'))).toBe(422);
    expect(await code('PUT', `${MAPS}/none`, map('none'))).toBe(404);
    expect(await code('DELETE', `${MAPS}/none`, undefined)).toBe(404);
    expect(await code('POST', '/api/v1/namespaces/gone/configmaps', map('a'))).toBe(404);
  });
}
