// Deletes: preconditions, finalizers, grace of pods, propagation, collections, and the end of a namespace.
// Invariant: what is only marked still answers reads, and nothing lengthens a grace that runs.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../../base/clock.ts';
import type { ApiCaller, Json, OpenCaller } from '../../support/api-caller.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const PODS = '/api/v1/namespaces/default/pods';
const MERGE = 'application/merge-patch+json';
const map = (name: string, metadata: object = {}, data = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
});
const pod = (name: string, metadata = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, ...metadata },
  spec: { containers: [{ name: 'c', image: 'i' }] },
});

/** Holds for every way to a server, over every storage. */
export function deletingContract(open: OpenCaller): void {
  let api: ApiCaller;
  let nowMs = Date.UTC(2026, 0, 1);
  beforeAll(async () => {
    api = await open({ clock: { ...systemClock, now: () => nowMs } });
    // Pods need it; in a whole cluster a controller makes it.
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
    await api.call('POST', '/api/v1/namespaces/default/serviceaccounts', { body: account });
  });
  afterAll(() => api.close());
  let count = 0;
  let name = '';
  beforeEach(() => {
    name = `it-${++count}`;
  });
  const get = (path: string) => api.call('GET', path);
  const merge = (path: string, body: object) => api.call('PATCH', path, { type: MERGE, body });
  const remove = (path: string, body?: object) => api.call('DELETE', path, { body });
  const makeMap = async (metadata: object = {}) =>
    (await api.call('POST', MAPS, { body: map(name, metadata) })).json;
  const bind = (node = 'n1') =>
    api.call('POST', `${PODS}/${name}/binding`, {
      body: { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target: { name: node } },
    });
  const runningPod = async (metadata = {}) => {
    await api.call('POST', PODS, { body: pod(name, metadata) });
    expect((await bind()).status).toBe(201);
  };

  it('are answered with a Success that says what is gone', async () => {
    const { metadata } = await makeMap();
    const { status, json } = await remove(`${MAPS}/${name}`);
    expect([status, json]).toEqual([
      200,
      {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Success',
        details: { name, kind: 'configmaps', uid: metadata.uid },
      },
    ]);
    expect((await remove(`${MAPS}/${name}`)).status).toBe(404);
  });

  it.each([
    ['ServiceAccount', '/api/v1/namespaces/default/serviceaccounts'],
    ['StorageClass', '/apis/storage.k8s.io/v1/storageclasses'],
  ])('of a %s are answered with the object as it was last', async (kind, path) => {
    const provisioner = kind === 'StorageClass' ? { provisioner: 'none.example.com' } : {};
    const body = { kind, metadata: { name: 'returned' }, ...provisioner };
    const { uid } = (await api.call('POST', path, { body })).json.metadata;
    const { status, json } = await remove(`${path}/returned`);
    expect([status, json.kind, json.metadata.uid]).toEqual([200, kind, uid]);
    expect((await get(`${path}/returned`)).status).toBe(404);
  });

  it('wait for finalizers, and end with the last of them', async () => {
    await makeMap({ finalizers: ['example.com/a', 'example.com/b'] });
    const path = `${MAPS}/${name}`;
    const marked = (await remove(path)).json;
    expect(marked.metadata.deletionTimestamp).toBeTruthy();
    expect(marked.metadata.deletionGracePeriodSeconds).toBe(0);
    const again = await remove(path);
    expect(again.json.metadata.resourceVersion).toBe(marked.metadata.resourceVersion);
    const more = await merge(path, {
      metadata: { finalizers: ['example.com/a', 'example.com/b', 'example.com/c'] },
    });
    expect([more.status, more.json.reason]).toEqual([422, 'Invalid']);
    const still = await merge(path, { metadata: { deletionTimestamp: null, labels: { a: 'b' } } });
    expect(still.json.metadata.deletionTimestamp).toBe(marked.metadata.deletionTimestamp);
    await merge(path, { metadata: { finalizers: ['example.com/b'] } });
    expect((await get(path)).status).toBe(200);
    const last = await merge(path, { metadata: { finalizers: null } });
    expect(last.status).toBe(200);
    expect((await get(path)).status).toBe(404);
  });

  it('hold to the uid and the version that they name', async () => {
    const { metadata } = await makeMap();
    const path = `${MAPS}/${name}`;
    const { uid, resourceVersion } = metadata;
    for (const [preconditions, why] of [
      [{ uid: 'other' }, `UID in precondition: other, UID in object meta: ${uid}`],
      [{ resourceVersion: '1' }, 'ResourceVersion in precondition: 1, '],
      [{ uid, resourceVersion: '1' }, 'ResourceVersion in precondition: 1, '],
    ] as const) {
      const { status, json } = await remove(path, { preconditions });
      expect([status, json.reason]).toEqual([409, 'Conflict']);
      expect(json.message).toContain(`Precondition failed: ${why}`);
      expect(json.details).toEqual({ name, kind: 'configmaps' });
    }
    expect((await remove(path, { preconditions: { uid, resourceVersion } })).status).toBe(200);
  });

  it('mark a pod on a node with its grace, which a later delete can only shorten', async () => {
    await runningPod();
    const path = `${PODS}/${name}`;
    const marks = async (query = '') => {
      const { metadata } = (await remove(`${path}${query}`)).json;
      return [metadata.deletionGracePeriodSeconds, metadata.deletionTimestamp];
    };
    const at = (seconds: number) => new Date(nowMs + seconds * 1000).toISOString().slice(0, 19);
    const marked = [60, `${at(60)}Z`];
    const shortened = [5, `${at(5)}Z`];
    expect(await marks('?gracePeriodSeconds=60')).toEqual(marked);
    nowMs += 10_000;
    expect(await marks()).toEqual(marked);
    expect(await marks('?gracePeriodSeconds=90')).toEqual(marked);
    expect(await marks('?gracePeriodSeconds=5')).toEqual(shortened);
    expect(await marks('?gracePeriodSeconds=20')).toEqual(shortened);
    expect((await remove(`${path}?gracePeriodSeconds=0`)).status).toBe(200);
    expect((await get(path)).status).toBe(404);
  });

  it('give a pod the grace of its spec where they name none, from the body as from the query', async () => {
    await runningPod();
    const { metadata } = (await remove(`${PODS}/${name}`)).json;
    expect(metadata.deletionGracePeriodSeconds).toBe(30);
    const { json } = await remove(`${PODS}/${name}`, { gracePeriodSeconds: 7 });
    expect(json.metadata.deletionGracePeriodSeconds).toBe(7);
  });

  it('take a grace below nothing for a second', async () => {
    await runningPod();
    const { json } = await remove(`${PODS}/${name}?gracePeriodSeconds=-1`);
    expect(json.metadata.deletionGracePeriodSeconds).toBe(1);
  });

  it('remove a pod without a node at once', async () => {
    await api.call('POST', PODS, { body: pod(name) });
    await remove(`${PODS}/${name}`);
    expect((await get(`${PODS}/${name}`)).status).toBe(404);
  });

  it('keep a pod with finalizers, its grace being over, until they are gone', async () => {
    await runningPod({ finalizers: ['example.com/a'] });
    const path = `${PODS}/${name}`;
    const { json } = await remove(`${path}?gracePeriodSeconds=0`);
    expect(json.metadata).toMatchObject({
      deletionGracePeriodSeconds: 0,
      finalizers: ['example.com/a'],
    });
    await merge(path, { metadata: { finalizers: null } });
    expect((await get(path)).status).toBe(404);
  });

  it.each([
    ['Orphan', 'orphan'],
    ['Foreground', 'foregroundDeletion'],
  ])('leave dependents to the collector under %s', async (policy, finalizer) => {
    await makeMap({ finalizers: ['example.com/a'] });
    const path = `${MAPS}/${name}`;
    const marked = await remove(path, { propagationPolicy: policy });
    expect(marked.json.metadata.finalizers).toEqual(['example.com/a', finalizer]);
    expect((await get(path)).status).toBe(200);
    const instead = await remove(path, { propagationPolicy: 'Background' });
    expect(instead.json.metadata.finalizers).toEqual(['example.com/a']);
    await merge(path, { metadata: { finalizers: null } });
    expect((await get(path)).status).toBe(404);
  });

  it('go at once in the background, which is the default, and so with orphanDependents=false', async () => {
    for (const query of ['', '?propagationPolicy=Background', '?orphanDependents=false']) {
      await makeMap();
      await remove(`${MAPS}/${name}${query}`);
      expect((await get(`${MAPS}/${name}`)).status).toBe(404);
    }
    await makeMap();
    const { json } = await remove(`${MAPS}/${name}?orphanDependents=true`);
    expect(json.metadata.finalizers).toEqual(['orphan']);
  });

  it.each([
    [{ propagationPolicy: 'Sideways' }, 'propagationPolicy', 'FieldValueNotSupported'],
    [{ dryRun: ['All', 'Some'] }, 'dryRun', 'FieldValueNotSupported'],
    [
      { propagationPolicy: 'Orphan', orphanDependents: true },
      'propagationPolicy',
      'FieldValueInvalid',
    ],
  ])('are refused with options that make no sense: %j', async (body, field, reason) => {
    await makeMap();
    const { status, json } = await remove(`${MAPS}/${name}`, body);
    expect([status, json.reason]).toEqual([422, 'Invalid']);
    expect(json.details).toMatchObject({
      group: 'meta.k8s.io',
      kind: 'DeleteOptions',
      causes: [{ field, reason }],
    });
    expect((await get(`${MAPS}/${name}`)).status).toBe(200);
  });

  it.each([
    '[]',
    '"x"',
    { kind: 'Pod' },
    { preconditions: 'x' },
    { gracePeriodSeconds: 'soon' },
    { dryRun: 'All' },
  ])('are refused with a body that is none, and nothing is deleted: %j', async (body) => {
    await makeMap();
    const refused = await api.call('DELETE', `${MAPS}/${name}`, { body });
    expect([refused.status, refused.json.reason]).toEqual([400, 'BadRequest']);
    expect((await get(`${MAPS}/${name}`)).status).toBe(200);
  });

  const inCollection = async (labels: object, names: readonly string[]) => {
    for (const each of names) await api.call('POST', MAPS, { body: map(each, { labels }) });
  };
  const namesOf = ({ items }: Json) => items.map(({ metadata }) => metadata.name);

  it('of a collection take what both selectors select', async () => {
    await inCollection({ app: 'x' }, ['sel-a', 'sel-b']);
    await inCollection({ app: 'y' }, ['sel-c']);
    const query = 'labelSelector=app%20in%20(x,y)&fieldSelector=metadata.name!%3Dsel-b';
    const { json } = await remove(`${MAPS}?${query}`);
    expect([json.kind, namesOf(json)]).toEqual(['ConfigMapList', ['sel-a', 'sel-c']]);
    expect(namesOf((await get(`${MAPS}?labelSelector=app`)).json)).toEqual(['sel-b']);
    expect((await remove(`${MAPS}?labelSelector=a+in`)).status).toBe(400);
    expect((await remove(`${MAPS}?fieldSelector=data.x%3Dy`)).status).toBe(400);
  });

  it('of a collection take a page where a limit is given', async () => {
    await inCollection({ page: 'yes' }, ['p-a', 'p-b', 'p-c']);
    const page = (await remove(`${MAPS}?labelSelector=page&limit=2`)).json;
    expect(namesOf(page)).toEqual(['p-a', 'p-b']);
    expect(namesOf((await get(`${MAPS}?labelSelector=page`)).json)).toEqual(['p-c']);
    for (const query of ['limit=x', 'timeoutSeconds=x'])
      expect((await remove(`${MAPS}?${query}`)).status).toBe(400);
  });

  it('of a collection take each as if by itself: finalizers and preconditions hold', async () => {
    await inCollection({ each: 'yes' }, ['e-a']);
    await api.call('POST', MAPS, {
      body: map('e-b', { labels: { each: 'yes' }, finalizers: ['example.com/a'] }),
    });
    const dry = (await remove(`${MAPS}?labelSelector=each&dryRun=All`)).json;
    expect(namesOf(dry)).toEqual(['e-a', 'e-b']);
    expect(namesOf((await get(`${MAPS}?labelSelector=each`)).json)).toEqual(['e-a', 'e-b']);
    const { json } = await remove(`${MAPS}?labelSelector=each`, { gracePeriodSeconds: 0 });
    expect(json.items[1]?.metadata.deletionTimestamp).toBeTruthy();
    expect(namesOf((await get(`${MAPS}?labelSelector=each`)).json)).toEqual(['e-b']);
    await merge(`${MAPS}/e-b`, { metadata: { finalizers: null } });
  });

  it('by eviction mark a pod as a delete does', async () => {
    await runningPod();
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } };
    expect((await api.call('POST', `${PODS}/${name}/eviction`, { body })).status).toBe(201);
    expect((await get(`${PODS}/${name}`)).json.metadata.deletionTimestamp).toBeTruthy();
  });

  it('bind no pod twice', async () => {
    await runningPod();
    expect((await bind('n2')).status).toBe(409);
    expect((await get(`${PODS}/${name}`)).json.spec['nodeName']).toBe('n1');
  });

  it('end a namespace: nothing new in it, then gone when it is finalized', async () => {
    const path = '/api/v1/namespaces/end';
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'end' } };
    await api.call('POST', '/api/v1/namespaces', { body });
    const marked = (await remove(path)).json;
    expect(marked.status['phase']).toBe('Terminating');
    const refused = await api.call('POST', `${path}/configmaps`, { body: map('a') });
    expect([refused.status, refused.json.reason]).toEqual([403, 'Forbidden']);
    const finalized = { ...marked, spec: { finalizers: [] } };
    await api.call('PUT', `${path}/finalize?dryRun=All`, { body: finalized });
    expect((await get(path)).status).toBe(200);
    await api.call('PUT', `${path}/finalize`, { body: finalized });
    expect((await get(path)).status).toBe(404);
    expect((await remove('/api/v1/namespaces/default')).status).toBe(403);
  });
}
