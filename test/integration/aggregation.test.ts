// Another API server behind an APIService: requests to its kinds, who they are from, and what discovery shows.
import { createServer, request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_VERSION, CREATED_BY, GROUP } from '../../examples/02-aggregated-api/recipes.ts';
import {
  type AggregatedApi,
  anAggregatedApi,
  KITCHEN,
  RECIPES,
} from '../support/aggregated-api.ts';
import { until } from '../support/until.ts';

let api: AggregatedApi;
beforeAll(async () => {
  api = await anAggregatedApi();
  await api.register();
  await api.becomes('Passed');
});
afterAll(() => api.close());

const call: AggregatedApi['server']['call'] = (...args) => api.server.call(...args);
const aRecipe = (name: string, dish = 'soup') => ({
  apiVersion: API_VERSION,
  kind: 'Recipe',
  metadata: { name },
  spec: { dish, minutes: 20 },
});

describe('Requests to another API server', () => {
  it('create, get, list, update, patch and delete its objects', async () => {
    const made = await call('POST', RECIPES, { body: aRecipe('a') });
    expect([made.status, made.json().spec], made.text).toEqual([201, aRecipe('a').spec]);
    const path = `${RECIPES}/a`;
    expect((await call('GET', path)).json()).toEqual(made.json());
    const items = (await call('GET', `${KITCHEN}/recipes`)).json().items as object[];
    expect(items).toEqual([made.json()]);
    const replaced = { ...made.json(), spec: { dish: 'stew' } };
    expect((await call('PUT', path, { body: replaced })).json().spec).toEqual({ dish: 'stew' });
    expect((await call('PUT', path, { body: replaced })).status).toBe(409);
    const headers = { 'content-type': 'application/merge-patch+json' };
    const patched = await call('PATCH', path, { body: { spec: { minutes: 5 } }, headers });
    expect(patched.json().spec).toEqual({ dish: 'stew', minutes: 5 });
    expect((await call('HEAD', path)).status).toBe(200);
    expect((await call('DELETE', path)).status).toBe(200);
    const gone = await call('GET', path);
    expect([gone.status, gone.json().reason]).toEqual([404, 'NotFound']);
  });

  it('are watched as changes come', async () => {
    const ending = new AbortController();
    const watch = await api.server.open(`${RECIPES}?watch=true`, ending.signal);
    watch.on('error', () => undefined);
    let text = '';
    watch.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    const kinds = () => [...text.matchAll(/"type":"(\w+)"/g)].map(([, type]) => type);
    await call('POST', RECIPES, { body: aRecipe('watched') });
    await until(() => kinds().length === 1);
    await call('DELETE', `${RECIPES}/watched`);
    await until(() => kinds().length === 2);
    expect(kinds()).toEqual(['ADDED', 'DELETED']);
    ending.abort();
  });

  it('are in the name of who asks, whatever the request says of itself', async () => {
    const headers = { 'x-remote-user': 'root', 'x-remote-group': 'system:masters' };
    const made = await call('POST', RECIPES, { body: aRecipe('mine'), headers });
    expect(made.json().metadata.annotations).toEqual({ [CREATED_BY]: 'admin' });
    const body = Buffer.from(JSON.stringify(aRecipe('his')));
    const asOther = { 'impersonate-user': 'jürgen', 'impersonate-group': 'system:masters' };
    const other = await call('POST', RECIPES, { body, headers: asOther });
    expect(other.json().metadata.annotations, other.text).toEqual({ [CREATED_BY]: 'jürgen' });
    await call('DELETE', RECIPES);
  });

  it('arrive with their query and headers, but for credentials, as they were sent', async () => {
    const mirror = createServer(await api.pairFor('mirror'), ({ url, headers }, response) => {
      response.end(JSON.stringify({ url, headers }));
    });
    await api.putBehind('mirror', mirror);
    const service = { namespace: 'default', name: 'mirror' };
    await api.register({ group: 'mirror.example.com', version: 'v1', service });
    await api.becomes('Passed', 'v1.mirror.example.com');
    const path = '/apis/mirror.example.com/v1/namespaces/default/a%20b/c%3Ad?q=a+b&q=%26&empty';
    const answer = await call('GET', path, {
      headers: {
        authorization: 'Bearer secret',
        'impersonate-user': 'jane',
        'impersonate-uid': '7',
        'impersonate-group': 'system:masters',
        'impersonate-extra-scopes': 'x',
        'x-own': 'yes',
        connection: 'x-hop',
        'x-hop': 'no',
        'x-remote-extra-more': 'mine',
      },
    });
    const { url, headers } = answer.json();
    expect(url).toBe(path);
    expect(headers).toMatchObject({
      host: 'mirror.default.svc',
      'x-own': 'yes',
      'x-forwarded-for': '127.0.0.1',
      'x-remote-user': 'jane',
      'x-remote-uid': '7',
      'x-remote-group': 'system:masters, system:authenticated',
      'x-remote-extra-scopes': 'x',
    });
    const dropped = Object.keys(headers as object).filter((name) =>
      /^(authorization|impersonate-.*|x-hop|x-remote-extra-more)$/.test(name),
    );
    expect(dropped).toEqual([]);
  });

  it('are refused to who may not make them, before the other server hears of them', async () => {
    const before = api.recipes.revision;
    const answer = await call('POST', RECIPES, {
      body: aRecipe('no'),
      headers: { 'impersonate-user': 'nobody' },
    });
    expect([answer.status, answer.json().message]).toEqual([
      403,
      `recipes.${GROUP} is forbidden: User "nobody" cannot create resource "recipes" in API group "${GROUP}" in the namespace "default"`,
    ]);
    expect(api.recipes.revision).toBe(before);
    expect((await call('GET', KITCHEN, { as: 'nobody' })).status).toBe(403);
  });

  it('may have bodies larger than this server takes, as far as the other one does', async () => {
    const body = aRecipe('long', 'x'.repeat(4 * 1024 * 1024));
    const answer = await call('POST', RECIPES, { body });
    expect([answer.status, answer.json().message]).toEqual([413, 'limit is 1048576']);
  });

  it('go on in another protocol, in the name of who asks', async () => {
    await call('POST', RECIPES, { body: aRecipe('stew', 'stew') });
    const socket = await upgraded(`${RECIPES}/stew/taste`);
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    socket.write('more');
    await until(() => text === 'stew for admin\nmore');
    socket.destroy();
    await call('DELETE', RECIPES);
  });

  it('keep their path: what an empty or dotted segment could hide goes nowhere', async () => {
    await call('POST', RECIPES, { body: aRecipe('path') });
    expect((await call('GET', `${RECIPES.replace('/recipes', '//recipes')}/path`)).status).toBe(
      200,
    );
    for (const dots of ['%2e%2e', '..', '.'])
      expect(await rawStatus(`${KITCHEN}/namespaces/default/recipes/${dots}/path`)).toBe(404);
    await call('DELETE', RECIPES);
  });
});

function upgraded(path: string): Promise<Duplex> {
  const { url, tls } = api.server;
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(url + path, {
      ...tls,
      headers: { connection: 'Upgrade', upgrade: 'tasting' },
    });
    outgoing.on('upgrade', (_answer, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    outgoing.on('response', ({ statusCode }) => reject(new Error(`answered with ${statusCode}`)));
    outgoing.on('error', reject).end();
  });
}

function rawStatus(path: string): Promise<number | undefined> {
  const { port, tls } = api.server;
  return new Promise((resolve, reject) => {
    httpsRequest({ ...tls, host: '127.0.0.1', port, path }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

describe('Discovery with another API server', () => {
  it('lists its group, and its kinds in the aggregated document', async () => {
    const { groups } = (await call('GET', '/apis')).json() as { groups: { name: string }[] };
    expect(groups.map(({ name }) => name)).toContain(GROUP);
    const group = await call('GET', `/apis/${GROUP}`);
    const version = { groupVersion: API_VERSION, version: 'v1alpha1' };
    expect(group.json()).toMatchObject({
      name: GROUP,
      versions: [version],
      preferredVersion: version,
    });
    const whole = await call('GET', '/apis', { headers: { accept: AGGREGATED } });
    const items = whole.json().items as { metadata: { name: string }; versions: object[] }[];
    expect(items.find(({ metadata }) => metadata.name === GROUP)?.versions).toMatchObject([
      {
        version: 'v1alpha1',
        freshness: 'Current',
        resources: [
          { resource: 'recipes', shortNames: ['rcp'], subresources: [{ subresource: 'taste' }] },
        ],
      },
    ]);
  });

  it('hands the list of its kinds on as the other server has it', async () => {
    const list = (await call('GET', KITCHEN)).json();
    expect([list.kind, list.groupVersion]).toEqual(['APIResourceList', API_VERSION]);
  });

  it('has its OpenAPI v3 document by a digest, and hands it on', async () => {
    const { paths } = (await call('GET', '/openapi/v3')).json();
    const url = paths[`apis/${API_VERSION}`].serverRelativeURL as string;
    expect(url).toMatch(/\?hash=\w+$/);
    const document = await call('GET', url);
    expect(Object.keys(document.json().components.schemas)).toContain(
      'com.example.kitchen.v1alpha1.Recipe',
    );
    const etag = String(document.headers['etag']);
    expect((await call('GET', url, { headers: { 'if-none-match': etag } })).status).toBe(304);
  });

  it('has its part in OpenAPI v2, with types of the same name beside this server’s own', async () => {
    const { paths, definitions } = (await call('GET', '/openapi/v2')).json();
    const root = Object.keys(paths).filter((path) => path.startsWith(KITCHEN));
    expect(root).toEqual([`${KITCHEN}/namespaces/{namespace}/recipes/{name}`]);
    expect(Object.keys(paths)).not.toContain('/healthz');
    const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
    const recipe = definitions['com.example.kitchen.v1alpha1.Recipe'];
    expect(recipe.properties.metadata).toEqual({ $ref: `#/definitions/${meta}_v2` });
    expect(Object.keys(definitions[`${meta}_v2`].properties)).toEqual(['name', 'namespace']);
    expect(Object.keys(definitions[meta].properties)).toContain('ownerReferences');
    const protobuf = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
    const binary = await call('GET', '/openapi/v2', { headers: { accept: protobuf } });
    expect([binary.status, binary.text.includes('What comes on the table.')]).toEqual([200, true]);
  });
});
