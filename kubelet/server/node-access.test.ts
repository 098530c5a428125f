// Tests of who may ask a node, over a real API server's reviews: identities, rights, what is remembered, and for how long.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApiServer, type ApiServer } from '../../apiserver/api-server.ts';
import { createMemoryStorage } from '../../apiserver/storage/memory/memory-storage.ts';
import type { UserInfo } from '../../api/wire/exchange.ts';
import { ClusterRoleBindings, ClusterRoles } from '../../api/kinds.ts';
import { silentLogger } from '../../base/logger.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { type Caller, MAX_TOKEN_BYTES } from '../../client/access/delegated-access.ts';
import type { Client } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createInProcessTransport } from '../../client/transport/in-process.ts';
import type { TransportRequest } from '../../client/transport/transport.ts';
import { accessAttributes } from './access-attributes.ts';
import { NodeAccess } from './node-access.ts';
import { nodeTarget } from './node-requests.ts';
import { RequestFailure } from './request-failure.ts';

const ADMIN: UserInfo = { username: 'admin', groups: ['system:masters'] };
const NODE: UserInfo = {
  username: 'system:node:n1',
  groups: ['system:nodes', 'system:authenticated'],
};

let server: ApiServer;
let clock: VirtualClock;
let admin: Client;
let asked: TransportRequest[];
let isAway: boolean;
let access: NodeAccess;

beforeEach(async () => {
  clock = new VirtualClock();
  const doors = { clock, random: seededRandom(1), logger: silentLogger };
  const storage = createMemoryStorage(doors);
  server = await createApiServer({ ...doors, storage, serviceCidr: '10.96.0.0/16' });
  admin = createClient(createInProcessTransport(server.handler, ADMIN));
  asked = [];
  isAway = false;
  const transport = createInProcessTransport(server.handler, NODE);
  const request = transport.request.bind(transport);
  transport.request = (each) => {
    asked.push(each);
    return isAway ? Promise.reject(new Error('connection refused')) : request(each);
  };
  access = new NodeAccess({
    client: createClient(transport),
    clock,
    logger: silentLogger,
    nodeName: 'n1',
    trusted: ['kube-apiserver-kubelet-client'],
  });
});
afterEach(() => server.close());

/** `ann` may do this on nodes. */
async function allow(...resources: string[]): Promise<void> {
  const rules = [{ apiGroups: [''], resources, verbs: ['get'] }];
  await admin.resource(ClusterRoles).create({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'looker' },
    rules,
  });
  await admin.resource(ClusterRoleBindings).create({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'looker' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'looker' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'ann' }],
  });
}
const ann: Caller = { certificate: { commonName: 'ann', organizations: ['people'] } };
const get = (caller: Caller, path: string) => access.check(caller, 'GET', path);

describe('a request is about', () => {
  it.each([
    ['GET', 'stats', 'get', ['stats']],
    ['GET', 'metrics', 'get', ['metrics']],
    ['GET', 'logs', 'get', ['log']],
    ['POST', 'checkpoint', 'create', ['checkpoint']],
    ['GET', 'pods', 'get', ['pods', 'proxy']],
    ['GET', 'runningpods', 'get', ['pods', 'proxy']],
    ['GET', 'healthz', 'get', ['healthz', 'proxy']],
    ['GET', 'configz', 'get', ['configz', 'proxy']],
    ['GET', 'containerLogs', 'get', ['proxy']],
    ['POST', 'exec', 'create', ['proxy']],
    ['GET', 'constructor', 'get', ['proxy']],
  ])('%s /%s: %s on nodes/%s', (...[method, first, verb, subresources]) => {
    expect(accessAttributes(method, first)).toEqual({ verb, subresources });
  });
});

describe('a caller', () => {
  it('with the API server’s certificate may do everything, and nobody is asked', async () => {
    isAway = true;
    const certificate = { commonName: 'kube-apiserver-kubelet-client', organizations: [] };
    await access.check({ certificate }, 'POST', '/exec/a/b/c');
    expect(asked).toEqual([]);
  });

  it.each([
    [{}],
    [{ authorization: 'Basic YTpi' }],
    [{ authorization: 'Bearer no.such.token' }],
    [{ authorization: `Bearer ${'x'.repeat(MAX_TOKEN_BYTES + 1)}` }],
  ])('who shows nothing that counts is refused (%#)', async (caller: Caller) => {
    await expect(get(caller, '/pods')).rejects.toMatchObject({
      code: 401,
      message: 'Unauthorized',
    });
  });

  it('may what its roles say, by fine names and by the coarse one, and is told what not', async () => {
    await allow('nodes/stats', 'nodes/pods');
    await get(ann, '/stats/summary');
    await get(ann, '/pods');
    await expect(get(ann, '/metrics/cadvisor')).rejects.toMatchObject({
      code: 403,
      message: 'Forbidden (user=ann, verb=get, resource=nodes, subresource(s)=[metrics])',
    });
    await expect(get(ann, '/configz?x=1')).rejects.toThrow('subresource(s)=[configz proxy]');
    await expect(access.check(ann, 'POST', '/exec/a/b/c')).rejects.toThrow(
      'Forbidden (user=ann, verb=create, resource=nodes, subresource(s)=[proxy])',
    );
  });

  it.each(['/stats/../exec/a/b/c', '/stats/%2e%2e/exec/a/b/c', '/stats/./../exec/a/b/c'])(
    'gets nothing else by a path that begins with what it may see (%s)',
    async (path) => {
      await allow('nodes/stats');
      await get(ann, path);
      expect(nodeTarget(path).path[0]).toBe('stats');
    },
  );

  it.each(['//stats/exec/a/b/c', '/x/../stats/summary', '/%73tats/%zz'])(
    'gets nothing by a path that only looks like one it may see (%s)',
    async (path) => {
      await allow('nodes/stats');
      await expect(get(ann, path)).rejects.toBeInstanceOf(RequestFailure);
    },
  );

  it('with nodes/proxy may see the pods', async () => {
    await allow('nodes/proxy');
    await get(ann, '/pods');
    await get(ann, '/healthz');
  });

  it('with a service account’s token is who it says', async () => {
    const path = '/api/v1/namespaces/default/serviceaccounts/bot';
    const { transport } = admin;
    const bot = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'bot' } };
    const at = '/api/v1/namespaces/default/serviceaccounts';
    await transport.request({ method: 'POST', path: at, body: bot });
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: {},
    };
    const reply = await transport.request({ method: 'POST', path: `${path}/token`, body });
    const { token } = reply.object()['status'] as { token: string };
    const caller = { authorization: `Bearer ${token}` };
    await expect(get(caller, '/pods')).rejects.toThrow(
      'Forbidden (user=system:serviceaccount:default:bot, verb=get, resource=nodes, subresource(s)=[pods proxy])',
    );
  });

  it('whom nobody can tell about is refused, and asked about again', async () => {
    await allow('nodes/pods');
    isAway = true;
    await expect(get({ authorization: 'Bearer a.b.c' }, '/pods')).rejects.toMatchObject({
      code: 401,
    });
    await expect(get(ann, '/pods')).rejects.toMatchObject({
      code: 500,
      message: 'Authorization error (user=ann, verb=get, resource=nodes, subresource=pods)',
    });
    isAway = false;
    await get(ann, '/pods');
  });
});

describe('what the API server said', () => {
  it('is remembered: five minutes for a yes, thirty seconds for a no', async () => {
    await allow('nodes/pods');
    await get(ann, '/pods');
    await clock.advance(299_000);
    await get(ann, '/pods');
    expect(asked).toHaveLength(1);
    await clock.advance(2_000);
    await get(ann, '/pods');
    expect(asked).toHaveLength(2);
    const refused = () => expect(get(ann, '/stats')).rejects.toMatchObject({ code: 403 });
    await refused();
    await refused();
    expect(asked).toHaveLength(3);
    await clock.advance(31_000);
    await refused();
    expect(asked).toHaveLength(4);
  });

  it('of one caller is not said of another', async () => {
    await allow('nodes/pods');
    await get(ann, '/pods');
    const bob = { certificate: { commonName: 'bob', organizations: ['people'] } };
    await expect(get(bob, '/pods')).rejects.toMatchObject({ code: 403 });
  });
});
