// Custom resources through the server: as soon as their definition is established they are served as all else is.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller, type Json } from '../support/api-caller.ts';
import { CRDS, definerIn, schema, tab } from '../support/cron-tabs.ts';

describe.each(['memory', 'lmdb'] as const)('Custom resources over %s storage', (backend) => {
  let api: ApiCaller;
  let defined: ReturnType<typeof definerIn>;
  beforeAll(async () => {
    api = await anApiCaller({ backend });
    defined = definerIn(api);
  });
  afterAll(() => api.close());

  it('are served as soon as their definition is established', async () => {
    const path = await defined('served.example.com');
    const { json: crd } = await api.call('GET', `${CRDS}/crontabs.served.example.com`);
    expect(crd.status).toMatchObject({
      acceptedNames: {
        kind: 'CronTab',
        listKind: 'CronTabList',
        plural: 'crontabs',
        singular: 'crontab',
      },
      conditions: [
        { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts' },
        { type: 'Established', status: 'True', reason: 'InitialNamesAccepted' },
      ],
      storedVersions: ['v1'],
    });
    const { status, json } = await api.call('POST', path, { body: tab('served.example.com', 'a') });
    expect(status).toBe(201);
    expect(json).toMatchObject({
      metadata: { name: 'a', namespace: 'default', generation: 1 },
      spec: { cronSpec: '* * * * */5', image: 'busybox', replicas: 1, suspend: false },
    });
    const { json: resources } = await api.call('GET', '/apis/served.example.com/v1');
    expect((resources as unknown as Resources).resources.map(({ name }) => name)).toEqual([
      'crontabs',
      'crontabs/scale',
      'crontabs/status',
    ]);
  });

  it('lose what their schema does not know, and keep what it leaves open', async () => {
    const path = await defined('pruned.example.com');
    const body = tab('pruned.example.com', 'a', {
      odd: 1,
      extra: { any: { thing: [1, { two: 2 }] } },
      labels: { a: 'b' },
      port: 'http',
      suspend: null,
      steps: [{ name: 'one', odd: true }],
    });
    const { json, headers } = await api.call('POST', `${path}?fieldValidation=Warn`, { body });
    expect(json.spec).toEqual({
      cronSpec: '* * * * */5',
      extra: { any: { thing: [1, { two: 2 }] } },
      labels: { a: 'b' },
      port: 'http',
      suspend: null,
      steps: [{ name: 'one', run: 'true' }],
      image: 'busybox',
      replicas: 1,
    });
    expect(String(headers['warning'])).toMatch(/"spec\.odd\\".*"spec\.steps\[0\]\.odd\\"/s);
    const strict = await api.call('POST', `${path}?fieldValidation=Strict`, { body });
    expect(strict.json).toMatchObject({ code: 400, reason: 'BadRequest' });
  });

  it.each<[string, object, RegExp]>([
    [
      'a pattern',
      { cronSpec: 'always' },
      /spec\.cronSpec: Invalid value: "always": spec\.cronSpec in body should match '/,
    ],
    [
      'a type',
      { replicas: 'many' },
      /spec\.replicas: Invalid value: "string": spec\.replicas in body must be of type integer: "string"/,
    ],
    [
      'a lower bound',
      { replicas: 0 },
      /spec\.replicas: Invalid value: 0: spec\.replicas in body should be greater than or equal to 1/,
    ],
    [
      'an upper bound',
      { replicas: 11 },
      /spec\.replicas in body should be less than or equal to 10/,
    ],
    ['a required field', { cronSpec: undefined }, /spec\.cronSpec: Required value/],
    ['a map’s values', { labels: { a: 1 } }, /spec\.labels\.a: Invalid value: "integer"/],
    [
      'a list’s keys',
      { steps: [{ name: 'a' }, { name: 'a' }] },
      /spec\.steps\[1\]: Duplicate value: \{"name":"a"\}/,
    ],
    [
      'int-or-string',
      { port: true },
      /spec\.port in body must be of type integer,string: "boolean"/,
    ],
  ])('are refused for breaking %s', async (what, spec, message) => {
    const group = `refused-${what.replaceAll(/\W/g, '')}.example.com`;
    const path = await defined(group);
    const { json } = await api.call('POST', path, { body: tab(group, 'bad', spec) });
    expect(json).toMatchObject({ code: 422, reason: 'Invalid' });
    expect(json.message).toMatch(message);
    expect(json.message).toMatch(/^CronTab\.refused-\w+\.example\.com "bad" is invalid: /);
  });

  it('have a status of their own, a scale, and generations that count changes of spec', async () => {
    const group = 'parts.example.com';
    const path = await defined(group);
    await api.call('POST', path, { body: { ...tab(group, 'a'), status: { phase: 'Up' } } });
    const first = await api.call('GET', `${path}/a`);
    expect(first.json.status).toBeUndefined();
    const withStatus = {
      ...first.json,
      spec: { cronSpec: 'bad' },
      status: { phase: 'Up', replicas: 1, selector: 'a=b' },
    };
    const written = await api.call('PUT', `${path}/a/status`, { body: withStatus });
    expect(written.json).toMatchObject({
      metadata: { generation: 1 },
      spec: { cronSpec: '* * * * */5' },
      status: { phase: 'Up' },
    });
    const bad = await api.call('PATCH', `${path}/a/status`, {
      body: { status: { phase: 'Sideways' } },
      type: 'application/merge-patch+json',
    });
    expect(bad.json).toMatchObject({ code: 422 });
    expect(bad.json.message).toMatch(
      /status\.phase: Unsupported value: "Sideways": supported values: "Up", "Down"/,
    );
    const scale = await api.call('GET', `${path}/a/scale`);
    expect(scale.json).toMatchObject({
      kind: 'Scale',
      spec: { replicas: 1 },
      status: { replicas: 1, selector: 'a=b' },
    });
    await api.call('PATCH', `${path}/a/scale`, {
      body: { spec: { replicas: 3 } },
      type: 'application/merge-patch+json',
    });
    const scaled = await api.call('GET', `${path}/a`);
    expect(scaled.json).toMatchObject({ metadata: { generation: 2 }, spec: { replicas: 3 } });
  });

  it('are shown with their columns, and selected by their fields', async () => {
    const group = 'shown.example.com';
    const path = await defined(group);
    await api.call('POST', path, { body: tab(group, 'a') });
    await api.call('POST', path, { body: tab(group, 'b', { image: 'nginx', replicas: 2 }) });
    const { json } = await api.call('GET', path, {
      accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    });
    const table = json as unknown as Table;
    expect(table.columnDefinitions.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'Name string',
      'Spec string',
      'Replicas integer',
      'Age date',
    ]);
    expect(table.rows.map(({ cells }) => cells.slice(0, 3))).toEqual([
      ['a', '* * * * */5', 1],
      ['b', '* * * * */5', 2],
    ]);
    const selected = await api.call('GET', `${path}?fieldSelector=spec.image%3Dnginx`);
    expect(selected.json.items.map((item: Json) => item.metadata.name)).toEqual(['b']);
    const wrong = await api.call('GET', `${path}?fieldSelector=spec.cronSpec%3Da`);
    expect(wrong.json).toMatchObject({ code: 400 });
  });

  it('are patched by merge, JSON patch and apply, and not by strategic merge', async () => {
    const group = 'patched.example.com';
    const path = await defined(group);
    await api.call('POST', path, { body: tab(group, 'a') });
    const strategic = await api.call('PATCH', `${path}/a`, {
      body: { spec: { replicas: 2 } },
      type: 'application/strategic-merge-patch+json',
    });
    expect(strategic.json).toMatchObject({ code: 415, reason: 'UnsupportedMediaType' });
    const apply = (manager: string, steps: object[]) =>
      api.call('PATCH', `${path}/a?fieldManager=${manager}`, {
        body: { apiVersion: `${group}/v1`, kind: 'CronTab', spec: { steps } },
        type: 'application/apply-patch+yaml',
      });
    await apply('one', [{ name: 'x', run: '1' }]);
    const both = await apply('two', [{ name: 'y', run: '2' }]);
    expect(both.json.spec).toMatchObject({
      steps: [
        { name: 'x', run: '1' },
        { name: 'y', run: '2' },
      ],
    });
    const conflict = await apply('two', [
      { name: 'x', run: '3' },
      { name: 'y', run: '2' },
    ]);
    expect(conflict.json).toMatchObject({ code: 409, reason: 'Conflict' });
    expect(conflict.json.message).toMatch(/conflict with "one".*\.spec\.steps\[name="x"\]\.run/s);
    await apply('one', []);
    const left = await api.call('GET', `${path}/a`);
    expect(left.json.spec).toMatchObject({ steps: [{ name: 'y', run: '2' }] });
  });

  it('are watched like all else', async () => {
    const group = 'watched.example.com';
    const path = await defined(group);
    const watching = await api.watch(`${path}?watch=true`);
    await api.call('POST', path, { body: tab(group, 'a') });
    await api.call('DELETE', `${path}/a`);
    expect(await watching.take(2)).toEqual(['ADDED a', 'DELETED a']);
    watching.stop();
  });

  it('are watched until their kind changes or goes', async () => {
    const group = 'rewatched.example.com';
    const path = await defined(group);
    const url = `${CRDS}/crontabs.${group}`;
    const first = await api.watch(path);
    await api.call('PATCH', url, {
      body: [{ op: 'remove', path: '/spec/versions/0/subresources' }],
      type: 'application/json-patch+json',
    });
    expect(await first.next()).toBeUndefined();
    const second = await api.watch(path);
    await api.call('DELETE', url);
    expect(await second.next()).toBeUndefined();
  });

  it('are told of in version 3 of OpenAPI', async () => {
    const group = 'told.example.com';
    await defined(group);
    const { json: index } = await api.call('GET', '/openapi/v3');
    const { paths } = index as unknown as Index;
    const url = paths[`apis/${group}/v1`]?.serverRelativeURL ?? '';
    const { json } = await api.call('GET', url.split('?')[0] ?? '');
    const { schemas } = (json as unknown as OpenApi).components;
    expect(schemas['com.example.told.v1.CronTab']).toMatchObject({
      properties: { spec: { properties: { replicas: { maximum: 10 } } }, metadata: {} },
    });
    expect(schemas['com.example.told.v1.CronTab']).toHaveProperty(
      'x-kubernetes-group-version-kind',
      [{ group, version: 'v1', kind: 'CronTab' }],
    );
    expect(schemas['com.example.told.v1.CronTabList']).toBeDefined();
    expect(schemas['io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta']).toBeDefined();
  });

  it('are served in every served version of a definition, and stored in one', async () => {
    const group = 'versions.example.com';
    const version = { schema: { openAPIV3Schema: schema }, served: true };
    await defined(group, {
      versions: [
        { ...version, name: 'v1', storage: true },
        { ...version, name: 'v2', storage: false, deprecated: true },
        { ...version, name: 'v3', storage: false, served: false },
      ],
    });
    const path = (name: string) => `/apis/${group}/${name}/namespaces/default/crontabs`;
    const made = await api.call('POST', path('v2'), {
      body: { ...tab(group, 'a'), apiVersion: `${group}/v2` },
    });
    expect(made.json).toMatchObject({ apiVersion: `${group}/v2`, spec: { replicas: 1 } });
    expect(String(made.headers['warning'])).toMatch(/v2 CronTab is deprecated/);
    expect((await api.call('GET', `${path('v1')}/a`)).json.apiVersion).toBe(`${group}/v1`);
    expect((await api.call('GET', `${path('v3')}/a`)).status).toBe(404);
    expect((await api.call('GET', path('v2'))).json).toMatchObject({
      apiVersion: `${group}/v2`,
      kind: 'CronTabList',
      items: [{ apiVersion: `${group}/v2` }],
    });
  });
});

interface Resources {
  readonly resources: readonly { readonly name: string }[];
}
interface Table {
  readonly columnDefinitions: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly { readonly cells: readonly unknown[] }[];
}
interface Index {
  readonly paths: Readonly<Record<string, { readonly serverRelativeURL: string }>>;
}
interface OpenApi {
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}
