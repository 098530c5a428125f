// Deletion: finalizers, preconditions, grace of pods, propagation, eviction, binding, and the end of a namespace.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const PODS = '/api/v1/namespaces/default/pods';
const map = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...more },
});
const pod = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i' }] },
});

describe('Deletion', () => {
  let api: ApiCaller;
  beforeEach(async () => {
    api = await anApiCaller();
    // Pods need it; in a whole cluster a controller makes it.
    await api.call('POST', '/api/v1/namespaces/default/serviceaccounts', {
      body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } },
    });
  });
  afterEach(() => api.close());
  const merge = (path: string, body: object) =>
    api.call('PATCH', path, { type: 'application/merge-patch+json', body });
  const get = (path: string) => api.call('GET', path);
  const bind = (name: string, node = 'n1') =>
    api.call('POST', `${PODS}/${name}/binding`, {
      body: { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target: { name: node } },
    });

  it('waits for finalizers, and ends with the last of them', async () => {
    await api.call('POST', MAPS, { body: map('f', { finalizers: ['example.com/a'] }) });
    const marked = await api.call('DELETE', `${MAPS}/f`);
    expect(marked.json.metadata.deletionTimestamp).toBeTruthy();
    const more = await merge(`${MAPS}/f`, { metadata: { finalizers: ['example.com/b'] } });
    expect([more.status, more.json.reason]).toEqual([422, 'Invalid']);
    await merge(`${MAPS}/f`, { metadata: { finalizers: null } });
    expect((await get(`${MAPS}/f`)).status).toBe(404);
  });

  it('keeps preconditions', async () => {
    const { metadata } = (await api.call('POST', MAPS, { body: map('p') })).json;
    const remove = (preconditions: object) =>
      api.call('DELETE', `${MAPS}/p`, { body: { preconditions } });
    expect((await remove({ uid: 'other' })).status).toBe(409);
    expect((await remove({ resourceVersion: '1' })).status).toBe(409);
    const { uid, resourceVersion } = metadata;
    expect((await remove({ uid, resourceVersion })).status).toBe(200);
  });

  it('marks a pod on a node with its grace, which a later delete can only shorten', async () => {
    await api.call('POST', PODS, { body: pod('a') });
    expect((await bind('a')).status).toBe(201);
    const grace = async (query = '') =>
      (await api.call('DELETE', `${PODS}/a${query}`)).json.metadata.deletionGracePeriodSeconds;
    expect(await grace()).toBe(30);
    expect(await grace('?gracePeriodSeconds=60')).toBe(30);
    expect(await grace('?gracePeriodSeconds=5')).toBe(5);
    expect((await api.call('DELETE', `${PODS}/a?gracePeriodSeconds=0`)).status).toBe(200);
    expect((await get(`${PODS}/a`)).status).toBe(404);
  });

  it('removes a pod without a node at once', async () => {
    expect((await api.call('POST', PODS, { body: pod('a') })).status).toBe(201);
    await api.call('DELETE', `${PODS}/a`);
    expect((await get(`${PODS}/a`)).status).toBe(404);
  });

  it.each([
    ['Orphan', 'orphan'],
    ['Foreground', 'foregroundDeletion'],
  ])('leaves dependents to the collector under %s', async (policy, finalizer) => {
    await api.call('POST', MAPS, { body: map('d') });
    const path = `${MAPS}/d`;
    const marked = await api.call('DELETE', path, { body: { propagationPolicy: policy } });
    expect(marked.json.metadata.finalizers).toEqual([finalizer]);
  });

  it('takes a selected part of a collection', async () => {
    for (const [name, app] of Object.entries({ a: 'x', b: 'y', c: 'x' }))
      await api.call('POST', MAPS, { body: map(name, { labels: { app } }) });
    await api.call('DELETE', `${MAPS}?labelSelector=app%3Dx`);
    const left = (await get(MAPS)).json.items.map(({ metadata }) => metadata.name);
    expect(left).toEqual(['b']);
  });

  it('evicts a pod as if it were deleted', async () => {
    await api.call('POST', PODS, { body: pod('e') });
    await bind('e');
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'e' } };
    expect((await api.call('POST', `${PODS}/e/eviction`, { body })).status).toBe(201);
    expect((await get(`${PODS}/e`)).json.metadata.deletionTimestamp).toBeTruthy();
  });

  it('binds a pod once', async () => {
    await api.call('POST', PODS, { body: pod('b') });
    expect((await bind('b')).status).toBe(201);
    expect((await bind('b', 'n2')).status).toBe(409);
    expect((await get(`${PODS}/b`)).json.spec['nodeName']).toBe('n1');
  });

  it('ends a namespace: nothing new in it, then gone when it is finalized', async () => {
    const path = '/api/v1/namespaces/end';
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'end' } };
    await api.call('POST', '/api/v1/namespaces', { body });
    const marked = (await api.call('DELETE', path)).json;
    expect(marked.status['phase']).toBe('Terminating');
    const refused = await api.call('POST', `${path}/configmaps`, { body: map('a') });
    expect([refused.status, refused.json.reason]).toEqual([403, 'Forbidden']);
    await api.call('PUT', `${path}/finalize?dryRun=All`, {
      body: { ...marked, spec: { finalizers: [] } },
    });
    expect((await get(path)).status).toBe(200);
    await api.call('PUT', `${path}/finalize`, { body: { ...marked, spec: { finalizers: [] } } });
    expect((await get(path)).status).toBe(404);
    expect((await api.call('DELETE', '/api/v1/namespaces/default')).status).toBe(403);
  });
});
