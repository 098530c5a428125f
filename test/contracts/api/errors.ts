// Refusals: which code and reason each sort of bad request gets, and the shape of the Status that says so.
// Invariant: no refusal changes anything, and none is an internal error.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ApiCaller, CallOptions, OpenCaller } from '../../support/api-caller.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const map = (name: string, metadata = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
});

/** Holds for every way to a server, over every storage. */
export function errorsContract(open: OpenCaller): void {
  let api: ApiCaller;
  beforeAll(async () => {
    api = await open();
    await api.call('POST', MAPS, { body: map('a') });
  });
  afterAll(() => api.close());
  const names = async () =>
    (await api.call('GET', MAPS)).json.items.map(({ metadata }) => metadata.name);

  it.each([
    ['POST', `${MAPS}/b`],
    ['PUT', MAPS],
    ['PATCH', MAPS],
    ['DELETE', '/api/v1/namespaces'],
    ['POST', '/api/v1/configmaps'],
    ['DELETE', '/api/v1/configmaps'],
    ['PUT', '/apis/apps/v1/namespaces/default/deployments/a/status/more'],
    ['DELETE', '/apis/apps/v1/namespaces/default/deployments/a/scale'],
  ] as const)('405 for a method that the path has not: %s of %s', async (method, path) => {
    const refused = await api.call(method, path, { body: map('b') });
    expect([refused.status, refused.json.reason]).toEqual([405, 'MethodNotAllowed']);
    expect(refused.json.details).toEqual({});
    expect(await names()).toEqual(['a']);
  });

  it.each([
    ['GET', '/api/v1/nosuch'],
    ['GET', '/apis/apps/v9/namespaces/default/deployments'],
    ['GET', '/apis/no.such/v1/things'],
    ['PATCH', `${MAPS}/a/ephemeral`],
    ['PATCH', '/api/v1/watch/namespaces/default/configmaps/a'],
    ['GET', `${MAPS}/a/scale`],
    ['GET', '/api/v1/namespaces/default/nodes/a'],
    ['GET', '/api/v1/configmaps/a'],
    ['PATCH', '/api/v1/configmaps/a'],
  ] as const)(
    '404 for a path that is none, in a Status with details: %s of %s',
    async (...asked) => {
      const [method, path] = asked;
      const { status, json } = await api.call(method, path, method === 'GET' ? {} : { body: {} });
      expect(status).toBe(404);
      expect(json).toMatchObject({ kind: 'Status', reason: 'NotFound', details: {} });
    },
  );

  it('404 in a page of text for a path that is no resource’s', async () => {
    const { status, text, headers } = await api.call('GET', '/nope');
    expect([status, text]).toEqual([404, '404 page not found\n']);
    expect(headers['content-type']).toMatch(/^text\/plain/);
  });

  it('405 for all namespaces at once, which stay', async () => {
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'aaa' } };
    await api.call('POST', '/api/v1/namespaces', { body });
    expect((await api.call('DELETE', '/api/v1/namespaces')).status).toBe(405);
    const kept = (await api.call('GET', '/api/v1/namespaces/aaa')).json;
    expect(kept.metadata.deletionTimestamp).toBeUndefined();
  });

  it('404 for an object that is not there, with its name and the plural of its kind', async () => {
    for (const [method, body] of [
      ['GET', undefined],
      ['PUT', map('none')],
      ['DELETE', undefined],
    ] as const) {
      const { status, json } = await api.call(method, `${MAPS}/none`, { body });
      expect([status, json]).toEqual([
        404,
        {
          kind: 'Status',
          apiVersion: 'v1',
          metadata: {},
          status: 'Failure',
          message: 'configmaps "none" not found',
          reason: 'NotFound',
          details: { name: 'none', kind: 'configmaps' },
          code: 404,
        },
      ]);
    }
    const { json } = await api.call('GET', `${DEPLOYMENTS}/none`);
    expect(json.message).toBe('deployments.apps "none" not found');
    expect(json.details).toEqual({ name: 'none', group: 'apps', kind: 'deployments' });
  });

  it('404 for a namespace that is not there, before what is wrong with the object', async () => {
    const path = '/api/v1/namespaces/gone/configmaps';
    const refused = await api.call('POST', path, { body: map('Not_A_Name') });
    expect(refused.status).toBe(404);
    expect(refused.json.message).toBe('namespaces "gone" not found');
    expect(refused.json.details).toEqual({ name: 'gone', kind: 'namespaces' });
  });

  it('403 for a create in a namespace that ends, with the cause that clients look for', async () => {
    const path = '/api/v1/namespaces/ending';
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ending' } };
    await api.call('POST', '/api/v1/namespaces', { body });
    await api.call('DELETE', path);
    const { status, json } = await api.call('POST', `${path}/configmaps`, { body: map('late') });
    expect([status, json.reason]).toEqual([403, 'Forbidden']);
    expect(json.details).toMatchObject({
      name: 'late',
      kind: 'configmaps',
      causes: [{ reason: 'NamespaceTerminating', field: 'metadata.namespace' }],
    });
  });

  it('409 for a name that is taken, with the name and the kind', async () => {
    const { status, json } = await api.call('POST', MAPS, { body: map('a') });
    expect([status, json.reason]).toEqual([409, 'AlreadyExists']);
    expect(json.message).toBe('configmaps "a" already exists');
    expect(json.details).toEqual({ name: 'a', kind: 'configmaps' });
  });

  it('422 for broken rules, each with its field, its sort and its words', async () => {
    const body = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'Bad_Name', labels: { 'a b': 'c' } },
      spec: { replicas: -1, selector: { matchLabels: { a: 'b' } }, template: {} },
    };
    const { status, json } = await api.call('POST', DEPLOYMENTS, { body });
    expect([status, json.reason]).toEqual([422, 'Invalid']);
    expect(json.message).toMatch(/^Deployment\.apps "Bad_Name" is invalid: \[/);
    const details = json.details as unknown as {
      causes: { field: string; reason: string; message: string }[];
    };
    expect(details).toMatchObject({ name: 'Bad_Name', group: 'apps', kind: 'Deployment' });
    const fields = details.causes.map(({ field, reason }) => `${field} ${reason}`);
    expect(fields).toContain('metadata.name FieldValueInvalid');
    expect(fields).toContain('metadata.labels FieldValueInvalid');
    expect(fields).toContain('spec.replicas FieldValueInvalid');
    expect(fields).toContain('spec.template.spec.containers FieldValueRequired');
    for (const { message } of details.causes) expect(json.message).toContain(message);
  });

  const post = (options: CallOptions) => api.call('POST', MAPS, options);

  it.each([
    ['another kind than the path is for', { ...map('b'), kind: 'Secret' }],
    ['another version', { ...map('b'), apiVersion: 'apps/v1' }],
    ['another namespace', map('b', { namespace: 'other' })],
    ['a version on a create', map('b', { resourceVersion: '1' })],
    ['a value of another type', { ...map('b'), data: { k: 1 } }],
    ['a list', '[]'],
    ['a word', '"x"'],
    ['null', 'null'],
    ['nothing', ''],
    ['broken JSON', '{'],
  ])('400 for a body that has %s', async (_, body) => {
    const { status, json } = await post({ body });
    expect([status, json.reason, json.code]).toEqual([400, 'BadRequest', 400]);
    expect(json.message).not.toBe('');
    expect(await names()).toEqual(['a']);
  });

  it('400 for another name than the path’s', async () => {
    const { status, json } = await api.call('PUT', `${MAPS}/a`, { body: map('b') });
    expect([status, json.message]).toEqual([
      400,
      'the name of the object (b) does not match the name on the URL (a)',
    ]);
  });

  it('400 for a change of another namespace than the path’s', async () => {
    const body = map('a', { namespace: 'other' });
    const { status, json } = await api.call('PUT', `${MAPS}/a`, { body });
    expect([status, json.message]).toEqual([
      400,
      'the namespace of the provided object does not match the namespace sent on the request',
    ]);
  });

  it('415 for a type of body that is none, with those that are taken', async () => {
    const { status, json } = await post({ body: 'x', type: 'text/plain' });
    expect([status, json.reason]).toEqual([415, 'UnsupportedMediaType']);
    for (const type of ['application/json', 'application/yaml', 'text/plain'])
      expect(json.message).toContain(type);
    expect((await post({ body: 'x', type: 'nonsense' })).status).toBe(415);
  });

  it('415 for a type of patch that is none, with those that are taken', async () => {
    const options = { body: '{}', type: 'application/json' };
    const { status, json } = await api.call('PATCH', `${MAPS}/a`, options);
    expect([status, json.reason]).toEqual([415, 'UnsupportedMediaType']);
    for (const type of ['json-patch', 'merge-patch', 'strategic-merge-patch'])
      expect(json.message).toContain(`application/${type}+json`);
    expect(json.message).toContain('application/apply-patch+yaml');
  });

  it('406 for a type of answer that is none, before anything is written', async () => {
    for (const accept of ['image/png', 'application/json;as=Table;v=v9;g=meta.k8s.io']) {
      const read = await api.call('GET', `${MAPS}/a`, { accept });
      expect([read.status, read.json.reason, read.json.kind]).toEqual([
        406,
        'NotAcceptable',
        'Status',
      ]);
      expect((await post({ body: map('b'), accept })).status).toBe(406);
    }
    expect(await names()).toEqual(['a']);
  });

  it('403 for who may not, with who, what and where', async () => {
    const { status, json } = await api.call('GET', `${MAPS}/a`, { as: 'stranger' });
    expect([status, json.reason]).toEqual([403, 'Forbidden']);
    expect(json.message).toBe(
      'configmaps "a" is forbidden: User "stranger" cannot get resource "configmaps" in API group "" in the namespace "default"',
    );
    expect(json.details).toEqual({ name: 'a', kind: 'configmaps' });
  });
}
