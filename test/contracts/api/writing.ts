// Writes: names, versions, what may be changed how, and what is told about a broken body; over each backend.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ApiCaller, OpenCaller } from '../../support/api-caller.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const map = (metadata: object, data = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata,
  data,
});
const labels = { app: 'web' };
const deployment = (name: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 1,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
});

/** Holds for every way to a server, over every storage. */
export function writingContract(open: OpenCaller): void {
  let api: ApiCaller;
  beforeAll(async () => {
    api = await open();
    await api.call('POST', DEPLOYMENTS, { body: deployment('web') });
  });
  afterAll(() => api.close());
  const patch = (path: string, kind: string, body: unknown) =>
    api.call('PATCH', path, { type: `application/${kind}-patch+json`, body });

  it('make names where asked, and refuse those that are taken', async () => {
    const made = await api.call('POST', MAPS, { body: map({ generateName: 'g-' }) });
    expect(made.json.metadata.name).toMatch(/^g-[a-z0-9]{5}$/);
    const again = await api.call('POST', MAPS, { body: map({ name: made.json.metadata.name }) });
    expect([again.status, again.json.reason]).toEqual([409, 'AlreadyExists']);
  });

  it('hold to the version they rest on, and change nothing when nothing changes', async () => {
    const made = (await api.call('POST', MAPS, { body: map({ name: 'v' }) })).json;
    const same = await api.call('PUT', `${MAPS}/v`, { body: made });
    expect(same.json.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    const changed = await api.call('PUT', `${MAPS}/v`, { body: { ...made, data: { a: 'b' } } });
    expect(changed.status).toBe(200);
    const late = await api.call('PUT', `${MAPS}/v`, { body: { ...made, data: { a: 'c' } } });
    expect([late.status, late.json.reason]).toEqual([409, 'Conflict']);
    const { resourceVersion } = made.metadata;
    const pinned = await patch(`${MAPS}/v`, 'merge', { metadata: { resourceVersion }, data: {} });
    expect(pinned.status).toBe(409);
  });

  it('are not for an object that was deleted and made anew under its name', async () => {
    const body = map({ name: 'w', uid: '0a7c1f4e-0000-4000-8000-000000000000' });
    await api.call('POST', MAPS, { body: map({ name: 'w' }) });
    const refused = await api.call('PUT', `${MAPS}/w`, { body });
    expect([refused.status, refused.json.reason]).toEqual([409, 'Conflict']);
    expect((await patch(`${MAPS}/w`, 'merge', body)).status).toBe(422);
  });

  it('count generations of the spec only', async () => {
    const generation = async () =>
      (await api.call('GET', `${DEPLOYMENTS}/web`)).json.metadata.generation;
    expect(await generation()).toBe(1);
    await patch(`${DEPLOYMENTS}/web`, 'merge', { metadata: { labels: { a: 'b' } } });
    await patch(`${DEPLOYMENTS}/web/status`, 'merge', { status: { replicas: 1 } });
    expect(await generation()).toBe(1);
    await patch(`${DEPLOYMENTS}/web`, 'merge', { spec: { replicas: 2 } });
    expect(await generation()).toBe(2);
  });

  it('keep status and the rest apart, both ways', async () => {
    const both = { spec: { replicas: 3 }, status: { replicas: 7 } };
    const viaStatus = (await patch(`${DEPLOYMENTS}/web/status`, 'merge', both)).json;
    expect([viaStatus.spec['replicas'], viaStatus.status['replicas']]).toEqual([2, 7]);
    both.status.replicas = 9;
    const viaMain = (await patch(`${DEPLOYMENTS}/web`, 'merge', both)).json;
    expect([viaMain.spec['replicas'], viaMain.status['replicas']]).toEqual([3, 7]);
  });

  it('take patches of three kinds', async () => {
    const json = [{ op: 'replace', path: '/spec/replicas', value: 4 }];
    expect((await patch(`${DEPLOYMENTS}/web`, 'json', json)).json.spec['replicas']).toBe(4);
    const containers = [{ name: 'd', image: 'j' }];
    const spec = { template: { spec: { containers } } };
    const strategic = (await patch(`${DEPLOYMENTS}/web`, 'strategic-merge', { spec })).text;
    expect(strategic).toContain('"image":"i"');
    expect(strategic).toContain('"image":"j"');
    const merged = (await patch(`${DEPLOYMENTS}/web`, 'merge', { spec })).text;
    expect(merged).not.toContain('"image":"i"');
    expect((await patch(`${DEPLOYMENTS}/web`, 'unknown', {})).status).toBe(415);
  });

  it('scale through the subresource', async () => {
    const before = (await api.call('GET', `${DEPLOYMENTS}/web/scale`)).json;
    expect(before).toMatchObject({ kind: 'Scale', status: { selector: 'app=web' } });
    const body = { ...before, spec: { replicas: 6 } };
    const after = (await api.call('PUT', `${DEPLOYMENTS}/web/scale`, { body })).json;
    expect(after.spec['replicas']).toBe(6);
    expect((await api.call('PUT', `${DEPLOYMENTS}/web/scale`, { body })).status).toBe(409);
    const stored = (await api.call('GET', `${DEPLOYMENTS}/web`)).json;
    expect(stored.spec['replicas']).toBe(6);
  });

  it('store nothing on a dry run', async () => {
    const body = map({ name: 'dry' });
    expect((await api.call('POST', `${MAPS}?dryRun=All`, { body })).status).toBe(201);
    expect((await api.call('GET', `${MAPS}/dry`)).status).toBe(404);
    await api.call('POST', MAPS, { body });
    expect((await api.call('DELETE', `${MAPS}/dry?dryRun=All`)).status).toBe(200);
    const changed = await api.call('PUT', `${MAPS}/dry?dryRun=All`, {
      body: map({ name: 'dry' }, { a: 'b' }),
    });
    expect(changed.text).toContain('"a":"b"');
    expect((await api.call('GET', `${MAPS}/dry`)).text).not.toContain('"a":"b"');
    expect((await api.call('POST', `${MAPS}?dryRun=Some`, { body })).status).toBe(400);
  });

  it('treat unknown and double fields as asked: refuse, warn or ignore', async () => {
    const body =
      '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"u"},"x":1,"kind":"ConfigMap"}';
    const send = (level: string) =>
      api.call('POST', `${MAPS}?dryRun=All&fieldValidation=${level}`, { body });
    const strict = await send('Strict');
    expect(strict.status).toBe(400);
    expect(strict.json.message).toContain('unknown field "x"');
    const warned = await send('Warn');
    expect(warned.status).toBe(201);
    expect(String(warned.headers['warning'])).toContain('unknown field \\"x\\"');
    expect((await send('Ignore')).headers['warning']).toBeUndefined();
  });

  it('need a namespace that is there and agrees', async () => {
    const gone = '/api/v1/namespaces/gone/configmaps';
    expect((await api.call('POST', gone, { body: map({ name: 'a' }) })).status).toBe(404);
    const body = map({ name: 'a', namespace: 'other' });
    expect((await api.call('POST', MAPS, { body })).status).toBe(400);
  });
}
