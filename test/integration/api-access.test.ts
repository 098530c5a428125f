// Who may do what, how the server describes itself, and the figures of nodes and pods.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
const METRICS = '/apis/metrics.k8s.io/v1beta1';
const NOW = Date.now();

let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
  const make = (path: string, body: object) => api.call('POST', path, { body });
  await make(`${RBAC}/roles`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'reader' },
    rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] }],
  });
  await make(`${RBAC}/rolebindings`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'eve-reads' },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'eve' }],
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
  });
  await make('/api/v1/namespaces/default/serviceaccounts', {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default' },
  });
  for (const name of ['n1', 'n2'])
    await make('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name } });
  for (const nodeName of ['n1', 'n2'])
    await make('/api/v1/namespaces/default/pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `on-${nodeName}`, labels: { app: 'x' } },
      spec: { nodeName, containers: [{ name: 'c', image: 'i' }] },
    });
});
afterAll(() => api.close());

describe('Access', () => {
  const asEve = (path: string) => api.call('GET', path, { as: 'eve' });

  it('is what a Role gives, in its namespace only', async () => {
    expect((await asEve('/api/v1/namespaces/default/configmaps')).status).toBe(200);
    const refused = await asEve('/api/v1/namespaces/kube-system/configmaps');
    expect(refused.status).toBe(403);
    expect(refused.json.message).toBe(
      'configmaps is forbidden: User "eve" cannot list resource "configmaps" in API group "" in the namespace "kube-system"',
    );
    expect(refused.json.details).toEqual({ kind: 'configmaps' });
    expect((await asEve('/api/v1/namespaces/default/secrets/s')).json.message).toBe(
      'secrets "s" is forbidden: User "eve" cannot get resource "secrets" in API group "" in the namespace "default"',
    );
    expect((await asEve('/api/v1/nodes')).json.message).toContain('at the cluster scope');
  });

  it.each([
    ['list', true],
    ['delete', false],
  ])('answers a review of %s as requests are answered', async (verb, allowed) => {
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const body = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { namespace: 'default', verb, resource: 'configmaps' } },
    };
    const { json, status } = await api.call('POST', path, { body, as: 'eve' });
    expect([status, json.status['allowed']]).toEqual([201, allowed]);
  });
});

describe('A binding', () => {
  it('is refused with a word about roles that are bound and not there', async () => {
    await api.call('POST', `${RBAC}/rolebindings`, {
      body: {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: 'dangling' },
        subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'dan' }],
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'nope' },
      },
    });
    const missing = 'RBAC: clusterrole.rbac.authorization.k8s.io "nope" not found';
    const refused = await api.call('GET', '/api/v1/namespaces/default/pods', { as: 'dan' });
    expect(refused.json.message).toBe(
      'pods is forbidden: User "dan" cannot list resource "pods" in API group "" in the namespace "default": ' +
        missing,
    );
    const spec = {
      user: 'dan',
      resourceAttributes: { namespace: 'default', verb: 'list', resource: 'pods' },
    };
    const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
    const asked = await api.call('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      body,
    });
    expect(asked.json.status).toEqual({ allowed: false, reason: missing });
  });

  it('to a role that is not there is only for those who may bind it', async () => {
    const rbac = 'rbac.authorization.k8s.io';
    const make = (kind: string, name: string, more: object) =>
      api.call('POST', `${RBAC}/${kind}`, { body: { metadata: { name }, ...more } });
    await make('roles', 'binder', {
      rules: [{ apiGroups: [rbac], resources: ['rolebindings'], verbs: ['create'] }],
    });
    const subjects = [{ kind: 'User', apiGroup: rbac, name: 'mallory' }];
    const refTo = (name: string) => ({ apiGroup: rbac, kind: 'Role', name });
    await make('rolebindings', 'mallory-binds', { subjects, roleRef: refTo('binder') });
    const body = { metadata: { name: 'later' }, subjects, roleRef: refTo('made-later') };
    const refused = await api.call('POST', `${RBAC}/rolebindings`, { body, as: 'mallory' });
    expect(refused.json).toMatchObject({
      code: 404,
      reason: 'NotFound',
      message: 'roles.rbac.authorization.k8s.io "made-later" not found',
    });
    const bind = { apiGroups: [rbac], resources: ['roles'], resourceNames: ['made-later'] };
    await make('roles', 'grantor', { rules: [{ ...bind, verbs: ['bind'] }] });
    await make('rolebindings', 'mallory-grants', { subjects, roleRef: refTo('grantor') });
    const allowed = await api.call('POST', `${RBAC}/rolebindings`, { body, as: 'mallory' });
    expect(allowed.status).toBe(201);
  });
});

describe('The server', () => {
  it.each(['/healthz', '/livez', '/readyz'])('answers ok at %s', async (path) => {
    expect((await api.call('GET', path)).text.trim()).toBe('ok');
    expect((await api.call('GET', `${path}?verbose`)).text).toContain('[+]ping ok');
  });

  it('lists what it serves, with subresources, short names and verbs', async () => {
    const core = (await api.call('GET', '/api/v1')).text;
    for (const part of ['"pods/binding"', '"pods/eviction"', '"services/status"', '"po"'])
      expect(core).toContain(part);
    const groups = (await api.call('GET', '/apis')).text;
    for (const part of ['"apps/v1"', '"metrics.k8s.io/v1beta1"', '"autoscaling/v2"'])
      expect(groups).toContain(part);
    expect(JSON.parse((await api.call('GET', '/version')).text)).toHaveProperty('gitVersion');
  });

  it('answers 404 where nothing is, 405 where a verb is not', async () => {
    expect((await api.call('GET', '/apis/apps/v1/pods')).status).toBe(404);
    expect((await api.call('POST', '/api/v1/namespaces/default/pods/x/log')).status).toBe(405);
  });
});

describe('Figures', () => {
  const containers = [{ name: 'c', cpuNanoCores: 5e8, memoryBytes: 2 ** 20 }];
  const sample = (...names: string[]) => ({
    timestampMs: NOW,
    windowMs: 1000,
    node: { cpuNanoCores: 1e9, memoryBytes: 2 ** 30 },
    pods: names.map((name) => ({ namespace: 'default', name, uid: '', containers })),
  });
  const post = (node: string, body: object, as?: string) =>
    api.call('POST', `${METRICS}/nodes/${node}/samples`, { body, ...(as && { as }) });

  it('come from a node about itself and its own pods', async () => {
    const watch = await api.watch(`${METRICS}/namespaces/default/pods`);
    expect((await post('n1', sample('on-n1', 'on-n2', 'gone'))).status).toBe(204);
    expect(await watch.take(1)).toEqual(['ADDED on-n1']);
    const pods = (await api.call('GET', `${METRICS}/pods?labelSelector=app%3Dx`)).json;
    expect(pods.kind).toBe('PodMetricsList');
    expect(pods.items.map(({ metadata }) => metadata.name)).toEqual(['on-n1']);
    const one = await api.call('GET', `${METRICS}/namespaces/default/pods/on-n1`);
    expect(one.json['containers']).toEqual([
      { name: 'c', usage: { cpu: '500000000n', memory: '1024Ki' } },
    ]);
    await post('n1', sample());
    expect(await watch.take(1)).toEqual(['DELETED on-n1']);
    watch.stop();
    expect((await api.call('GET', `${METRICS}/nodes/n1`)).status).toBe(200);
    expect((await api.call('GET', `${METRICS}/nodes/n2`)).status).toBe(404);
  });

  it('are refused of a node that is not there, and from another node', async () => {
    expect((await post('n9', sample())).status).toBe(404);
    expect((await post('n1', sample(), 'system:node:n2')).status).toBe(403);
  });

  it('are refused when they are no figures', async () => {
    const broken = [
      {},
      { ...sample(), timestampMs: 1e99 },
      { ...sample(), node: {} },
      { ...sample(), pods: [null] },
      { ...sample(), pods: [{ namespace: 'default', name: 'on-n1', containers: [{ name: 'c' }] }] },
    ];
    for (const body of broken) expect((await post('n1', body)).status).toBe(400);
  });
});
