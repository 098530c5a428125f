// managedFields: who owns which field after every kind of write that is no apply; over each backend.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_FIELD_SET_DEPTH } from '../../../api/fieldset/parse-field-set.ts';
import { MAX_MANAGER_BYTES, MAX_SUBRESOURCE_BYTES } from '../../../api/meta/manager-names.ts';
import { MAX_UPDATERS } from '../../../apiserver/managedfields/cap-updaters.ts';
import { VALUE_MAX_BYTES } from '../../../apiserver/storage/write-lane.ts';
import { systemClock } from '../../../base/clock.ts';
import type { ApiCaller, Json, OpenCaller } from '../../support/api-caller.ts';
import { ownersOf } from '../../support/applying.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const PODS = '/api/v1/namespaces/default/pods';
const SETS = '/apis/apps/v1/namespaces/default/replicasets';
const BINDINGS = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
const map = (name: string, data: object = { a: '1' }, metadata = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
});
const labels = { app: 'web' };
const replicaSet = (name: string) => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name },
  spec: {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
});
type Patching = [path: string, body: unknown, agent?: string, kind?: string];
const owners = ({ json }: { json: Json }) => Object.keys(ownersOf(json)).sort();

/** Holds for every way to a server, over every storage. */
export function ownersContract(open: OpenCaller): void {
  let api: ApiCaller;
  let nowMs = Date.UTC(2026, 0, 1);
  beforeAll(async () => {
    api = await open({ clock: { ...systemClock, now: () => nowMs } });
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
    await post('/api/v1/namespaces/default/serviceaccounts', account);
  });
  afterAll(() => api.close());
  const tick = () => {
    nowMs += 1000;
  };
  const post = (path: string, body: object, agent = 'maker/v1 (linux)') =>
    api.call('POST', path, { body, agent });
  const patch = (...[path, body, agent = 'patcher/1', kind = 'merge']: Patching) =>
    api.call('PATCH', path, { type: `application/${kind}-patch+json`, body, agent });

  it('are whoever made the object, of all that it and its defaults say', async () => {
    const { json } = await post(SETS, replicaSet('made'));
    expect(json.metadata.managedFields).toEqual([
      {
        manager: 'maker',
        operation: 'Update',
        apiVersion: 'apps/v1',
        time: json.metadata.creationTimestamp,
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:spec': {
            'f:replicas': {},
            'f:selector': {},
            'f:template': {
              'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
              'f:spec': {
                'f:containers': {
                  'k:{"name":"c"}': expect.objectContaining({
                    '.': {},
                    'f:image': {},
                    'f:name': {},
                  }),
                },
                'f:dnsPolicy': {},
                'f:restartPolicy': {},
                'f:schedulerName': {},
                'f:securityContext': {},
                'f:terminationGracePeriodSeconds': {},
              },
            },
          },
        },
      },
    ]);
  });

  it('are named by the parameter first, then by the user agent, and else unknown', async () => {
    const made = async (name: string, query: string, agent: string) =>
      owners(await post(`${MAPS}${query}`, map(name), agent))[0];
    expect(await made('n1', '?fieldManager=me', 'agent/1')).toBe('me Update');
    expect(await made('n2', '', 'agent with spaces/1')).toBe('agent with spaces Update');
    expect(await made('n3', '', 'a\tgent')).toBe('agent Update');
    expect(await made('n4', '', 'x'.repeat(200))).toBe(`${'x'.repeat(MAX_MANAGER_BYTES)} Update`);
    expect(await made('n5', '', '/1')).toBe('unknown Update');
    const refused = await post(
      `${MAPS}?fieldManager=${'x'.repeat(MAX_MANAGER_BYTES + 1)}`,
      map('n6'),
    );
    expect([refused.status, refused.json.message]).toEqual([
      422,
      'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes',
    ]);
  });

  it('change with every kind of change', async () => {
    const made = await post(MAPS, map('kinds', { a: '1', b: '1', c: '1', d: '1' }));
    const body = { ...made.json, data: { ...(made.json['data'] as object), a: '2' } };
    await api.call('PUT', `${MAPS}/kinds`, { body, agent: 'updater/1' });
    await patch(`${MAPS}/kinds`, { data: { b: '2' } }, 'merger');
    await patch(`${MAPS}/kinds`, { data: { c: '2' } }, 'strategist', 'strategic-merge');
    const operations = [{ op: 'replace', path: '/data/d', value: '2' }];
    const { json } = await patch(`${MAPS}/kinds`, operations, 'surgeon', 'json');
    const field = (name: string) => ({ 'f:data': { [`f:${name}`]: {} } });
    expect(ownersOf(json)).toEqual({
      'maker Update': { 'f:data': {} },
      'updater Update': field('a'),
      'merger Update': field('b'),
      'strategist Update': field('c'),
      'surgeon Update': field('d'),
    });
  });

  it('have a time that is that of their last change, and none changes with nothing', async () => {
    const made = (await post(MAPS, map('times'))).json;
    const time = ({ json }: { json: Json }) => json.metadata.managedFields?.[0]?.time;
    tick();
    const same = await patch(`${MAPS}/times`, { data: { a: '1' } }, 'other');
    expect(same.json).toEqual(made);
    const put = await api.call('PUT', `${MAPS}/times`, { body: made, agent: 'other' });
    expect(put.json).toEqual(made);
    const changed = await patch(`${MAPS}/times`, { data: { a: '2' } }, 'maker');
    expect(time(changed)).not.toBe(made.metadata.managedFields?.[0]?.time);
    tick();
    const later = await patch(`${MAPS}/times`, { data: { a: '2' } }, 'maker');
    expect(later.json).toEqual(changed.json);
  });

  it('of status and of the rest are apart', async () => {
    await post(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
      status: { phase: 'Failed' },
    });
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    const body = { spec: { activeDeadlineSeconds: 5 }, status };
    const written = await patch(`${PODS}/p/status`, body, 'kubelet', 'strategic-merge');
    expect(ownersOf(written.json)['kubelet Update/status']).toEqual({
      'f:status': {
        'f:conditions': {
          '.': {},
          'k:{"type":"Ready"}': { '.': {}, 'f:status': {}, 'f:type': {} },
        },
        'f:phase': {},
      },
    });
    const { resourceVersion } = written.json.metadata;
    const again = await patch(`${PODS}/p/status`, body, 'other', 'strategic-merge');
    expect(again.json.metadata.resourceVersion).toBe(resourceVersion);
    const main = await patch(`${PODS}/p`, { status: { phase: 'Failed' } }, 'other');
    expect(main.json).toEqual(again.json);
    expect(ownersOf(main.json)['maker Update']).not.toHaveProperty('f:status');
  });

  it('are told through which subresource they wrote', async () => {
    await post(SETS, replicaSet('scaled'));
    await patch(`${SETS}/scaled/scale`, { spec: { replicas: 3 } }, 'scaler');
    const { json } = await api.call('GET', `${SETS}/scaled`);
    expect(json.metadata.managedFields).toContainEqual(
      expect.objectContaining({
        manager: 'scaler',
        operation: 'Update',
        apiVersion: 'apps/v1',
        subresource: 'scale',
        fieldsV1: { 'f:spec': { 'f:replicas': {} } },
      }),
    );
    expect(ownersOf(json)['maker Update']).not.toHaveProperty(['f:spec', 'f:replicas']);
    const space = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ending' } };
    const made = (await post('/api/v1/namespaces', space)).json;
    const body = { ...made, spec: { finalizers: ['kubernetes', 'a/b'] } };
    const path = '/api/v1/namespaces/ending/finalize';
    const finalized = await api.call('PUT', path, { body, agent: 'finisher' });
    expect(owners(finalized)).toContain('finisher Update/finalize');
  });

  it('do not come by way of a binding or a delete', async () => {
    await post(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'bound', finalizers: ['a/b'] },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    });
    const target = { kind: 'Node', name: 'n' };
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'bound' }, target };
    await post(`${PODS}/bound/binding`, binding, 'kube-scheduler');
    await api.call('DELETE', `${PODS}/bound`, { agent: 'deleter' });
    expect(owners(await api.call('GET', `${PODS}/bound`))).toEqual(['maker Update']);
  });

  it('are the API server of what every cluster has', async () => {
    expect(owners(await api.call('GET', `${BINDINGS}/cluster-admin`))).toEqual([
      'kube-apiserver Update',
    ]);
  });

  describe('that clients write themselves', () => {
    const entry = (extra = {}) => ({
      manager: 'mine',
      operation: 'Update',
      apiVersion: 'v1',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:data': { 'f:a': {} } },
      ...extra,
    });
    const write = (name: string, managedFields: unknown) =>
      patch(`${MAPS}/${name}`, { metadata: { managedFields } });

    it('are taken, in their one form', async () => {
      await post(MAPS, map('given'));
      const fieldsV1 = { 'f:data': { 'x:new': {}, 'f:a': {}, '.': {} } };
      const { json } = await write('given', [entry({ fieldsV1, subresource: 'sub' })]);
      expect(ownersOf(json)).toEqual({ 'mine Update/sub': { 'f:data': { '.': {}, 'f:a': {} } } });
    });

    it.each([
      ['one empty entry', [{}]],
      ['an empty list', []],
    ])('are forgotten by %s, and not kept from then on', async (_, list) => {
      const name = `cleared-${list.length}`;
      await post(MAPS, map(name));
      expect((await write(name, list)).json.metadata.managedFields).toBeUndefined();
      const { json } = await patch(`${MAPS}/${name}`, { data: { a: '2' } });
      expect(json.metadata.managedFields).toBeUndefined();
    });

    it('stay as they were where the list is none', async () => {
      const { json } = await post(MAPS, map('broken'));
      const deep = Array.from({ length: MAX_FIELD_SET_DEPTH - 10 }).reduce<object>(
        (below) => ({ 'f:a': below }),
        {},
      );
      for (const bad of [
        entry({ operation: 'Steal' }),
        entry({ apiVersion: '' }),
        entry({ fieldsType: 'FieldsV2' }),
        entry({ fieldsV1: { 'k:{': {} } }),
        entry({ fieldsV1: { 'f:a': 1 } }),
      ])
        expect((await write('broken', [bad])).json).toEqual(json);
      expect(owners(await write('broken', [entry({ fieldsV1: deep })]))).toEqual(['mine Update']);
      expect(
        (await write('broken', [entry({ fieldsV1: { 'f:x': { 'f:x': deep } } })])).status,
      ).toBe(200);
      const deeper = Array.from({ length: MAX_FIELD_SET_DEPTH + 10 }).reduce<object>(
        (below) => ({ 'f:a': below }),
        {},
      );
      expect((await write('broken', [entry({ fieldsV1: deeper })])).status).toBe(400);
    });

    it('have names within the limits', async () => {
      await post(MAPS, map('named'));
      const long = await write('named', [
        entry({ manager: 'x'.repeat(MAX_MANAGER_BYTES + 1) }),
        entry({ manager: 'a\nb', subresource: 'x'.repeat(MAX_SUBRESOURCE_BYTES + 1) }),
      ]);
      expect(long.status).toBe(422);
      const causes = (long.json['details'] as unknown as { causes: { field: string }[] }).causes;
      expect(causes.map(({ field }) => field).sort()).toEqual([
        'metadata.managedFields[0].manager',
        'metadata.managedFields[0].subresource',
        'metadata.managedFields[1].manager',
      ]);
    });

    it('cannot come through a subresource', async () => {
      await post(SETS, replicaSet('guarded'));
      const before = (await api.call('GET', `${SETS}/guarded`)).json.metadata.managedFields;
      const body = { metadata: { managedFields: [{}] }, status: { replicas: 1 } };
      const { json } = await patch(`${SETS}/guarded/status`, body, 'x');
      expect(json.metadata.managedFields).toEqual(expect.arrayContaining(before ?? []));
    });
  });

  it(`are at most ${MAX_UPDATERS} by update; the oldest lose their names`, async () => {
    await post(MAPS, map('crowd', { k: '' }));
    for (let i = 0; i < MAX_UPDATERS + 5; i++) {
      tick();
      await patch(`${MAPS}/crowd`, { data: { [`k${i}`]: '1' } }, `updater-${i}`);
    }
    const { json } = await api.call('GET', `${MAPS}/crowd`);
    expect(json.metadata.managedFields).toHaveLength(MAX_UPDATERS);
    const { 'ancient-changes Update': ancient, ...others } = ownersOf(json);
    expect(Object.keys((ancient as { 'f:data': object })['f:data'])).toEqual([
      '.',
      'f:k',
      ...Array.from({ length: 6 }, (_, i) => `f:k${i}`),
    ]);
    expect(Object.keys(others)).not.toContain('updater-5 Update');
    expect(Object.keys(others)).toContain('updater-6 Update');
  });

  it('are left out where the object would be too large with them', async () => {
    const name = (i: number) => `${'k'.repeat(60)}${i}`;
    const env = Array.from({ length: 20_000 }, (_, i) => ({ name: name(i), value: '1' }));
    const body = replicaSet('large');
    Object.assign(body.spec.template.spec.containers[0] ?? {}, { env });
    expect(Buffer.byteLength(JSON.stringify(body)) * 2).toBeGreaterThan(VALUE_MAX_BYTES);
    const { status, json } = await post(SETS, body);
    expect([status, json.metadata.managedFields]).toEqual([201, undefined]);
  });
}
