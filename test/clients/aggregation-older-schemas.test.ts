// Real kubectl and a kind of an API server that describes itself in OpenAPI v2 only: explained and checked as any other.
import { createServer } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AggregatedApi, anAggregatedApi } from '../support/aggregated-api.ts';
import { type LocalKubectl, localKubectl } from '../support/local-kubectl.ts';
import { until } from '../support/until.ts';

const GROUP = 'older.example.com';
const ROOT = `/apis/${GROUP}/v1`;
const kind = { group: GROUP, version: 'v1', kind: 'Clock' };
const reference = { $ref: '#/definitions/com.example.older.v1.Clock' };
const query = (name: string) => ({ name, in: 'query', type: 'string', uniqueItems: true });
const operation = {
  consumes: ['application/json'],
  produces: ['application/json'],
  responses: { '200': { description: 'OK', schema: reference } },
  'x-kubernetes-group-version-kind': kind,
};
const openApiV2 = {
  swagger: '2.0',
  info: { title: 'Older', version: '1' },
  paths: {
    [`${ROOT}/clocks`]: {
      post: { ...operation, parameters: [{ name: 'body', in: 'body', schema: reference }] },
    },
    [`${ROOT}/clocks/{name}`]: {
      patch: { ...operation, parameters: [query('dryRun'), query('fieldValidation')] },
    },
  },
  definitions: {
    'com.example.older.v1.Clock': {
      description: 'What tells the time.',
      type: 'object',
      'x-kubernetes-group-version-kind': [kind],
      properties: {
        apiVersion: { type: 'string' },
        kind: { type: 'string' },
        metadata: { type: 'object' },
        spec: { $ref: '#/definitions/com.example.older.v1.Spec', description: 'How it is made.' },
      },
    },
    'com.example.older.v1.Spec': {
      type: 'object',
      properties: { hands: { type: 'integer', description: 'Two, or three.' } },
    },
  },
};
const resources = [
  { name: 'clocks', kind: 'Clock', namespaced: false, verbs: ['get', 'list', 'create', 'patch'] },
];
const documents: Record<string, object> = {
  [ROOT]: { kind: 'APIResourceList', groupVersion: `${GROUP}/v1`, resources },
  '/openapi/v2': openApiV2,
};

let api: AggregatedApi;
let local: LocalKubectl;
beforeAll(async () => {
  api = await anAggregatedApi();
  const pair = await api.pairFor('older');
  const server = createServer(pair, ({ method, url = '' }, response) => {
    const document = documents[url.replace(/\?.*/, '')];
    const status = method === 'POST' ? 201 : 200;
    response.setHeader('content-type', 'application/json');
    if (document) response.end(JSON.stringify(document));
    else if (url.startsWith(`${ROOT}/clocks`))
      response
        .writeHead(status)
        .end(JSON.stringify({ apiVersion: `${GROUP}/v1`, kind: 'Clock', metadata: { name: url } }));
    else response.writeHead(404).end();
  });
  await api.putBehind('older', server);
  const service = { namespace: 'default', name: 'older' };
  await api.register({ group: GROUP, version: 'v1', service });
  await api.becomes('Passed', `v1.${GROUP}`);
  const { kubeconfig } = api.server;
  local = localKubectl(kubeconfig);
  await until(async () => (await index())[`apis/${GROUP}/v1`] !== undefined);
});
afterAll(async () => {
  local?.close();
  await api?.close();
});

async function index(): Promise<Record<string, { serverRelativeURL: string }>> {
  return (await api.server.call('GET', '/openapi/v3')).json().paths;
}

describe('A kind that its server describes in OpenAPI v2 only', () => {
  it('has a document of OpenAPI v3, by its digest, that this server makes and keeps', async () => {
    const url = (await index())[`apis/${GROUP}/v1`]?.serverRelativeURL ?? '';
    const first = await api.server.call('GET', url);
    expect(first.headers['cache-control']).toContain('immutable');
    const schema = first.json().components.schemas['com.example.older.v1.Clock'];
    expect(schema.properties.spec).toEqual({
      description: 'How it is made.',
      allOf: [{ $ref: '#/components/schemas/com.example.older.v1.Spec' }],
    });
    expect((await api.server.call('GET', `/openapi/v3${ROOT}`)).text).toBe(first.text);
    // What is not a schema is the other server's as ever.
    expect((await api.server.call('GET', ROOT)).json()).toEqual(documents[ROOT]);
  });

  it('is explained', async () => {
    const { kubectl } = local;
    expect(await kubectl.ok(['explain', 'clocks'])).toContain('What tells the time.');
    expect(await kubectl.ok(['explain', 'clocks.spec'])).toMatch(/How it is made\./);
    expect(await kubectl.ok(['explain', 'clocks.spec.hands'])).toMatch(/Two, or three\./);
  });

  it('is known to check fields, so that kubectl leaves that to it', async () => {
    const input = JSON.stringify({
      apiVersion: `${GROUP}/v1`,
      kind: 'Clock',
      metadata: { name: 'a' },
      spec: { feet: 4 },
    });
    const args = ['create', '--validate=strict', '-f', '-', '-o', 'name'];
    expect(await local.kubectl.ok(args, { input })).toMatch(/fieldValidation=Strict/);
  });
});
