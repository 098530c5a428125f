// Discovery by requests, without a server around it.
// What clients learn about the server: the documents kubectl reads, in the forms it asks for.
import { describe, expect, it } from 'vitest';
import { ALL_VERBS } from '../../api/definition.ts';
import { Deployments, Nodes, NodeMetricsKind, Pods } from '../../api/kinds.ts';
import type { ServedResource } from '../../api/schema/endpoints.ts';
import type { Reply } from '../../api/wire/exchange.ts';
import { createDiscovery } from './discovery.ts';

const pods: ServedResource = {
  ref: Pods,
  singular: 'pod',
  listKind: 'PodList',
  shortNames: ['po'],
  categories: ['all'],
  schemaName: 'io.k8s.api.core.v1.Pod',
  verbs: ALL_VERBS,
  hasStatus: true,
  subresources: [
    { name: 'binding', kind: 'Binding', verbs: ['create'] },
    { name: 'eviction', kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
    { name: 'exec', kind: 'PodExecOptions', verbs: ['create', 'get'] },
    { name: 'log', kind: 'Pod', verbs: ['get'] },
  ],
};
const deployments: ServedResource = {
  ref: Deployments,
  singular: 'deployment',
  listKind: 'DeploymentList',
  shortNames: ['deploy'],
  categories: ['all'],
  schemaName: 'io.k8s.api.apps.v1.Deployment',
  verbs: ALL_VERBS,
  hasStatus: true,
  scale: {
    specReplicas: () => 1,
    statusReplicas: () => 1,
    selector: () => '',
    withReplicas: (object) => object,
  },
  subresources: [],
};
const nodes: ServedResource = {
  ref: Nodes,
  singular: 'node',
  schemaName: 'io.k8s.api.core.v1.Node',
  verbs: ALL_VERBS,
};
const metrics: ServedResource = {
  ref: NodeMetricsKind,
  singular: '',
  verbs: ['get', 'list', 'watch'],
};
const discovery = createDiscovery([nodes, pods, deployments], {
  extra: [metrics],
  serverAddress: '127.0.0.1:6443',
});

const request = (path: string, headers: Record<string, string> = {}) =>
  discovery.handle({ path, query: new URLSearchParams(), headers });

/** The answer to what is made at once. */
function ask(path: string, headers: Record<string, string> = {}): Reply | undefined {
  const reply = request(path, headers);
  if (reply instanceof Promise) throw new Error(`${path} takes its time`);
  return reply;
}

const get = (path: string, headers: Record<string, string> = {}) => read(path, ask(path, headers));

function read(path: string, reply: Reply | undefined) {
  if (reply?.kind !== 'body') throw new Error(`no answer to ${path}`);
  const text = reply.body.map((chunk) => new TextDecoder().decode(chunk)).join('');
  return { ...reply, json: text === '' ? undefined : (JSON.parse(text) as unknown) };
}

const V2 = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const V2BETA1 = 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList';

describe('lists of groups and resources', () => {
  it('names versions of the core group, and the other groups', () => {
    expect(get('/api').json).toEqual({
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1:6443' }],
    });
    const apps = { groupVersion: 'apps/v1', version: 'v1' };
    const measured = { groupVersion: 'metrics.k8s.io/v1beta1', version: 'v1beta1' };
    expect(get('/apis/').json).toEqual({
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: [
        { name: 'apps', versions: [apps], preferredVersion: apps },
        { name: 'metrics.k8s.io', versions: [measured], preferredVersion: measured },
      ],
    });
    expect(get('/apis/apps').json).toMatchObject({ kind: 'APIGroup', name: 'apps' });
  });

  it('lists resources with their subresources', () => {
    const { resources } = get('/apis/apps/v1').json as { resources: { name: string }[] };
    expect(resources.map(({ name }) => name)).toEqual([
      'deployments',
      'deployments/scale',
      'deployments/status',
    ]);
    expect(resources[0]).toEqual({
      name: 'deployments',
      singularName: 'deployment',
      namespaced: true,
      kind: 'Deployment',
      verbs: [...ALL_VERBS],
      shortNames: ['deploy'],
      categories: ['all'],
    });
    expect(resources[1]).toMatchObject({ group: 'autoscaling', version: 'v1', kind: 'Scale' });
    expect(get('/apis/metrics.k8s.io/v1beta1').json).toMatchObject({
      groupVersion: 'metrics.k8s.io/v1beta1',
      resources: [{ name: 'nodes', kind: 'NodeMetrics', namespaced: false }],
    });
  });

  it('leaves other paths to others', () => {
    for (const path of ['/apis/unknown', '/apis/apps/v2', '/api/v1/pods', '/healthz', '/']) {
      expect(ask(path)).toBeUndefined();
    }
  });
});

describe('aggregated discovery', () => {
  it('is given to those who ask for it, in the version they like best', () => {
    const reply = get('/apis', { accept: `${V2},${V2BETA1},application/json` });
    expect(reply.headers['content-type']).toBe(V2);
    expect(reply.json).toMatchObject({
      kind: 'APIGroupDiscoveryList',
      apiVersion: 'apidiscovery.k8s.io/v2',
      items: [
        {
          metadata: { name: 'apps' },
          versions: [
            {
              version: 'v1',
              freshness: 'Current',
              resources: [
                {
                  resource: 'deployments',
                  responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
                  scope: 'Namespaced',
                  singularResource: 'deployment',
                  subresources: [{ subresource: 'scale' }, { subresource: 'status' }],
                },
              ],
            },
          ],
        },
        { metadata: { name: 'metrics.k8s.io' } },
      ],
    });
    expect(get('/api', { accept: V2BETA1 }).json).toMatchObject({
      apiVersion: 'apidiscovery.k8s.io/v2beta1',
      items: [{ versions: [{ version: 'v1' }] }],
    });
  });

  it('is not given to those who ask for plain JSON first, or for a version unknown here', () => {
    expect(get('/apis', { accept: `application/json,${V2}` }).json).toMatchObject({
      kind: 'APIGroupList',
    });
    const unknown = V2.replace('v=v2', 'v=v3');
    expect(get('/apis', { accept: `${unknown},*/*` }).json).toMatchObject({ kind: 'APIGroupList' });
    expect(() => get('/apis', { accept: 'application/yaml' })).toThrow('media types');
  });
});

describe('OpenAPI', () => {
  it('has an index of documents by digest, and answers 304 to those who have one', () => {
    const { paths } = get('/openapi/v3').json as {
      paths: Record<string, { serverRelativeURL: string }>;
    };
    expect(Object.keys(paths)).toEqual(['api/v1', 'apis/apps/v1', 'apis/metrics.k8s.io/v1beta1']);
    const [path = '', hash = ''] = paths['apis/apps/v1']?.serverRelativeURL.split('?hash=') ?? [];
    const { headers } = get(path);
    expect(headers['etag']).toBe(`"${hash}"`);
    expect(get(path, { 'if-none-match': `"${hash}"` })).toMatchObject({ status: 304, body: [] });
  });

  it('says what kubectl looks for: patch types, fieldValidation, kinds', () => {
    const document = get('/openapi/v3/apis/apps/v1').json as {
      paths: Record<string, Record<string, { parameters?: { name: string }[] }>>;
      components: { schemas: Record<string, object> };
    };
    const gvk = { group: 'apps', version: 'v1', kind: 'Deployment' };
    const item = document.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}'];
    expect(item?.['patch']).toMatchObject({
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': gvk,
      requestBody: { content: { 'application/strategic-merge-patch+json': {} } },
    });
    expect(item?.['patch']?.parameters?.map(({ name }) => name)).toContain('fieldValidation');
    expect(document.components.schemas['io.k8s.api.apps.v1.Deployment']).toMatchObject({
      'x-kubernetes-group-version-kind': [gvk],
    });
    expect(document.components.schemas['io.k8s.api.core.v1.PodSpec']).toMatchObject({
      properties: {
        containers: {
          'x-kubernetes-patch-merge-key': 'name',
          'x-kubernetes-patch-strategy': 'merge',
        },
      },
    });
  });

  it.each(['/openapi/v2', '/openapi/v3/api/v1', '/openapi/v3/apis/apps/v1'])(
    'has no reference to nowhere in %s',
    async (path) => {
      const text = JSON.stringify(read(path, await request(path)).json);
      const { definitions, components } = JSON.parse(text) as {
        definitions?: object;
        components?: { schemas: object };
      };
      const known = new Set(Object.keys(definitions ?? components?.schemas ?? {}));
      const refs = [...text.matchAll(/"\$ref":"#\/(?:definitions|components\/schemas)\/([^"]+)"/g)];
      expect(refs.length).toBeGreaterThan(100);
      expect(refs.map(([, name]) => name).filter((name) => !known.has(name ?? ''))).toEqual([]);
      expect(text.match(/"\$ref":/g)?.length).toBe(refs.length);
    },
  );
});

describe('/version', () => {
  it('is that of the API, marked as ours', () => {
    expect(get('/version').json).toMatchObject({
      major: '1',
      minor: '36',
      gitVersion: 'v1.36.0+pinnace',
    });
  });
});
