// What the server keeps about API servers behind it: APIServices of its own groups, and how it is recognized.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { APIService } from '../../api/generated/types.ts';
import { type AggregatedApi, anAggregatedApi } from '../support/aggregated-api.ts';
import { until } from '../support/until.ts';

let api: AggregatedApi;
beforeEach(async () => {
  api = await anAggregatedApi();
});
afterEach(() => api.close());

const call: AggregatedApi['server']['call'] = (...args) => api.server.call(...args);
const SERVICES = '/apis/apiregistration.k8s.io/v1/apiservices';
const apiService = async (name: string) => {
  const answer = await call('GET', `${SERVICES}/${name}`);
  return answer.status === 200 ? (answer.json() as APIService) : undefined;
};

describe('The ConfigMap of authentication', () => {
  const PATH = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';

  it('tells authorities, names and headers, and who may read it', async () => {
    const { data } = (await call('GET', PATH)).json();
    expect(data).toEqual({
      'client-ca-file': expect.stringContaining('BEGIN CERTIFICATE'),
      'requestheader-client-ca-file': api.frontProxyCa,
      'requestheader-allowed-names': '["front-proxy-client"]',
      'requestheader-username-headers': '["X-Remote-User"]',
      'requestheader-uid-headers': '["X-Remote-Uid"]',
      'requestheader-group-headers': '["X-Remote-Group"]',
      'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
    });
    expect(data['client-ca-file']).not.toBe(api.frontProxyCa);
    const headers = { 'impersonate-user': 'system:kube-scheduler' };
    expect((await call('GET', PATH, { headers })).status).toBe(200);
    const others = { headers: { 'impersonate-user': 'jane' } };
    expect((await call('GET', PATH, others)).status).toBe(403);
    const roles = '/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/roles';
    const role = await call('GET', `${roles}/extension-apiserver-authentication-reader`);
    expect(role.json().rules[0].resourceNames).toEqual(['extension-apiserver-authentication']);
    const part = '/readyz/poststarthook/start-cluster-authentication-info-controller';
    expect((await call('GET', part)).text).toBe('ok');
  });

  it('is put right when it is changed, and comes back when it is deleted; what others say in it stays', async () => {
    const changed = { data: { 'client-ca-file': 'mine', more: 'x' } };
    const headers = { 'content-type': 'application/merge-patch+json' };
    await call('PATCH', PATH, { body: changed, headers });
    const data = async () => (await call('GET', PATH)).json().data as Record<string, string>;
    await until(async () => (await data())['client-ca-file']?.includes('CERTIFICATE') === true);
    expect((await data())['more']).toBe('x');
    await call('DELETE', PATH);
    await until(async () => (await call('GET', PATH)).status === 200);
  });
});

describe('APIServices of this server’s own groups', () => {
  it('come back when they are deleted', async () => {
    const before = await apiService('v1.apps');
    await call('DELETE', `${SERVICES}/v1.apps`);
    await until(async () => {
      const now = await apiService('v1.apps');
      return now !== undefined && now.metadata.uid !== before?.metadata.uid;
    });
    expect((await apiService('v1.apps'))?.spec).toEqual(before?.spec);
  });

  it('come and go with custom resources', async () => {
    const name = 'v1.shop.example.com';
    const definition = {
      metadata: { name: 'carts.shop.example.com' },
      spec: {
        group: 'shop.example.com',
        names: { plural: 'carts', kind: 'Cart' },
        scope: 'Namespaced',
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object' } },
          },
        ],
      },
    };
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    await call('POST', path, { body: definition });
    await until(async () => (await apiService(name)) !== undefined);
    expect(await apiService(name)).toMatchObject({
      metadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'true' } },
      spec: { groupPriorityMinimum: 1000, versionPriority: 100 },
      status: { conditions: [{ type: 'Available', status: 'True', reason: 'Local' }] },
    });
    await call('DELETE', `${path}/carts.shop.example.com`);
    await until(async () => (await apiService(name)) === undefined);
  });

  it('are available as soon as somebody makes one by hand', async () => {
    const spec = { group: 'by.hand', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 };
    await call('POST', SERVICES, { body: { metadata: { name: 'v1.by.hand' }, spec } });
    await api.becomes('Local', 'v1.by.hand');
    expect((await call('GET', '/apis/by.hand/v1')).status).toBe(404);
  });
});

describe('metrics.k8s.io', () => {
  const NAME = 'v1beta1.metrics.k8s.io';
  const NODES = '/apis/metrics.k8s.io/v1beta1/nodes';

  it('is another server’s once that is registered, and this server’s own again when it is deleted', async () => {
    expect((await call('GET', NODES)).json().kind).toBe('NodeMetricsList');
    const spec = { service: { namespace: 'default', name: 'kitchen' }, caBundle: api.caBundle };
    const headers = { 'content-type': 'application/merge-patch+json' };
    await call('PATCH', `${SERVICES}/${NAME}`, { body: { spec }, headers });
    // The kitchen has no such group.
    await api.becomes('FailedDiscoveryCheck', NAME);
    const refused = await call('GET', NODES);
    expect([refused.status, refused.text]).toEqual([503, 'service unavailable\n']);
    await call('DELETE', `${SERVICES}/${NAME}`);
    await until(async () => (await call('GET', NODES)).status === 200);
    await api.becomes('Local', NAME);
    expect((await apiService(NAME))?.spec?.service).toBeUndefined();
  });
});
