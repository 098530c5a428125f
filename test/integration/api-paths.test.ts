// Methods and paths that do not fit each other, and which refusal is heard first.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const map = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });

describe('Methods', () => {
  let api: ApiCaller;
  beforeAll(async () => {
    api = await anApiCaller();
    await api.call('POST', MAPS, { body: map('a') });
  });
  afterAll(() => api.close());

  it.each([
    ['POST', `${MAPS}/b`],
    ['PUT', MAPS],
    ['PATCH', MAPS],
    ['DELETE', '/api/v1/namespaces'],
    ['PUT', '/apis/apps/v1/namespaces/default/deployments/a/status/more'],
    ['DELETE', '/apis/apps/v1/namespaces/default/deployments/a/scale'],
  ] as const)('%s of %s is refused with 405, and changes nothing', async (method, path) => {
    const refused = await api.call(method, path, { body: map('b') });
    expect([refused.status, refused.json.reason]).toEqual([405, 'MethodNotAllowed']);
    expect(refused.json.details).toEqual({});
    const { items } = (await api.call('GET', MAPS)).json;
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['a']);
  });

  it.each([
    ['GET', '/api/v1/nosuch'],
    ['PATCH', `${MAPS}/a/ephemeral`],
    ['GET', `${MAPS}/a/scale`],
    ['GET', '/api/v1/namespaces/default/nodes/a'],
  ] as const)('%s of %s finds nothing, in a Status with details', async (method, path) => {
    const { status, json } = await api.call(method, path, method === 'GET' ? {} : { body: {} });
    expect(status).toBe(404);
    expect(json).toMatchObject({ kind: 'Status', reason: 'NotFound', details: {} });
  });

  it('of a path that is no resource’s get a page of text', async () => {
    const { status, text, headers } = await api.call('GET', '/nope');
    expect([status, text]).toEqual([404, '404 page not found\n']);
    expect(headers['content-type']).toMatch(/^text\/plain/);
  });

  it('never empty a cluster of its namespaces', async () => {
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'aaa' } };
    await api.call('POST', '/api/v1/namespaces', { body });
    expect((await api.call('DELETE', '/api/v1/namespaces')).status).toBe(405);
    const kept = (await api.call('GET', '/api/v1/namespaces/aaa')).json;
    expect(kept.metadata.deletionTimestamp).toBeUndefined();
  });

  it('say that the namespace is missing before they say what is wrong with the object', async () => {
    const path = '/api/v1/namespaces/gone/configmaps';
    const refused = await api.call('POST', path, { body: map('Not_A_Name') });
    expect(refused.status).toBe(404);
    expect(refused.json.message).toBe('namespaces "gone" not found');
  });
});
