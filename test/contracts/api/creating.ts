// New and replaced objects: generated names, whose word counts in metadata, versions, and what a PUT may create.
// Invariant: what the server sets stays the server's, however a writer asks for it.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MAX_NAME_ATTEMPTS } from '../../../apiserver/options.ts';
import { systemRandom } from '../../../base/random.ts';
import type { ApiCaller, Json, OpenCaller } from '../../support/api-caller.ts';
import { until } from '../../support/until.ts';

const CORE = '/api/v1/namespaces/default';
const MAPS = `${CORE}/configmaps`;
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const BUDGETS = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
const RBAC = 'rbac.authorization.k8s.io';
const MERGE = 'application/merge-patch+json';
const SUFFIX_LENGTH = 5;
const UID = '0a7c1f4e-0000-4000-8000-000000000000';
const map = (metadata: object, data = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata,
  data,
});
const deployment = (name: string, metadata = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, ...metadata },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    },
  },
});

/** Kinds that a PUT creates, as upstream's, with the rest of an object of them. */
const CREATED_BY_PUT: readonly (readonly [path: string, object: object])[] = [
  [`${CORE}/endpoints`, { apiVersion: 'v1', kind: 'Endpoints' }],
  [
    `${CORE}/events`,
    {
      apiVersion: 'v1',
      kind: 'Event',
      involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
    },
  ],
  [`${CORE}/limitranges`, { apiVersion: 'v1', kind: 'LimitRange' }],
  [`${CORE}/services`, { apiVersion: 'v1', kind: 'Service', spec: { ports: [{ port: 80 }] } }],
  [LEASES, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' }],
  [
    '/apis/node.k8s.io/v1/runtimeclasses',
    { apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', handler: 'h' },
  ],
  [`/apis/${RBAC}/v1/namespaces/default/roles`, { apiVersion: `${RBAC}/v1`, kind: 'Role' }],
  [`/apis/${RBAC}/v1/clusterroles`, { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole' }],
  [
    `/apis/${RBAC}/v1/namespaces/default/rolebindings`,
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'RoleBinding',
      roleRef: { apiGroup: RBAC, kind: 'Role', name: 'r' },
    },
  ],
  [
    `/apis/${RBAC}/v1/clusterrolebindings`,
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRoleBinding',
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'r' },
    },
  ],
];

/** Holds for every way to a server, over every storage. */
export function creatingContract(open: OpenCaller): void {
  let api: ApiCaller;
  beforeAll(async () => {
    api = await open();
  });
  afterAll(() => api.close());
  const post = (path: string, body: unknown) => api.call('POST', path, { body });
  const put = (path: string, body: unknown) => api.call('PUT', path, { body });
  const get = async (path: string) => (await api.call('GET', path)).json;
  const merge = (path: string, body: unknown) => api.call('PATCH', path, { type: MERGE, body });

  it('generate a name where asked, and another one where that is taken', async () => {
    // The first two names are the same; the third is not.
    const draws = [0, 0, 0.5];
    let drawn = 0;
    const next = () => draws[Math.floor(drawn++ / SUFFIX_LENGTH)] ?? systemRandom.next();
    const other = await open({ random: { ...systemRandom, next } });
    drawn = 0;
    const names: string[] = [];
    for (let i = 0; i < 2; i++) {
      const made = await other.call('POST', MAPS, { body: map({ generateName: 'g-' }) });
      expect(made.status).toBe(201);
      expect(made.json.metadata['generateName' as 'name']).toBe('g-');
      names.push(made.json.metadata.name ?? '');
    }
    expect(names[0]).toBe('g-bbbbb');
    expect(names[1]).toMatch(/^g-[a-z0-9]{5}$/);
    expect(names[1]).not.toBe(names[0]);
    expect(drawn).toBeGreaterThanOrEqual(3 * SUFFIX_LENGTH);
    await other.close();
  });

  it(`give up on a generated name after ${MAX_NAME_ATTEMPTS} that are taken, in words that say so`, async () => {
    let drawn = 0;
    const next = () => {
      drawn += 1;
      return 0;
    };
    const other = await open({ random: { ...systemRandom, next } });
    const create = () => other.call('POST', MAPS, { body: map({ generateName: 'g-' }) });
    await create();
    drawn = 0;
    const { status, json } = await create();
    expect([status, json.reason]).toEqual([409, 'AlreadyExists']);
    expect(json.message).toBe(
      'configmaps "g-bbbbb" already exists, the server was not able to generate a unique name for the object',
    );
    expect(json.details).toEqual({ name: 'g-bbbbb', kind: 'configmaps', retryAfterSeconds: 1 });
    expect(drawn).toBe(MAX_NAME_ATTEMPTS * SUFFIX_LENGTH);
    await other.close();
  });

  it('cut a long base so that the suffix has room, and take a name before a base', async () => {
    const generateName = 'x'.repeat(70);
    const long = (await post(MAPS, map({ generateName }))).json;
    expect(long.metadata.name).toMatch(/^x{58}[a-z0-9]{5}$/);
    const named = (await post(MAPS, map({ generateName: 'g-', name: 'given' }))).json;
    expect(named.metadata.name).toBe('given');
    const { status, json } = await post(MAPS, map({}));
    expect([status, json.reason]).toEqual([422, 'Invalid']);
    expect(json.message).toContain('metadata.name: Required value: name or generateName');
  });

  it('are answered and stored with what the server sets, whatever the writer said', async () => {
    const said = {
      name: 'said',
      uid: UID,
      creationTimestamp: '2001-01-01T00:00:00Z',
      deletionTimestamp: '2001-01-01T00:00:00Z',
      deletionGracePeriodSeconds: 5,
      generation: 7,
      selfLink: '/x',
    };
    const { status, json } = await post(DEPLOYMENTS, deployment('said', said));
    expect(status).toBe(201);
    const { metadata } = json;
    expect(metadata.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    expect(metadata.uid).not.toBe(UID);
    expect(metadata.creationTimestamp).not.toBe(said.creationTimestamp);
    expect([metadata.deletionTimestamp, metadata.deletionGracePeriodSeconds]).toEqual([
      undefined,
      undefined,
    ]);
    expect([metadata.generation, metadata['selfLink' as 'name']]).toEqual([1, undefined]);
    expect(metadata.resourceVersion).toMatch(/^[1-9]\d*$/);
    expect(await get(`${DEPLOYMENTS}/said`)).toEqual(json);
  });

  it('keep uid, creation time, generation and deletion fields through every change', async () => {
    const { metadata } = (await post(DEPLOYMENTS, deployment('kept'))).json;
    const changed = {
      creationTimestamp: '2001-01-01T00:00:00Z',
      generation: 70,
      labels: { a: 'b' },
    };
    const { uid, creationTimestamp, generation } = metadata;
    const replaced = await put(`${DEPLOYMENTS}/kept`, deployment('kept', changed));
    expect(replaced.json.metadata).toMatchObject({ uid, creationTimestamp, generation });
    const patched = await merge(`${DEPLOYMENTS}/kept`, {
      metadata: { ...changed, labels: { c: 'd' } },
    });
    expect(patched.json.metadata).toMatchObject({ uid, creationTimestamp, generation });
    expect(patched.json.metadata.deletionTimestamp).toBeUndefined();
  });

  it('have a uid that no change may name otherwise: 409 for a PUT, 422 for a patch', async () => {
    await post(MAPS, map({ name: 'identity' }));
    const body = map({ name: 'identity', uid: UID });
    const refused = await put(`${MAPS}/identity`, body);
    expect([refused.status, refused.json.reason]).toEqual([409, 'Conflict']);
    expect(refused.json.message).toContain(`UID in precondition: ${UID}`);
    const patched = await merge(`${MAPS}/identity`, body);
    expect([patched.status, patched.json.reason]).toEqual([422, 'Invalid']);
    expect(patched.json.message).toContain('metadata.uid: Invalid value');
  });

  it('count a generation for each change of the spec, none for labels, status or nothing', async () => {
    await post(DEPLOYMENTS, deployment('counted'));
    const path = `${DEPLOYMENTS}/counted`;
    const generationAfter = async (at: string, body: object) =>
      (await merge(at, body)).json.metadata.generation;
    expect(await generationAfter(path, { metadata: { labels: { a: 'b' } } })).toBe(1);
    expect(await generationAfter(`${path}/status`, { status: { replicas: 1 } })).toBe(1);
    expect(await generationAfter(path, { spec: { replicas: 1 } })).toBe(1);
    expect(await generationAfter(path, { spec: { replicas: 2 } })).toBe(2);
    expect((await api.call('GET', path)).json.metadata.generation).toBe(2);
  });

  it('come without a status, and a PUT keeps status and the rest apart in both directions', async () => {
    const status = { replicas: 5, readyReplicas: 5 };
    const made = (await post(DEPLOYMENTS, { ...deployment('apart'), status })).json;
    expect(made.status ?? {}).toEqual({});
    const path = `${DEPLOYMENTS}/apart`;
    const body = { ...made, status, spec: { ...(made.spec as object), replicas: 9 } };
    const viaStatus = (await put(`${path}/status`, body)).json;
    expect([viaStatus.spec['replicas'], viaStatus.status['replicas']]).toEqual([1, 5]);
    const { resourceVersion } = viaStatus.metadata;
    const again = { ...body, metadata: { ...made.metadata, resourceVersion }, status: {} };
    const viaMain = (await put(path, again)).json;
    expect([viaMain.spec['replicas'], viaMain.status['replicas']]).toEqual([9, 5]);
    expect(viaMain.metadata.generation).toBe(2);
  });

  it('are scaled through the subresource, which has the version of the object', async () => {
    const made = (await post(DEPLOYMENTS, deployment('scaled'))).json;
    const path = `${DEPLOYMENTS}/scaled/scale`;
    const before = await get(path);
    expect(before).toMatchObject({ kind: 'Scale', status: { selector: 'app=web' } });
    expect(before.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    const body = { ...before, spec: { replicas: 6 } };
    expect((await put(path, body)).json.spec['replicas']).toBe(6);
    expect((await put(path, body)).json.reason).toBe('Conflict');
    expect((await get(`${DEPLOYMENTS}/scaled`)).spec['replicas']).toBe(6);
  });

  it('are refused where they rest on an old version, with what they are about', async () => {
    const made = (await post(MAPS, map({ name: 'stale' }))).json;
    const fresh = (await put(`${MAPS}/stale`, { ...made, data: { a: '1' } })).json;
    const { status, json } = await put(`${MAPS}/stale`, { ...made, data: { a: '2' } });
    expect([status, json.reason]).toEqual([409, 'Conflict']);
    expect(json.message).toBe(
      'Operation cannot be fulfilled on configmaps "stale": the object has been modified; please apply your changes to the latest version and try again',
    );
    expect(json.details).toEqual({ name: 'stale', kind: 'configmaps' });
    expect(await get(`${MAPS}/stale`)).toEqual(fresh);
    const { resourceVersion } = made.metadata;
    for (const body of [{ metadata: { resourceVersion }, data: { a: '3' } }])
      expect((await merge(`${MAPS}/stale`, body)).status).toBe(409);
  });

  it('may be sent again: what changes nothing keeps the version, what is done is told as done', async () => {
    const made = (await post(MAPS, map({ name: 'again' }, { a: '1' }))).json;
    expect((await post(MAPS, map({ name: 'again' }, { a: '1' }))).json.reason).toBe(
      'AlreadyExists',
    );
    for (const same of [
      await put(`${MAPS}/again`, made),
      await put(`${MAPS}/again`, map({ name: 'again' }, { a: '1' })),
      await merge(`${MAPS}/again`, { data: { a: '1' } }),
      await merge(`${MAPS}/again`, {}),
    ]) {
      expect(same.status).toBe(200);
      expect(same.json).toEqual(made);
    }
    expect((await api.call('DELETE', `${MAPS}/again`)).status).toBe(200);
    expect((await api.call('DELETE', `${MAPS}/again`)).json.reason).toBe('NotFound');
  });

  it('survive a race: each patch of many at once is kept, and of many PUTs at one version one wins', async () => {
    const made = (await post(MAPS, map({ name: 'raced' }))).json;
    const keys = Array.from({ length: 6 }, (_, i) => `k${i}`);
    const puts = await Promise.all(
      keys.map((key) => put(`${MAPS}/raced`, { ...made, data: { [key]: '1' } })),
    );
    expect(puts.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
      200, 409, 409, 409, 409, 409,
    ]);
    const patches = await Promise.all(
      keys.map((key) => merge(`${MAPS}/raced`, { data: { [key]: '2' } })),
    );
    expect(patches.map(({ status }) => status)).toEqual(keys.map(() => 200));
    const { data } = (await get(`${MAPS}/raced`)) as Json & { data: object };
    expect(data).toEqual(Object.fromEntries(keys.map((key) => [key, '2'])));
  });

  it.each(CREATED_BY_PUT)('are made by a PUT of %s', async (path, object) => {
    const body = { ...object, metadata: { name: 'put' } };
    const dry = await put(`${path}/put?dryRun=All`, body);
    expect(dry.status).toBe(201);
    expect((await api.call('GET', `${path}/put`)).status).toBe(404);
    const made = await put(`${path}/put`, body);
    expect(made.status).toBe(201);
    expect(made.json.metadata.uid).toBeTruthy();
    expect(await get(`${path}/put`)).toEqual(made.json);
    const { resourceVersion } = made.json.metadata;
    const again = await put(`${path}/put`, { ...body, metadata: { name: 'put', resourceVersion } });
    expect(again.status).toBe(200);
    const gone = { ...body, metadata: { name: 'gone', uid: UID } };
    expect((await put(`${path}/gone`, gone)).json.reason).toBe('Conflict');
  });

  it.each([
    [MAPS, map({ name: 'put' })],
    [`${CORE}/secrets`, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'put' } }],
    [DEPLOYMENTS, deployment('put')],
    ['/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'put' } }],
  ])('are not made by a PUT of %s: 404', async (path, body) => {
    expect((await put(`${path}/put`, body)).json.reason).toBe('NotFound');
  });

  it('need the right to create where a PUT creates', async () => {
    const rule = { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['update'] };
    const role = { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata: { name: 'putter' } };
    await post(`/apis/${RBAC}/v1/clusterroles`, { ...role, rules: [rule] });
    await post(`/apis/${RBAC}/v1/clusterrolebindings`, {
      ...role,
      kind: 'ClusterRoleBinding',
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'putter' },
      subjects: [{ apiGroup: RBAC, kind: 'User', name: 'putter' }],
    });
    const body = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'theirs' },
    };
    const refused = await api.call('PUT', `${LEASES}/theirs`, { body, as: 'putter' });
    expect([refused.status, refused.json.message]).toEqual([
      403,
      expect.stringContaining('User "putter" cannot create resource "leases"'),
    ]);
    const { json } = await post(LEASES, body);
    const changed = { ...json, metadata: { ...json.metadata, labels: { a: 'b' } } };
    const allowed = await api.call('PUT', `${LEASES}/theirs`, { body: changed, as: 'putter' });
    expect(allowed.status).toBe(200);
  });

  it.each([
    [LEASES, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'blind' } }],
    [
      BUDGETS,
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'blind' },
        spec: { selector: {} },
      },
    ],
    [
      '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name: 'blind' },
      },
    ],
    [
      '/apis/apiregistration.k8s.io/v1/apiservices',
      {
        apiVersion: 'apiregistration.k8s.io/v1',
        kind: 'APIService',
        metadata: { name: 'v1.example.com' },
        spec: { group: 'example.com', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 },
      },
    ],
    [
      '/apis/storage.k8s.io/v1/csidrivers',
      {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'CSIDriver',
        metadata: { name: 'blind.example.com' },
        spec: {},
      },
    ],
    [
      '/apis/node.k8s.io/v1/runtimeclasses',
      {
        apiVersion: 'node.k8s.io/v1',
        kind: 'RuntimeClass',
        metadata: { name: 'blind' },
        handler: 'h',
      },
    ],
  ])('are replaced blindly, but not those of %s', async (path, body) => {
    const at = `${path}/${body.metadata.name}`;
    await post(path, body);
    const refused = await put(at, body);
    expect([refused.status, refused.json.reason]).toEqual([422, 'Invalid']);
    expect(refused.json.message).toMatch(
      /^\w+\.[\w.]+ "[\w.]+" is invalid: metadata\.resourceVersion: Invalid value: 0x0: must be specified for an update$/,
    );
    const { json } = await merge(at, { metadata: { labels: { a: 'b' } } });
    expect((await put(at, json)).status).toBe(200);
    expect((await put(`${MAPS}/given`, map({ name: 'given' }, { b: '1' }))).status).toBe(200);
  });

  it('are not replaced blindly where they are custom, nor are their definitions', async () => {
    const group = 'example.com';
    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `boats.${group}` },
      spec: {
        group,
        scope: 'Cluster',
        names: { plural: 'boats', kind: 'Boat' },
        versions: [
          { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } },
        ],
      },
    };
    expect((await post(crds, definition)).status).toBe(201);
    const boats = `/apis/${group}/v1/boats`;
    await until(async () => (await api.call('GET', boats)).status === 200);
    const boat = { apiVersion: `${group}/v1`, kind: 'Boat', metadata: { name: 'a' } };
    await post(boats, boat);
    for (const [at, body] of [
      [`${boats}/a`, boat],
      [`${crds}/boats.${group}`, definition],
    ] as const) {
      const { status, json } = await put(at, body);
      expect([status, json.reason]).toEqual([422, 'Invalid']);
      expect(json.message).toContain('metadata.resourceVersion: Invalid value');
    }
    expect((await put(`${boats}/none`, { ...boat, metadata: { name: 'none' } })).status).toBe(404);
  });
}
