// Requests that look harmless and are not: shells for readers, bindings to nowhere, headers that do not decode.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/server.ts';

const READER = { as: 'nobody', headers: { authorization: 'Bearer reader' } } as const;
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    tokens: new Map([['reader', { username: 'reader', groups: [] }]]),
  });
  const post = (path: string, body: object) => server.call('POST', path, { body });
  await post('/apis/rbac.authorization.k8s.io/v1/clusterroles', {
    metadata: { name: 'reader' },
    rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] }],
  });
  await post('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: 'reader' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
    subjects: [{ kind: 'User', name: 'reader', apiGroup: 'rbac.authorization.k8s.io' }],
  });
  await post('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
  await post('/api/v1/namespaces/default/pods', {
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  });
});
afterAll(() => server.close());

describe('who may only read', () => {
  it('gets no shell by a GET', async () => {
    const path = '/api/v1/namespaces/default/pods/p/exec?command=sh';
    const answer = await server.call('GET', path, READER);
    expect(answer.status).toBe(403);
    expect(answer.json().message).toContain('cannot create resource "pods/exec"');
    expect((await server.call('GET', '/api/v1/pods', READER)).status).toBe(200);
  });
});

describe('a binding', () => {
  const bind = (body: object) =>
    server.call('POST', '/api/v1/namespaces/default/pods/p/binding', { body });

  it('is refused unless it names a node', async () => {
    for (const target of [{}, { name: 7 }, { name: '../x' }, { kind: 'Pod', name: 'n' }])
      expect((await bind({ target })).status).toBe(400);
    expect((await bind({ metadata: { name: 'q' }, target: { name: 'n' } })).status).toBe(400);
    expect((await bind({ target: { kind: 'Node', name: 'n' } })).status).toBe(201);
  });
});

describe('a header that does not decode', () => {
  it('is the sender’s fault, not an internal error', async () => {
    const headers = { 'impersonate-user': 'x', 'impersonate-extra-%zz': 'y' };
    const answer = await server.call('GET', '/api/v1/pods', { headers });
    expect(answer.status).toBe(400);
  });
});
