// Server-side apply: who owns what, what conflicts, what goes when nobody applies it any more; over each backend.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ApiCaller, OpenCaller } from '../../support/api-caller.ts';
import { applierTo, type Apply, ownersOf } from '../../support/applying.ts';

const CORE = '/api/v1/namespaces/default';
const MAPS = `${CORE}/configmaps`;
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const map = (name: string, data?: object, metadata = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  ...(data && { data }),
});
const web = (name: string, spec = {}, container = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'c', image: 'i', ...container }] },
    },
    ...spec,
  },
});

/** Holds for every way to a server, over every storage. */
export function applyingContract(open: OpenCaller): void {
  let api: ApiCaller;
  let apply: Apply;
  beforeAll(async () => {
    api = await open();
    apply = applierTo(api);
  });
  afterAll(() => api.close());
  const get = async (path: string) => (await api.call('GET', path)).json;
  const merge = (path: string, body: unknown, agent = 'other/1') =>
    api.call('PATCH', path, { type: 'application/merge-patch+json', body, agent });

  it('make what is not there, and are the owners of what they said', async () => {
    const made = await apply(`${DEPLOYMENTS}/made`, web('made'));
    expect(made.status).toBe(201);
    expect(made.json.spec['replicas']).toBe(1);
    const [entry] = made.json.metadata.managedFields ?? [];
    expect(entry).toEqual({
      manager: 'one',
      operation: 'Apply',
      apiVersion: 'apps/v1',
      time: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      fieldsType: 'FieldsV1',
      fieldsV1: {
        'f:spec': {
          'f:selector': {},
          'f:template': {
            'f:metadata': { 'f:labels': { 'f:app': {} } },
            'f:spec': {
              'f:containers': { 'k:{"name":"c"}': { '.': {}, 'f:image': {}, 'f:name': {} } },
            },
          },
        },
      },
    });
  });

  it('change nothing when nothing changes', async () => {
    const first = (await apply(`${MAPS}/same`, map('same', { a: '1' }))).json;
    const again = await apply(`${MAPS}/same`, map('same', { a: '1' }));
    expect(again.status).toBe(200);
    expect(again.json).toEqual(first);
  });

  it('read YAML and JSON', async () => {
    const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yaml}\ndata:\n  a: "1"\n';
    expect((await apply(`${MAPS}/yaml`, yaml)).status).toBe(201);
    expect((await get(`${MAPS}/yaml`))['data']).toEqual({ a: '1' });
  });

  it('refuse to change what others own, and say whose it is', async () => {
    await apply(`${DEPLOYMENTS}/held`, web('held', { replicas: 3 }));
    await merge(`${DEPLOYMENTS}/held`, { spec: { replicas: 5 } }, 'hpa/v1 (linux)');
    const refused = await apply(`${DEPLOYMENTS}/held`, web('held', { replicas: 3 }));
    expect([refused.status, refused.json.reason]).toEqual([409, 'Conflict']);
    expect(refused.json.message).toBe(
      'Apply failed with 1 conflict: conflict with "hpa" using apps/v1: .spec.replicas',
    );
    expect(refused.json['details']).toEqual({
      causes: [
        {
          reason: 'FieldManagerConflict',
          message: 'conflict with "hpa" using apps/v1',
          field: '.spec.replicas',
        },
      ],
    });
    expect((await get(`${DEPLOYMENTS}/held`)).spec['replicas']).toBe(5);
  });

  it('list conflicts by owner', async () => {
    await apply(`${MAPS}/many`, map('many', { a: '1', b: '1', c: '1' }), { manager: 'x' });
    await apply(`${MAPS}/many`, map('many', { d: '1' }), { manager: 'y' });
    const refused = await apply(`${MAPS}/many`, map('many', { a: '2', b: '2', d: '2' }));
    expect(refused.json.message).toBe(
      'Apply failed with 3 conflicts: conflicts with "x":\n- .data.a\n- .data.b\nconflicts with "y":\n- .data.d',
    );
  });

  it('take over by force, and leave the rest to its owner', async () => {
    await apply(`${MAPS}/forced`, map('forced', { a: '1', b: '1' }), { manager: 'x' });
    const forced = await apply(`${MAPS}/forced`, map('forced', { a: '2' }), {
      query: 'force=true',
    });
    expect(forced.json['data']).toEqual({ a: '2', b: '1' });
    expect(ownersOf(forced.json)).toEqual({
      'one Apply': { 'f:data': { 'f:a': {} } },
      'x Apply': { 'f:data': { 'f:b': {} } },
    });
  });

  it('share what they agree on: it goes when the last owner lets go', async () => {
    const at = `${MAPS}/shared`;
    await apply(at, map('shared', { a: '1', b: '1' }), { manager: 'x' });
    const both = await apply(at, map('shared', { a: '1' }), { manager: 'y' });
    expect(Object.keys(ownersOf(both.json)).sort()).toEqual(['x Apply', 'y Apply']);
    expect((await apply(at, map('shared', { b: '1' }), { manager: 'x' })).json['data']).toEqual({
      a: '1',
      b: '1',
    });
    const gone = await apply(at, map('shared'), { manager: 'y' });
    expect(gone.json['data']).toEqual({ b: '1' });
    expect(Object.keys(ownersOf(gone.json))).toEqual(['x Apply']);
  });

  it('let go of items by their keys, and of nothing that others have in them', async () => {
    const at = `${DEPLOYMENTS}/items`;
    const ports = [{ containerPort: 80 }, { containerPort: 81 }];
    const env = [{ name: 'A', value: '1' }];
    await apply(at, web('items', {}, { ports, env }));
    const strategic = 'application/strategic-merge-patch+json';
    const template = {
      spec: { containers: [{ name: 'c', env: [{ name: 'B', value: '2' }] }] },
    };
    await api.call('PATCH', at, { type: strategic, body: { spec: { template } } });
    const { json } = await apply(at, web('items', {}, { ports: [{ containerPort: 81 }] }));
    const pod = json.spec['template'] as unknown as { spec: { containers: object[] } };
    expect(pod.spec.containers[0]).toMatchObject({
      ports: [{ containerPort: 81, protocol: 'TCP' }],
      env: [{ name: 'B', value: '2' }],
    });
  });

  it('give fields that nobody owns any more their default back', async () => {
    const at = `${DEPLOYMENTS}/defaulted`;
    await apply(at, web('defaulted', { replicas: 4, strategy: { type: 'Recreate' } }));
    const { json } = await apply(at, web('defaulted'));
    expect(json.spec).toMatchObject({ replicas: 1, strategy: { type: 'RollingUpdate' } });
  });

  it('merge sets, and replace atomic lists and maps whole', async () => {
    const at = `${MAPS}/sets`;
    const finalizers = (...list: string[]) => map('sets', undefined, { finalizers: list });
    await apply(at, finalizers('a/b', 'a/c'), { manager: 'x' });
    const merged = await apply(at, finalizers('a/d'), { manager: 'y' });
    expect(merged.json.metadata.finalizers).toEqual(['a/b', 'a/c', 'a/d']);
    expect(ownersOf(merged.json)['y Apply']).toEqual({
      'f:metadata': { 'f:finalizers': { 'v:"a/d"': {} } },
    });
    const left = await apply(at, finalizers('a/c'), { manager: 'x' });
    expect(left.json.metadata.finalizers).toEqual(['a/c', 'a/d']);
    await apply(`${DEPLOYMENTS}/atomic`, web('atomic', {}, { args: ['a', 'b'] }));
    const args = await apply(`${DEPLOYMENTS}/atomic`, web('atomic', {}, { args: ['c'] }));
    expect(JSON.stringify(args.json.spec)).toContain('"args":["c"]');
    const other = await apply(`${DEPLOYMENTS}/atomic`, web('atomic', {}, { args: ['d'] }), {
      manager: 'y',
    });
    expect(other.json.message).toMatch(/: \.spec\.template\.spec\.containers\[name="c"\]\.args$/);
    await merge(at, { metadata: { finalizers: null } });
  });

  it('put merged items in the order of who applies, the others where they were', async () => {
    const at = `${DEPLOYMENTS}/order`;
    const env = (...names: string[]) => ({ env: names.map((name) => ({ name, value: '1' })) });
    await apply(at, web('order', {}, env('A', 'B', 'C')), { manager: 'x' });
    const { json } = await apply(at, web('order', {}, env('C', 'D', 'A')), { manager: 'y' });
    expect(
      JSON.stringify(json.spec)
        .match(/"name":"[A-Z]"/g)
        ?.join(),
    ).toBe('"name":"B","name":"C","name":"D","name":"A"');
  });

  it('empty what is applied as null', async () => {
    const at = `${MAPS}/nulls`;
    await merge(at, {});
    await apply(at, map('nulls', { a: '1', b: '2' }));
    const nulls = map('nulls', { a: null, b: '2' });
    const { json } = await apply(at, nulls, { manager: 'y', query: 'force=1' });
    expect(json['data']).toEqual({ b: '2' });
  });

  it('begin with an owner of all that was there where none was kept', async () => {
    const at = `${MAPS}/older`;
    await api.call('POST', MAPS, { body: map('older', { a: '1', b: '1' }) });
    const cleared = await merge(at, { metadata: { managedFields: [{}] } });
    expect(cleared.json.metadata.managedFields).toBeUndefined();
    const refused = await apply(at, map('older', { a: '2' }));
    expect(refused.json.message).toBe(
      'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.a',
    );
    const { json } = await apply(at, map('older', { a: '1' }));
    expect(ownersOf(json)).toEqual({
      'before-first-apply Update': { 'f:data': { '.': {}, 'f:a': {}, 'f:b': {} } },
      'one Apply': { 'f:data': { 'f:a': {} } },
    });
  });

  it('by kubectl take over what its client-side apply left, and keep its annotation', async () => {
    const at = `${MAPS}/migrated`;
    const key = 'kubectl.kubernetes.io/last-applied-configuration';
    const last = JSON.stringify(map('migrated', { a: '1', b: '1' }));
    const body = map('migrated', { a: '1', b: '1' }, { annotations: { [key]: last } });
    await api.call('POST', `${MAPS}?fieldManager=kubectl-client-side-apply`, { body });
    await merge(at, { data: { b: '2' } }, 'kubectl-edit/1');
    const config = map('migrated', { a: '3' });
    expect((await apply(at, config)).json.message).toContain(
      '"kubectl-client-side-apply" using v1',
    );
    const edited = await apply(at, map('migrated', { b: '3' }), { manager: 'kubectl' });
    expect(edited.json.message).toContain('"kubectl-edit" using v1: .data.b');
    const { json } = await apply(at, config, { manager: 'kubectl' });
    expect(json['data']).toEqual({ a: '3', b: '2' });
    expect(JSON.parse(json.metadata.annotations?.[key] ?? '')).toEqual(config);
  });

  it('write status through its path, under an owner of its own', async () => {
    const at = `${DEPLOYMENTS}/status`;
    await apply(at, web('status'));
    const config = { ...web('status', { replicas: 9 }), status: { replicas: 2 } };
    const { json } = await apply(`${at}/status`, config);
    expect([json.spec['replicas'], json.status['replicas']]).toEqual([1, 2]);
    expect(ownersOf(json)['one Apply/status']).toEqual({ 'f:status': { 'f:replicas': {} } });
    const main = await apply(at, { ...web('status'), status: { replicas: 7 } });
    expect(main.json.status['replicas']).toBe(2);
    expect((await apply(`${DEPLOYMENTS}/none/status`, config)).status).toBe(404);
  });

  it('scale, under an owner of its own', async () => {
    const at = `${DEPLOYMENTS}/scaled`;
    await apply(at, web('scaled', { replicas: 1 }));
    const scale = (replicas: number) => ({
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name: 'scaled' },
      spec: { replicas },
    });
    const refused = await apply(`${at}/scale`, scale(3), { manager: 'hpa' });
    expect(refused.json.message).toBe(
      'Apply failed with 1 conflict: conflict with "one": .spec.replicas',
    );
    const scaled = await apply(`${at}/scale`, scale(3), { manager: 'hpa', query: 'force=true' });
    expect(scaled.json.spec['replicas']).toBe(3);
    expect(ownersOf(await get(at))['hpa Apply/scale']).toEqual({ 'f:spec': { 'f:replicas': {} } });
    const back = await apply(at, web('scaled', { replicas: 1 }));
    expect(back.json.message).toBe(
      'Apply failed with 1 conflict: conflict with "hpa" with subresource "scale": .spec.replicas',
    );
  });

  it('store nothing in a dry run', async () => {
    const { status, json } = await apply(`${MAPS}/dry`, map('dry', { a: '1' }), {
      query: 'dryRun=All',
    });
    expect([status, Object.keys(ownersOf(json))]).toEqual([201, ['one Apply']]);
    expect((await api.call('GET', `${MAPS}/dry`)).status).toBe(404);
    const first = (await apply(`${MAPS}/dry`, map('dry', { a: '1' }))).json;
    const dry = await apply(`${MAPS}/dry`, map('dry', { a: '2' }), { query: 'dryRun=All' });
    expect(dry.json['data']).toEqual({ a: '2' });
    expect(await get(`${MAPS}/dry`)).toEqual(first);
  });

  it('hold to the uid and version that they name', async () => {
    const at = `${MAPS}/pinned`;
    const uid = '0a7c1f4e-0000-4000-8000-000000000000';
    const early = await apply(at, map('pinned', {}, { uid }));
    expect([early.status, early.json.message]).toEqual([
      409,
      `Operation cannot be fulfilled on configmaps "pinned": uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
    ]);
    const { metadata } = (await apply(at, map('pinned', { a: '1' }))).json;
    expect((await apply(at, map('pinned', {}, { uid }))).status).toBe(422);
    await merge(at, { data: { b: '1' } });
    const { resourceVersion } = metadata;
    const late = await apply(at, map('pinned', { a: '2' }, { resourceVersion }));
    expect([late.status, late.json.reason]).toEqual([409, 'Conflict']);
  });

  it('need the right to create where they create', async () => {
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['patch'] }];
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: 'patcher' } };
    const path = '/apis/rbac.authorization.k8s.io/v1';
    await api.call('POST', `${path}/clusterroles`, {
      body: { ...rbac, kind: 'ClusterRole', rules },
    });
    const subjects = [{ kind: 'User', name: 'patcher', apiGroup: 'rbac.authorization.k8s.io' }];
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'patcher' };
    const body = { ...rbac, kind: 'ClusterRoleBinding', subjects, roleRef };
    await api.call('POST', `${path}/clusterrolebindings`, { body });
    const refused = await apply(`${MAPS}/theirs`, map('theirs'), { as: 'patcher' });
    expect([refused.status, refused.json.message]).toEqual([
      403,
      expect.stringContaining('User "patcher" cannot create resource "configmaps"'),
    ]);
    await apply(`${MAPS}/theirs`, map('theirs'));
    expect((await apply(`${MAPS}/theirs`, map('theirs'), { as: 'patcher' })).status).toBe(200);
  });

  it('race to create, and all are owners then', async () => {
    const names = Array.from({ length: 8 }, (_, i) => `racer-${i}`);
    const answers = await Promise.all(
      names.map((manager) => apply(`${MAPS}/raced`, map('raced', { [manager]: '1' }), { manager })),
    );
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
      ...Array.from({ length: 7 }, () => 200),
      201,
    ]);
    const { json } = await api.call('GET', `${MAPS}/raced`);
    expect(Object.keys(ownersOf(json)).sort()).toEqual(names.map((name) => `${name} Apply`));
  });

  it('see HorizontalPodAutoscalers in the version that each owner wrote', async () => {
    const path = (version: string) =>
      `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers/both`;
    const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' };
    const autoscaler = (version: string, spec: object) => ({
      apiVersion: `autoscaling/${version}`,
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'both' },
      spec: { scaleTargetRef, ...spec },
    });
    const behavior = { scaleDown: { stabilizationWindowSeconds: 5 } };
    await apply(path('v2'), autoscaler('v2', { maxReplicas: 3, behavior }), { manager: 'two' });
    const spec = { maxReplicas: 4, targetCPUUtilizationPercentage: 50 };
    const refused = await apply(path('v1'), autoscaler('v1', spec));
    expect(refused.json.message).toBe(
      'Apply failed with 1 conflict: conflict with "two": .spec.maxReplicas',
    );
    const old = await apply(path('v1'), autoscaler('v1', spec), { query: 'force=true' });
    expect(old.json.apiVersion).toBe('autoscaling/v1');
    // By time first, which may have moved on by a second between the two.
    const versions = old.json.metadata.managedFields?.map(({ apiVersion }) => apiVersion);
    expect(versions?.toSorted()).toEqual(['autoscaling/v1', 'autoscaling/v2']);
    const { json } = await api.call('GET', path('v2'));
    expect(json.spec).toMatchObject({ maxReplicas: 4, behavior, metrics: [{ type: 'Resource' }] });
    expect(JSON.stringify(ownersOf(json)['two Apply'])).toContain('f:behavior');
  });

  it('warn of fields that are there twice, or refuse them', async () => {
    const twice =
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"twice"},"data":{"a":"1","a":"2"}}';
    const strict = await apply(`${MAPS}/twice`, twice, { query: 'fieldValidation=Strict' });
    expect([strict.status, strict.json.message]).toEqual([
      400,
      expect.stringContaining('duplicate field "data.a"'),
    ]);
    const warned = await apply(`${MAPS}/twice`, twice);
    expect(warned.headers['warning']).toEqual([expect.stringContaining('data.a')]);
    const ignored = await apply(`${MAPS}/twice`, twice, { query: 'fieldValidation=Ignore' });
    expect(ignored.headers['warning']).toBeUndefined();
  });

  it.each([
    [
      'no manager',
      map('bad'),
      { manager: '' },
      422,
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    ],
    ['a manager that is too long', map('bad'), { manager: 'm'.repeat(129) }, 422, 'Too long'],
    [
      'a manager that cannot be printed',
      map('bad'),
      { manager: 'a%0Ab' },
      422,
      'invalid character U+000A (at position 1)',
    ],
    [
      'owners of its own',
      map('bad', {}, { managedFields: [{ manager: 'x' }] }),
      {},
      400,
      'metadata.managedFields must be nil',
    ],
    [
      'another kind',
      { ...map('bad'), kind: 'Secret' },
      {},
      400,
      'invalid object type: /v1, Kind=Secret',
    ],
    [
      'another version',
      { ...map('bad'), apiVersion: 'apps/v1' },
      {},
      400,
      'invalid object type: apps/v1, Kind=ConfigMap',
    ],
    ['no kind at all', { metadata: { name: 'bad' } }, {}, 400, 'invalid object type: /, Kind='],
    [
      'another name',
      map('worse'),
      {},
      400,
      'the name of the object (worse) does not match the name on the URL (bad)',
    ],
    [
      'no name',
      map('', {}, { generateName: 'b-' }),
      {},
      400,
      'the name of the object (bad based on URL) was undeterminable: name must be provided',
    ],
    [
      'another namespace',
      map('bad', {}, { namespace: 'x' }),
      {},
      400,
      'the namespace of the provided object does not match the namespace sent on the request',
    ],
    [
      'a field that there is not',
      { ...map('bad'), foo: 1 },
      {},
      400,
      'failed to create typed patch object (/bad; /v1, Kind=ConfigMap): .foo: field not declared in schema',
    ],
    [
      'a value of another type',
      map('bad', { a: 1 }),
      {},
      400,
      '.data.a: expected string, got &value.valueUnstructured{Value:1}',
    ],
    [
      'an item twice',
      map('bad', {}, { finalizers: ['a/b', 'a/b'] }),
      {},
      400,
      '.metadata.finalizers: duplicate entries for key [="a/b"]',
    ],
    ['a value that breaks a rule', map('bad', { 'a b': '1' }), {}, 422, 'data[a b]'],
    ['a text that is no object', '[1]', {}, 400, 'the configuration is no object'],
    ['a text that is no YAML', 'a: b: c', {}, 400, 'error converting YAML to JSON'],
    ['metadata that is none', { ...map('bad'), metadata: null }, {}, 400, 'name must be provided'],
  ] as const)('refuse %s', async (...[, body, how, status, message]) => {
    const refused = await apply(`${MAPS}/bad`, body, how);
    expect([refused.status, refused.json.message]).toEqual([
      status,
      expect.stringContaining(message),
    ]);
    expect((await api.call('GET', `${MAPS}/bad`)).status).toBe(404);
  });

  it('alone may ask for force', async () => {
    const body = { data: { a: '1' } };
    const type = 'application/merge-patch+json';
    const { status, json } = await api.call('PATCH', `${MAPS}/same?force=true`, { type, body });
    expect([status, json.message]).toEqual([
      422,
      'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
    ]);
  });
}
