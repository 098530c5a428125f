// Which requests webhooks are asked about beside creates and updates of whole objects: deletes, subresources, connections,
// writes of controllers in this process; and what they are shown of each.
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { aProxiedNode, type ProxiedNode } from '../support/proxied-node.ts';
import { aHookedServer, type Hooked, NS } from '../support/webhook-configuration.ts';
import type { Review } from '../support/webhook-server.ts';

let on: Hooked;
let node: ProxiedNode;
beforeAll(async () => {
  node = await aProxiedNode();
  on = await aHookedServer({ nodeDialer: node.dialer });
  on.hook.on('/see', () => ({ allowed: true }));
  on.hook.on('/no', () => ({ allowed: false, status: { message: 'not here' } }));
  await on.ask(`POST ${NS}/serviceaccounts`, { metadata: { name: 'default' } });
  for (const name of ['p', 'q']) {
    const spec = { containers: [{ name: 'a', image: 'a' }] };
    await on.ask(`POST ${NS}/pods`, { metadata: { name, labels: { app: 'x' } }, spec });
  }
});
afterAll(async () => {
  await on.close();
  await node.close();
});
afterEach(() => on.clear());

const about = (resource: string, operation: string, apiGroup = '') => [
  {
    apiGroups: [apiGroup],
    apiVersions: ['*'],
    resources: [resource],
    operations: [operation],
  },
];

/** Everything that a validating webhook is asked during the work. */
async function seen(rules: object, work: () => Promise<unknown>): Promise<Review['request'][]> {
  await on.configure('validating', 'v', [{ name: 'see.test.local', rules }]);
  const before = on.hook.reviews('/see').length;
  await work();
  return on.hook
    .reviews('/see')
    .slice(before)
    .map(({ request }) => request as Review['request']);
}

const refusing = (rules: object) =>
  on.configure('validating', 'v', [{ name: 'no.test.local', rules }]);
const refusal = 'admission webhook "no.test.local" denied the request: not here';

it('a delete shows what is to go, with the options of the delete', async () => {
  await on.ask(`POST ${NS}/configmaps`, { metadata: { name: 'gone' }, data: { a: '1' } });
  const body = { gracePeriodSeconds: 0, propagationPolicy: 'Background' };
  const [request] = await seen(about('configmaps', 'DELETE'), () =>
    on.ask(`DELETE ${NS}/configmaps/gone`, body),
  );
  expect(request).toMatchObject({
    operation: 'DELETE',
    name: 'gone',
    object: null,
    oldObject: { apiVersion: 'v1', kind: 'ConfigMap', data: { a: '1' } },
    options: { kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/v1', ...body },
  });
});

it('a delete of a collection is asked about object by object, and stops at what is refused', async () => {
  for (const name of ['one', 'two', 'keep']) {
    await on.ask(`POST ${NS}/secrets`, { metadata: { name, labels: { of: 'many' } } });
  }
  on.hook.on('/keep', ({ request }) => ({ allowed: request.name !== 'keep' }));
  const rules = about('secrets', 'DELETE');
  await on.configure('validating', 'v', [{ name: 'keep.test.local', rules }]);
  const answer = await on.ask(`DELETE ${NS}/secrets?labelSelector=of=many`);
  expect(answer.status).toBe(400);
  const { items } = (await on.ask(`GET ${NS}/secrets`)).json();
  expect(items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(['keep']);
  const names = on.hook.reviews('/keep').map(({ request }) => request.name as string);
  expect(names.sort()).toEqual(['keep', 'one', 'two']);
});

it('an eviction is a create of an Eviction, and no delete besides', async () => {
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'q' } };
  const rules = [
    ...about('pods/eviction', 'CREATE'),
    ...about('pods', 'DELETE'),
    ...about('pods/*', 'DELETE'),
  ];
  const requests = await seen(rules, () => on.ask(`POST ${NS}/pods/q/eviction`, eviction));
  expect(requests).toHaveLength(1);
  expect(requests[0]).toMatchObject({
    operation: 'CREATE',
    subResource: 'eviction',
    kind: { group: 'policy', version: 'v1', kind: 'Eviction' },
    resource: { group: '', version: 'v1', resource: 'pods' },
    name: 'q',
    object: { kind: 'Eviction' },
    oldObject: null,
  });
});

it('a refused eviction leaves the pod as it was', async () => {
  const before = (await on.ask(`GET ${NS}/pods/p`)).text;
  await refusing(about('pods/eviction', 'CREATE'));
  const answer = await on.ask(`POST ${NS}/pods/p/eviction`, { metadata: { name: 'p' } });
  expect(answer.json().message).toBe(refusal);
  expect((await on.ask(`GET ${NS}/pods/p`)).text).toBe(before);
});

it.each([
  ['pods/binding', `${NS}/pods/p/binding`],
  ['bindings', `${NS}/bindings`],
])('%s is a create of a Binding', async (resource, path) => {
  await refusing(about(resource, 'CREATE'));
  const binding = { metadata: { name: 'p' }, target: { kind: 'Node', name: 'n' } };
  const answer = await on.ask(`POST ${path}`, binding);
  expect(answer.json().message).toBe(refusal);
  expect((await on.ask(`GET ${NS}/pods/p`)).json().spec.nodeName).toBeUndefined();
  const { request } = on.hook.reviews('/no').at(-1) ?? {};
  expect(request).toMatchObject({ kind: { kind: 'Binding' }, object: { target: { name: 'n' } } });
});

it.each([
  [
    'exec',
    'exec?stdin=true&command=ls&command=-l&container=a',
    {
      kind: 'PodExecOptions',
      apiVersion: 'v1',
      stdin: true,
      command: ['ls', '-l'],
      container: 'a',
    },
  ],
  ['attach', 'attach?stdout=1', { kind: 'PodAttachOptions', apiVersion: 'v1', stdout: true }],
  [
    'portforward',
    'portforward?ports=80',
    { kind: 'PodPortForwardOptions', apiVersion: 'v1', ports: [80] },
  ],
])('%s is a connection that may be refused before it is made', async (part, tail, object) => {
  await refusing(about(`pods/${part}`, 'CONNECT'));
  const answer = await on.ask(`POST ${NS}/pods/p/${tail}`, undefined, { upgrade: 'websocket' });
  expect(answer.json().message).toBe(refusal);
  const { request } = on.hook.reviews('/no').at(-1) ?? {};
  expect(request).toMatchObject({
    operation: 'CONNECT',
    name: 'p',
    namespace: 'default',
    subResource: part,
    kind: { kind: object.kind },
    object,
    oldObject: null,
    options: null,
  });
});

it('a connection is made with what webhooks made of its options', async () => {
  on.hook.on('/see', () => ({
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from('[{"op":"replace","path":"/container","value":"side"}]').toString('base64'),
  }));
  const rules = about('pods/exec', 'CONNECT');
  await on.configure('mutating', 'm', [{ name: 'see.test.local', rules }]);
  const path = `${NS}/pods/p/exec?command=ls&container=a`;
  const answer = await on.ask(`POST ${path}`, undefined, { upgrade: 'websocket' });
  on.hook.on('/see', () => ({ allowed: true }));
  expect(answer.json().message).toBe('container side is not valid for pod p');
});

it('a proxied request is not led elsewhere by webhooks', async () => {
  on.hook.on('/see', () => ({
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from('[{"op":"replace","path":"/path","value":"/secret"}]').toString('base64'),
  }));
  const rules = about('nodes/proxy', 'CONNECT');
  await on.configure('mutating', 'm', [{ name: 'see.test.local', rules }]);
  const answer = await on.ask('GET /api/v1/nodes/n/proxy/metrics');
  on.hook.on('/see', () => ({ allowed: true }));
  expect(answer.status).toBe(500);
  expect(answer.json().message).toContain('path of a proxied request cannot be changed');
});

it.each([
  ['pods', `${NS}/pods/p/proxy/a/b?c=d`, { kind: 'PodProxyOptions', path: '/a/b' }],
  ['services', `${NS}/services/https:s:web/proxy`, { kind: 'ServiceProxyOptions', path: '/' }],
  ['nodes', '/api/v1/nodes/n/proxy/metrics', { kind: 'NodeProxyOptions', path: '/metrics' }],
])('a proxied request to %s is a connection', async (resource, path, object) => {
  await refusing(about(`${resource}/proxy`, 'CONNECT'));
  expect((await on.ask(`GET ${path}`)).json().message).toBe(refusal);
  const { request } = on.hook.reviews('/no').at(-1) ?? {};
  expect(request).toMatchObject({ operation: 'CONNECT', subResource: 'proxy', object });
});

it('a change of scale shows the Scale, and may be changed as one', async () => {
  const template = {
    metadata: { labels: { a: 'b' } },
    spec: { containers: [{ name: 'a', image: 'a' }] },
  };
  const spec = { replicas: 1, selector: { matchLabels: { a: 'b' } }, template };
  const deployments = '/apis/apps/v1/namespaces/default/deployments';
  await on.ask(`POST ${deployments}`, { metadata: { name: 'd' }, spec });
  on.hook.on('/see', () => ({
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from('[{"op":"replace","path":"/spec/replicas","value":7}]').toString('base64'),
  }));
  const rules = about('deployments/scale', 'UPDATE', 'apps');
  await on.configure('mutating', 'm', [{ name: 'see.test.local', rules }]);
  const headers = { 'content-type': 'application/merge-patch+json' };
  const body = { spec: { replicas: 3 } };
  const answer = await on.ask(`PATCH ${deployments}/d/scale`, body, headers);
  on.hook.on('/see', () => ({ allowed: true }));
  expect(answer.json()).toMatchObject({ kind: 'Scale', spec: { replicas: 7 } });
  const { request } = on.hook.reviews('/see').at(-1) ?? {};
  expect(request).toMatchObject({
    kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
    resource: { group: 'apps', resource: 'deployments' },
    subResource: 'scale',
    object: { kind: 'Scale', spec: { replicas: 3 } },
    oldObject: { kind: 'Scale', spec: { replicas: 1 } },
  });
  const { spec: stored } = (await on.ask(`GET ${deployments}/d`)).json();
  expect(stored).toMatchObject({
    replicas: 7,
    template: { spec: { containers: [{ image: 'a' }] } },
  });
});

it('a token is asked about, and may be made to last otherwise within its bounds', async () => {
  on.hook.on('/see', () => ({
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from('[{"op":"replace","path":"/spec/expirationSeconds","value":601}]').toString(
      'base64',
    ),
  }));
  const rules = about('serviceaccounts/token', 'CREATE');
  await on.configure('mutating', 'm', [{ name: 'see.test.local', rules }]);
  const path = `${NS}/serviceaccounts/default/token`;
  expect((await on.ask(`POST ${path}`, { spec: {} })).json().spec.expirationSeconds).toBe(601);
  on.hook.on('/see', () => ({
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from('[{"op":"replace","path":"/spec/expirationSeconds","value":1}]').toString(
      'base64',
    ),
  }));
  expect((await on.ask(`POST ${path}`, { spec: {} })).status).toBe(422);
  on.hook.on('/see', () => ({ allowed: true }));
});

it('namespaces are in themselves, and their finalizers are asked about', async () => {
  const rules = [...about('namespaces', '*'), ...about('namespaces/finalize', 'UPDATE')];
  const requests = await seen(rules, async () => {
    await on.ask('POST /api/v1/namespaces', { metadata: { name: 'own' } });
    await on.ask('DELETE /api/v1/namespaces/own');
    const body = { metadata: { name: 'own' }, spec: { finalizers: [] } };
    await on.ask('PUT /api/v1/namespaces/own/finalize', body);
  });
  const shape = requests.map(({ operation, namespace, name, subResource }) => [
    operation,
    namespace,
    name,
    subResource,
  ]);
  expect(shape).toEqual([
    ['CREATE', 'own', 'own', undefined],
    ['DELETE', 'own', 'own', undefined],
    ['UPDATE', 'own', 'own', 'finalize'],
  ]);
});

it('a change of finalizers changes nothing else, whatever a webhook makes of it', async () => {
  await on.ask('POST /api/v1/namespaces', { metadata: { name: 'kept' } });
  const before = (await on.ask('GET /api/v1/namespaces/kept')).json();
  on.hook.on('/see', () => ({
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from(
      '[{"op":"replace","path":"/metadata/uid","value":"x"},{"op":"replace","path":"/metadata/name","value":"x"}]',
    ).toString('base64'),
  }));
  const rules = about('namespaces/finalize', 'UPDATE');
  await on.configure('mutating', 'm', [{ name: 'see.test.local', rules }]);
  const body = { metadata: { name: 'kept' }, spec: { finalizers: ['a.test/b', 'kubernetes'] } };
  const answer = (await on.ask('PUT /api/v1/namespaces/kept/finalize', body)).json();
  on.hook.on('/see', () => ({ allowed: true }));
  expect(answer.metadata).toMatchObject({ name: 'kept', uid: before.metadata.uid });
  expect(answer.spec.finalizers).toEqual(['a.test/b', 'kubernetes']);
});

it('what is written in this process is asked about as anything else', async () => {
  await refusing(about('leases', 'CREATE', 'coordination.k8s.io'));
  const reply = await on.server.server.handler(
    {
      method: 'POST',
      path: '/apis/coordination.k8s.io/v1/namespaces/default/leases',
      query: new URLSearchParams(),
      headers: { 'content-type': 'application/json' },
      body: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'l' } },
      signal: new AbortController().signal,
    },
    { username: 'system:kube-scheduler', groups: ['system:masters'] },
  );
  expect(reply).toMatchObject({ kind: 'body', status: 400 });
  const { request } = on.hook.reviews('/no').at(-1) ?? {};
  expect(request.userInfo.username).toBe('system:kube-scheduler');
});

it('groups, uid and extra of who asks are told', async () => {
  const [request] = await seen(about('configmaps', 'CREATE'), () =>
    on.ask(
      `POST ${NS}/configmaps`,
      { metadata: { name: 'as-alice' } },
      {
        'impersonate-user': 'alice',
        'impersonate-uid': '7',
        'impersonate-group': 'system:masters',
        'impersonate-extra-scopes': 'view',
      },
    ),
  );
  expect(request.userInfo).toMatchObject({
    username: 'alice',
    uid: '7',
    groups: expect.arrayContaining(['system:masters']),
    extra: { scopes: ['view'] },
  });
});
