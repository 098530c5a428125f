// What is asked for in part: one name of a collection, a large part of one, kinds of patches of a scale.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const RBAC = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const map = (name: string, labels = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels },
});
const selector = { matchLabels: { app: 'web' } };
const template = {
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'c', image: 'i' }] },
};

let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
  for (const name of ['a', 'ab', 'b']) await api.call('POST', MAPS, { body: map(name) });
});
afterAll(() => api.close());

describe('A field selector for one name', () => {
  const only = (name: string) => `${MAPS}?fieldSelector=metadata.name%3D${name}`;

  it('finds that object and no other that begins like it', async () => {
    const { items } = (await api.call('GET', only('a'))).json;
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['a']);
    expect((await api.call('GET', only('none'))).json.items).toEqual([]);
    const everywhere = '/api/v1/configmaps?fieldSelector=metadata.name%3Da';
    expect((await api.call('GET', everywhere)).json.items).toHaveLength(1);
  });

  it('makes do with a rule for that name: list and watch of it are allowed, of all they are not', async () => {
    const rules = [
      {
        apiGroups: [''],
        resources: ['configmaps'],
        resourceNames: ['a'],
        verbs: ['list', 'watch'],
      },
    ];
    const apiVersion = 'rbac.authorization.k8s.io/v1';
    const metadata = { name: 'one' };
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'one' };
    const subjects = [{ apiGroup: roleRef.apiGroup, kind: 'User', name: 'ann' }];
    const role = { apiVersion, kind: 'Role', metadata, rules };
    const binding = { apiVersion, kind: 'RoleBinding', metadata, roleRef, subjects };
    expect((await api.call('POST', `${RBAC}/roles`, { body: role })).status).toBe(201);
    expect((await api.call('POST', `${RBAC}/rolebindings`, { body: binding })).status).toBe(201);
    const as = 'ann';
    expect((await api.call('GET', only('a'), { as })).status).toBe(200);
    const watch = await api.watch(only('a'), { as });
    expect(await watch.take(1)).toEqual(['ADDED a']);
    watch.stop();
    expect((await api.call('GET', only('b'), { as })).status).toBe(403);
    expect((await api.call('GET', MAPS, { as })).status).toBe(403);
    expect((await api.call('GET', `${MAPS}?fieldSelector=bad`, { as })).status).toBe(403);
  });
});

describe('A field selector', () => {
  const refusal = async (path: string, selector: string) => {
    const answer = await api.call('GET', `${path}?fieldSelector=${encodeURIComponent(selector)}`);
    return answer.status === 200 ? undefined : answer.json.message;
  };

  it.each([
    ['/api/v1/pods', ['spec.host=n', 'status.podIPs=1', 'spec.nodeName=n', 'metadata.namespace=a']],
    ['/api/v1/nodes', ['spec.unschedulable=true', 'metadata.name=a']],
    ['/api/v1/persistentvolumes', ['metadata.name=a', 'metadata.namespace=a']],
    ['/apis/resource.k8s.io/v1/resourceslices', ['spec.driver=a', 'spec.nodeName=a']],
  ])('of %s takes %j', async (path, selectors) => {
    for (const selector of selectors) expect(await refusal(path, selector)).toBeUndefined();
  });

  it.each([
    ['/api/v1/pods', 'a.b=c', 'field label not supported: a.b'],
    ['/api/v1/pods', '__proto__=c', 'field label not supported: __proto__'],
    ['/api/v1/pods', 'constructor=c', 'field label not supported: constructor'],
    ['/api/v1/nodes', 'metadata.namespace=a', 'field label not supported: metadata.namespace'],
    [
      '/apis/apps/v1/deployments',
      'a.b=c',
      '"a.b" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ],
  ])('of %s: %s is refused', async (path, selector, why) => {
    expect(await refusal(path, selector)).toBe(why);
  });
});

describe('Deletion of a collection', () => {
  it('takes all of many, and none that is not selected', async () => {
    const names = Array.from({ length: 150 }, (_, i) => `m${i}`);
    await Promise.all(
      names.map((name) => api.call('POST', MAPS, { body: map(name, { many: 'yes' }) })),
    );
    const removed = await api.call('DELETE', `${MAPS}?labelSelector=many`);
    expect(removed.json.items).toHaveLength(150);
    const left = (await api.call('GET', MAPS)).json.items.map(({ metadata }) => metadata.name);
    expect(left).toEqual(['a', 'ab', 'b']);
  });
});

describe('A patch of a scale', () => {
  it('is of a kind that is known, and has a body', async () => {
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: { selector, template },
    };
    await api.call('POST', DEPLOYMENTS, { body: deployment });
    const patch = (kind: string, body?: unknown) =>
      api.call('PATCH', `${DEPLOYMENTS}/web/scale`, { type: `application/${kind}`, body });
    const merge = { spec: { replicas: 2 } };
    expect((await patch('merge-patch+json', merge)).json.spec['replicas']).toBe(2);
    const json = [{ op: 'replace', path: '/spec/replicas', value: 3 }];
    expect((await patch('json-patch+json', json)).json.spec['replicas']).toBe(3);
    expect((await patch('apply-patch+cbor', merge)).status).toBe(415);
    expect((await patch('merge-patch+json', '')).status).toBe(400);
    expect((await patch('merge-patch+json', { spec: { replicas: -1 } })).status).toBe(400);
  });
});
