// Custom resources through the server: definitions are accepted, their kinds are served, and go with their last object.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LooseObject } from '../../api/meta/object.ts';
import { type ApiCaller, anApiCaller, type Json } from '../support/api-caller.ts';
import { until } from '../support/until.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

const schema = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['cronSpec'],
      properties: {
        cronSpec: { type: 'string', pattern: '^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$' },
        image: { type: 'string', default: 'busybox' },
        replicas: { type: 'integer', minimum: 1, maximum: 10, default: 1 },
        suspend: { type: 'boolean', nullable: true, default: false },
        port: { 'x-kubernetes-int-or-string': true },
        extra: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        steps: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            required: ['name'],
            properties: { name: { type: 'string' }, run: { type: 'string', default: 'true' } },
          },
        },
      },
    },
    status: {
      type: 'object',
      properties: {
        replicas: { type: 'integer' },
        selector: { type: 'string' },
        phase: { type: 'string', enum: ['Up', 'Down'] },
      },
    },
  },
};

/** A definition of its own group, so that tests do not meet. */
function definition(group: string, changes: object = {}, version: object = {}) {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `crontabs.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'crontabs', kind: 'CronTab', shortNames: ['ct'], categories: ['all'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.replicas',
              statusReplicasPath: '.status.replicas',
              labelSelectorPath: '.status.selector',
            },
          },
          additionalPrinterColumns: [
            { name: 'Spec', type: 'string', jsonPath: '.spec.cronSpec' },
            { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas' },
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
          selectableFields: [{ jsonPath: '.spec.image' }],
          ...version,
        },
      ],
      ...changes,
    },
  };
}

const tab = (group: string, name: string, spec: object = {}) => ({
  apiVersion: `${group}/v1`,
  kind: 'CronTab',
  metadata: { name },
  spec: { cronSpec: '* * * * */5', ...spec },
});

describe.each(['memory', 'lmdb'] as const)('Custom resources over %s storage', (backend) => {
  let api: ApiCaller;
  beforeAll(async () => {
    api = await anApiCaller({ backend });
  });
  afterAll(() => api.close());

  const established = (name: string) =>
    until(async () => {
      const { json } = await api.call('GET', `${CRDS}/${name}`);
      const conditions = (json.status as unknown as Status | undefined)?.conditions ?? [];
      return conditions.some(({ type, status }) => type === 'Established' && status === 'True');
    });

  async function defined(group: string, ...changes: object[]): Promise<string> {
    const { status, text } = await api.call('POST', CRDS, {
      body: definition(group, ...changes),
    });
    expect(status, text).toBe(201);
    await established(`crontabs.${group}`);
    return `/apis/${group}/v1/namespaces/default/crontabs`;
  }

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

  it('follow a change of their definition', async () => {
    const group = 'changed.example.com';
    const path = await defined(group);
    const url = `${CRDS}/crontabs.${group}`;
    const patched = await api.call('PATCH', url, {
      body: [
        {
          op: 'add',
          path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/late',
          value: { type: 'string', default: 'yes' },
        },
        { op: 'remove', path: '/spec/versions/0/subresources' },
      ],
      type: 'application/json-patch+json',
    });
    expect(patched.status, patched.text).toBe(200);
    const made = await api.call('POST', path, { body: tab(group, 'a') });
    expect(made.json.spec).toMatchObject({ late: 'yes' });
    expect((await api.call('GET', `${path}/a/scale`)).status).toBe(404);
    const kind = await api.call('PATCH', url, {
      body: { spec: { names: { kind: 'Other' }, scope: 'Cluster' } },
      type: 'application/merge-patch+json',
    });
    expect(kind.json.message).toMatch(/spec\.scope: .*immutable.*spec\.names\.kind: .*immutable/s);
  });

  it('are served with the answer to their definition, which is written once', async () => {
    const group = 'once.example.com';
    const watch = await api.watch(CRDS);
    const { json } = await api.call('POST', CRDS, { body: definition(group) });
    expect(json.status).toMatchObject({ acceptedNames: { plural: 'crontabs', kind: 'CronTab' } });
    expect((await api.call('GET', `/apis/${group}/v1/crontabs`)).status).toBe(200);
    await api.call('DELETE', `${CRDS}/crontabs.${group}`);
    const { resourceVersion } = json.metadata;
    for (let event = await watch.next(); event; event = await watch.next()) {
      if (event.object.metadata.name !== `crontabs.${group}`) continue;
      expect(event).toMatchObject({ type: 'ADDED', object: { metadata: { resourceVersion } } });
      break;
    }
    expect(await watch.take(1)).toEqual([`MODIFIED crontabs.${group}`]);
    watch.stop();
  });

  it('keep nobody from their names where the definition was refused, or only tried', async () => {
    const group = 'refused.example.com';
    const bad = definition(group, { scope: 'Nowhere' });
    expect((await api.call('POST', CRDS, { body: bad })).status).toBe(422);
    const tried = await api.call('POST', `${CRDS}?dryRun=All`, { body: definition(group) });
    expect(tried.status).toBe(201);
    const other = definition(group, { names: { plural: 'tabs', kind: 'Tab', shortNames: ['ct'] } });
    other.metadata.name = `tabs.${group}`;
    await api.call('POST', CRDS, { body: other });
    expect((await api.call('GET', `/apis/${group}/v1/tabs`)).status).toBe(200);
  });

  it('share no name with others of their group', async () => {
    const group = 'crowded.example.com';
    await defined(group);
    const second = definition(group, {
      names: { plural: 'tabs', kind: 'Tab', shortNames: ['ct'] },
    });
    second.metadata.name = `tabs.${group}`;
    await api.call('POST', CRDS, { body: second });
    const conditions = async () => {
      const { json } = await api.call('GET', `${CRDS}/tabs.${group}`);
      return (json.status as unknown as Status | undefined)?.conditions ?? [];
    };
    await until(async () => (await conditions()).length === 2);
    expect(await conditions()).toMatchObject([
      {
        type: 'NamesAccepted',
        status: 'False',
        reason: 'ShortNamesConflict',
        message: '"ct" is already in use',
      },
      { type: 'Established', status: 'False', reason: 'NotAccepted' },
    ]);
    expect((await api.call('GET', `/apis/${group}/v1/tabs`)).status).toBe(404);
    await api.call('DELETE', `${CRDS}/crontabs.${group}`);
    await established(`tabs.${group}`);
    expect((await api.call('GET', `/apis/${group}/v1/tabs`)).status).toBe(200);
  });

  it('that were stored under an older schema may be changed elsewhere', async () => {
    const group = 'older.example.com';
    const path = await defined(group);
    await api.call('POST', path, { body: tab(group, 'a', { replicas: 9 }) });
    const tightened = await api.call('PATCH', `${CRDS}/crontabs.${group}`, {
      body: [
        {
          op: 'replace',
          path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/replicas/maximum',
          value: 5,
        },
      ],
      type: 'application/json-patch+json',
    });
    expect(tightened.status, tightened.text).toBe(200);
    const patch = (body: object) =>
      api.call('PATCH', `${path}/a`, { body, type: 'application/merge-patch+json' });
    expect((await patch({ metadata: { labels: { a: 'b' } } })).status).toBe(200);
    expect((await patch({ spec: { image: 'nginx' } })).status).toBe(200);
    expect((await patch({ spec: { replicas: 8 } })).json).toMatchObject({ code: 422 });
    expect((await patch({ spec: { replicas: 5 } })).status).toBe(200);
  });

  it('go with a definition whose stored version nobody is served', async () => {
    const group = 'unserved.example.com';
    const version = { schema: { openAPIV3Schema: schema } };
    const versions = (served: boolean) => [
      { ...version, name: 'v1', storage: true, served },
      { ...version, name: 'v2', storage: false, served: true },
    ];
    const path = await defined(group, { versions: versions(true) });
    await api.call('POST', path, { body: tab(group, 'a') });
    const type = 'application/merge-patch+json';
    const body = { spec: { versions: versions(false) } };
    const url = `${CRDS}/crontabs.${group}`;
    expect((await api.call('PATCH', url, { body, type })).status).toBe(200);
    await until(async () => (await api.call('GET', path)).status === 404);
    await api.call('DELETE', url);
    await until(async () => (await api.call('GET', url)).status === 404);
  });

  it('of a definition that was never accepted are nobody’s: it takes nothing along', async () => {
    const group = 'rbac.authorization.k8s.io';
    const before = (await api.call('GET', `/apis/${group}/v1/clusterroles`)).json.items.length;
    const taking = definition(group, { names: { plural: 'clusterroles', kind: 'Taking' } });
    const metadata = {
      name: `clusterroles.${group}`,
      annotations: { 'api-approved.kubernetes.io': 'unapproved, a test' },
    };
    const made = await api.call('POST', CRDS, { body: { ...taking, metadata } });
    expect(made.status, made.text).toBe(201);
    // Not even where somebody writes that it was.
    const status = {
      acceptedNames: { plural: 'clusterroles', kind: 'Taking' },
      conditions: [{ type: 'Established', status: 'True' }],
    };
    await api.call('PATCH', `${CRDS}/${metadata.name}/status`, {
      body: { status },
      type: 'application/merge-patch+json',
    });
    await api.call('DELETE', `${CRDS}/${metadata.name}`);
    await until(async () => (await api.call('GET', `${CRDS}/${metadata.name}`)).status === 404);
    const { json } = await api.call('GET', `/apis/${group}/v1/clusterroles`);
    expect(json.items.length).toBe(before);
    expect(before).toBeGreaterThan(5);
  });

  it('go with their definition, which waits for the last of them', async () => {
    const group = 'ended.example.com';
    const path = await defined(group);
    const held: LooseObject = { ...tab(group, 'held') };
    held.metadata = { name: 'held', finalizers: ['example.com/hold'] };
    await api.call('POST', path, { body: held });
    await api.call('POST', path, { body: tab(group, 'free') });
    await api.call('DELETE', `${CRDS}/crontabs.${group}`);
    await until(async () => (await api.call('GET', `${path}/free`)).status === 404);
    const crd = await api.call('GET', `${CRDS}/crontabs.${group}`);
    expect(crd.json.metadata.finalizers).toEqual(['customresourcecleanup.apiextensions.k8s.io']);
    const late = await api.call('POST', path, { body: tab(group, 'late') });
    expect(late.json).toMatchObject({
      code: 405,
      message: 'create not allowed while custom resource definition is terminating',
    });
    await api.call('PATCH', `${path}/held`, {
      body: { metadata: { finalizers: null } },
      type: 'application/merge-patch+json',
    });
    await until(async () => (await api.call('GET', `${CRDS}/crontabs.${group}`)).status === 404);
    expect((await api.call('GET', path)).status).toBe(404);
    const groups = await api.call('GET', '/apis');
    expect(groups.text).not.toContain(group);
  });
});

interface Status {
  readonly conditions: readonly { readonly type: string; readonly status: string }[];
}
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
