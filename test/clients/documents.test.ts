// Every document of discovery and OpenAPI, read as clients read them: each stands on its own, and all say the same.
// Invariant: the tests know no kind by name; they hold whatever is served to what it says of itself.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/server.ts';

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const METHODS = ['get', 'put', 'post', 'patch', 'delete'];
/** The method and action by which each verb is done. */
const OPERATION: Readonly<Record<string, readonly [string, string]>> = {
  create: ['post', 'post'],
  delete: ['delete', 'delete'],
  deletecollection: ['delete', 'deletecollection'],
  get: ['get', 'get'],
  list: ['get', 'list'],
  patch: ['patch', 'patch'],
  update: ['put', 'put'],
  watch: ['get', 'list'],
};
const ON_COLLECTION = new Set(['create', 'deletecollection', 'list', 'watch']);

interface Gvk {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

interface Resource {
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

interface Operation {
  readonly operationId: string;
  readonly 'x-kubernetes-action': string;
  readonly 'x-kubernetes-group-version-kind': Gvk;
}

type Paths = Record<string, Record<string, Operation>>;
type Schemas = Record<string, { readonly 'x-kubernetes-group-version-kind'?: readonly Gvk[] }>;

/** A group and version with its root path and what it lists. */
interface Served {
  readonly group: string;
  readonly version: string;
  readonly root: string;
  readonly resources: readonly Resource[];
}

let server: TestServer;
let served: readonly Served[];
beforeAll(async () => {
  server = await startTestServer();
  served = await servedVersions();
});
afterAll(() => server?.close());

/** A document that must be there. */
async function read<T>(path: string, accept = 'application/json'): Promise<T> {
  const { status, text } = await server.call('GET', path, { headers: { accept } });
  expect(status, `${path}: ${text.slice(0, 200)}`).toBe(200);
  return JSON.parse(text) as T;
}

interface Group {
  readonly name: string;
  readonly versions: readonly { readonly groupVersion: string; readonly version: string }[];
}

async function servedVersions(): Promise<Served[]> {
  const { versions } = await read<{ versions: string[] }>('/api');
  const { groups } = await read<{ groups: Group[] }>('/apis');
  const roots = [
    ...versions.map((version) => ({ group: '', version, root: `api/${version}` })),
    ...groups.flatMap(({ name, versions: all }) =>
      all.map(({ version }) => ({ group: name, version, root: `apis/${name}/${version}` })),
    ),
  ];
  return Promise.all(
    roots.map(async (entry) => ({
      ...entry,
      resources: (await read<{ resources: Resource[] }>(`/${entry.root}`)).resources,
    })),
  );
}

const gvkOf = ({ group, version }: Served, { kind, ...own }: Resource): Gvk => ({
  group: own.group ?? group,
  version: own.version ?? version,
  kind,
});
const gvkText = ({ group, version, kind }: Gvk) => `${group}/${version} ${kind}`;
const digestOf = (text: string) => createHash('sha256').update(text).digest('hex').toUpperCase();

/** `path action` of everything that a resource says it can do. */
function operationsOf({ root }: Served, resource: Resource): string[] {
  const [plural = '', sub] = resource.name.split('/');
  const within = `/${root}/${resource.namespaced ? 'namespaces/{namespace}/' : ''}${plural}`;
  const path = sub === undefined ? within : `${within}/{name}/${sub}`;
  return resource.verbs.flatMap((verb) => {
    const [method = '', action = ''] = OPERATION[verb] ?? [];
    if (sub !== undefined) return [`${path} ${method}`];
    if (!ON_COLLECTION.has(verb)) return [`${path}/{name} ${method} ${action}`];
    const all = `/${root}/${plural} ${method} ${action}`;
    return [`${path} ${method} ${action}`, ...(action === 'list' ? [all] : [])];
  });
}

/** `path method action` of each operation of a document; of subresources without the action, which connects or is the method. */
function operationsIn(paths: Paths): Map<string, Operation> {
  const isSubresource = (path: string) => /\{name\}\/./.test(path);
  return new Map(
    Object.entries(paths).flatMap(([path, item]) =>
      METHODS.filter((method) => item[method] !== undefined).map((method) => {
        const operation = item[method] as Operation;
        const action = isSubresource(path) ? '' : ` ${operation['x-kubernetes-action']}`;
        return [`${path} ${method}${action}`, operation] as const;
      }),
    ),
  );
}

/** Names that the document refers to and does not have. */
function brokenRefs(document: unknown, names: ReadonlySet<string>, prefix: string): string[] {
  const broken: string[] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, entry] of Object.entries(value)) {
      if (key !== '$ref' || typeof entry !== 'string') walk(entry);
      else if (!entry.startsWith(prefix) || !names.has(entry.slice(prefix.length)))
        broken.push(entry);
    }
  };
  walk(document);
  return broken;
}

const gvksIn = (schemas: Schemas) =>
  new Set(
    Object.values(schemas).flatMap((schema) =>
      (schema['x-kubernetes-group-version-kind'] ?? []).map(gvkText),
    ),
  );

/** Holds a document's paths and schemas to what discovery lists. */
function expectAgreement(versions: readonly Served[], paths: Paths, schemas: Schemas): void {
  const found = operationsIn(paths);
  const listed = versions.flatMap((version) =>
    version.resources.flatMap((resource) => operationsOf(version, resource)),
  );
  expect([...found.keys()].toSorted()).toEqual([...new Set(listed)].toSorted());
  const ids = [...found.values()].map(({ operationId }) => operationId);
  expect(ids.length).toBe(new Set(ids).size);
  const known = gvksIn(schemas);
  const kinds = versions.flatMap((version) =>
    version.resources
      .filter(({ name }) => !name.includes('/'))
      .map((resource) => gvkText(gvkOf(version, resource))),
  );
  expect(kinds.filter((kind) => !known.has(kind))).toEqual([]);
  const spoken = [...found.values()].map((one) => gvkText(one['x-kubernetes-group-version-kind']));
  const options = / (Pod|Node|Service)\w*Options$/;
  expect(spoken.filter((kind) => !known.has(kind) && !options.test(kind))).toEqual([]);
}

const METRICS = 'apis/custom.metrics.k8s.io/v1beta2';

describe('discovery', () => {
  it('gives each group by itself as it stands in the list of groups', async () => {
    const { groups } = await read<{ groups: Group[] }>('/apis');
    expect(groups.length).toBeGreaterThan(10);
    for (const group of groups)
      expect(await read(`/apis/${group.name}`)).toEqual({
        kind: 'APIGroup',
        apiVersion: 'v1',
        ...group,
      });
  });

  it('lists in each group and version what belongs there, each name once, with verbs', () => {
    for (const { root, resources } of served) {
      const names = resources.map(({ name }) => name);
      expect(new Set(names).size, root).toBe(names.length);
      for (const { name, verbs, kind } of resources) {
        expect(verbs.length, `${root} ${name}`).toBeGreaterThan(0);
        expect(kind, `${root} ${name}`).not.toBe('');
        const [plural] = name.split('/');
        // Metrics are parts of what their group has not.
        if (root !== METRICS) expect(names, `${root} ${name}`).toContain(plural);
      }
    }
  });

  it('says the same in its aggregated form', async () => {
    interface Sub {
      readonly subresource: string;
      readonly responseKind: Gvk;
      readonly verbs: string[];
    }
    interface Aggregated extends Omit<Sub, 'responseKind'> {
      readonly resource: string;
      readonly responseKind?: Gvk;
      readonly scope: string;
      readonly singularResource: string;
      readonly shortNames?: string[];
      readonly categories?: string[];
      readonly subresources?: Sub[];
    }
    const lines: string[] = [];
    for (const path of ['/api', '/apis']) {
      const { items } = await read<{
        items: { metadata: { name?: string }; versions: object[] }[];
      }>(path, AGGREGATED);
      for (const { metadata, versions } of items)
        for (const { version, resources } of versions as {
          version: string;
          resources: Aggregated[];
        }[])
          for (const entry of resources) {
            const { resource, scope, singularResource, shortNames, categories } = entry;
            const place = `${metadata.name ?? ''}/${version} ${resource}`;
            const rest = [scope, singularResource, shortNames ?? [], categories ?? []];
            if (entry.responseKind)
              lines.push([place, gvkText(entry.responseKind), ...rest, entry.verbs].join(' '));
            for (const { subresource, responseKind, verbs } of entry.subresources ?? [])
              lines.push([`${place}/${subresource}`, gvkText(responseKind), verbs].join(' '));
          }
    }
    const expected = served.flatMap((version) =>
      version.resources.map((resource) => {
        const place = `${version.group}/${version.version} ${resource.name}`;
        const kind = gvkText(gvkOf(version, resource));
        if (resource.name.includes('/')) return [place, kind, resource.verbs].join(' ');
        const scope = resource.namespaced ? 'Namespaced' : 'Cluster';
        const { singularName, shortNames = [], categories = [], verbs } = resource;
        return [place, kind, scope, singularName, shortNames, categories, verbs].join(' ');
      }),
    );
    expect(lines.toSorted()).toEqual(expected.toSorted());
  });
});

describe('OpenAPI version 3', () => {
  const index = () => read<{ paths: Record<string, { serverRelativeURL: string }> }>('/openapi/v3');

  it('has one document for each group and version of discovery', async () => {
    expect(Object.keys((await index()).paths).toSorted()).toEqual(
      served.map(({ root }) => root).toSorted(),
    );
  });

  it('agrees with discovery, and has no reference to nowhere', async () => {
    const { paths } = await index();
    for (const version of served) {
      const { serverRelativeURL } = paths[version.root] ?? { serverRelativeURL: '' };
      const document = await read<{ paths: Paths; components: { schemas: Schemas } }>(
        serverRelativeURL,
      );
      const { schemas } = document.components;
      const names = new Set(Object.keys(schemas));
      expect(brokenRefs(document, names, '#/components/schemas/'), version.root).toEqual([]);
      expectAgreement([version], document.paths, schemas);
    }
  });

  it('names each document by its digest, which a cache may keep; an old digest leads to the new one', async () => {
    for (const { serverRelativeURL } of Object.values((await index()).paths)) {
      const { status, headers, text } = await server.call('GET', serverRelativeURL);
      const hash = /\?hash=([0-9A-F]{64})$/.exec(serverRelativeURL)?.[1] ?? '';
      expect([status, headers.etag]).toEqual([200, `"${hash}"`]);
      expect(digestOf(text)).toBe(hash);
      expect(headers['cache-control']).toContain('immutable');
      const [path = ''] = serverRelativeURL.split('?');
      expect((await server.call('GET', path)).headers['cache-control']).not.toContain('immutable');
      const moved = await server.call('GET', `${path}?hash=0123`);
      expect([moved.status, moved.headers.location]).toEqual([301, serverRelativeURL]);
    }
  });
});

describe('OpenAPI version 2', () => {
  it('agrees with discovery, and has no reference to nowhere', async () => {
    const document = await read<{ paths: Paths; definitions: Schemas }>('/openapi/v2');
    const names = new Set(Object.keys(document.definitions));
    expect(brokenRefs(document, names, '#/definitions/')).toEqual([]);
    expectAgreement(served, document.paths, document.definitions);
  });
});

it('every document that has not changed is answered with 304, and another tag with the whole', async () => {
  const { paths } = await read<{ paths: Record<string, { serverRelativeURL: string }> }>(
    '/openapi/v3',
  );
  const plain = [
    '/api',
    '/apis',
    '/openapi/v2',
    '/openapi/v3',
    ...Object.values(paths).map(({ serverRelativeURL }) => serverRelativeURL),
  ].map((path) => [path, 'application/json'] as const);
  const others = [
    ['/api', AGGREGATED],
    ['/apis', AGGREGATED],
    ['/openapi/v2', 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'],
  ] as const;
  for (const [path, accept] of [...plain, ...others]) {
    const get = (more: object) => server.call('GET', path, { headers: { accept, ...more } });
    const whole = await get({});
    expect(whole.headers.vary, path).toBe('Accept');
    const { etag = '' } = whole.headers;
    for (const tag of [etag, `W/${etag}`, `"x", ${etag}`]) {
      const again = await get({ 'if-none-match': tag });
      expect([again.status, again.text, again.headers.etag], path).toEqual([304, '', etag]);
    }
    const other = await get({ 'if-none-match': '"x"' });
    expect([other.status, other.text === whole.text], path).toEqual([200, true]);
  }
});
