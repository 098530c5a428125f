// The endpoints that a set of kinds makes: paths, operations, parameters, schemas. OpenAPI v2 and
// v3 are two ways of writing these down. Invariant: pure; equal kinds give equal endpoints in equal
// order.
import type { ResourceDefinition, ResourceVerb, SubresourceEntry } from '../definition.ts';
import { customSchemaName } from '../apiextensions/custom-schemas.ts';
import { resourcePath } from '../kind-ref.ts';
import type { KindRef } from '../kind-ref.ts';
import { loadSchemas } from './schema.ts';
import type { GroupVersionKind } from './schema.ts';

/** A kind that is served without a definition: reviews, metrics. */
export interface VirtualResource {
  readonly ref: KindRef;
  readonly singular: string;
  readonly verbs: readonly ResourceVerb[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

/** What endpoints are made of: a ResourceDefinition, or a VirtualResource. */
export type ServedResource = VirtualResource &
  Partial<
    Pick<
      ResourceDefinition,
      | 'custom'
      | 'hasStatus'
      | 'listKind'
      | 'returnsDeleted'
      | 'scale'
      | 'schemaName'
      | 'subresources'
    >
  >;

/** A query parameter. */
export interface QueryParameter {
  readonly name: string;
  readonly type: 'boolean' | 'integer' | 'string';
  readonly description: string;
}

/** What one method does on one path. */
export interface ApiOperation {
  readonly method: 'delete' | 'get' | 'patch' | 'post' | 'put';
  /** As `x-kubernetes-action` says it. */
  readonly action: string;
  readonly operationId: string;
  readonly description: string;
  readonly gvk: GroupVersionKind;
  readonly query: readonly QueryParameter[];
  /** Schema of the body; patches and reads have none. */
  readonly request?: string | undefined;
  /** Set on patches: the media types that are taken. */
  readonly patchTypes?: readonly string[];
  /** Schema of the answer; without one it is plain text. */
  readonly response?: string | undefined;
}

/** A path, with `{namespace}` and `{name}` in it where they belong. */
export interface Endpoint {
  readonly path: string;
  readonly tag: string;
  readonly operations: readonly ApiOperation[];
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const STATUS = `${META}.Status`;
const DELETE_OPTIONS = `${META}.DeleteOptions`;

const text = (name: string, description: string): QueryParameter => ({
  name,
  type: 'string',
  description,
});
const flag = (name: string, description: string): QueryParameter => ({
  name,
  type: 'boolean',
  description,
});
const count = (name: string, description: string): QueryParameter => ({
  name,
  type: 'integer',
  description,
});

const PRETTY = text(
  'pretty',
  'Whether the answer is indented; if not given, it is for curl, Wget and browsers.',
);
const DRY_RUN = text('dryRun', '`All` runs every stage of the request but stores nothing.');
const RESOURCE_VERSION = text('resourceVersion', 'How fresh the answer must be.');
const LIST_QUERY = [
  flag('allowWatchBookmarks', 'Sends BOOKMARK events, which say how far a watch has come.'),
  text('continue', 'The token of the page before.'),
  text('fieldSelector', 'Restricts the objects by fields.'),
  text('labelSelector', 'Restricts the objects by labels.'),
  count('limit', 'The greatest number of objects in one answer.'),
  PRETTY,
  RESOURCE_VERSION,
  text('resourceVersionMatch', 'How resourceVersion is meant: Exact or NotOlderThan.'),
  flag('sendInitialEvents', 'Begins a watch with all objects that there are.'),
  count('timeoutSeconds', 'Ends a watch after this time.'),
  flag('watch', 'Streams changes instead of a list.'),
];
const WRITE_QUERY = [
  DRY_RUN,
  text('fieldManager', 'A name for who makes this change.'),
  text('fieldValidation', 'What unknown and duplicate fields lead to: Ignore, Warn or Strict.'),
  PRETTY,
];
const PATCH_QUERY = [...WRITE_QUERY, flag('force', 'Takes over fields of others (apply only).')];
const DELETE_QUERY = [
  DRY_RUN,
  count('gracePeriodSeconds', 'How long the object has for an orderly end.'),
  PRETTY,
  text('propagationPolicy', 'What becomes of dependents: Orphan, Background or Foreground.'),
];

/** All endpoints of these kinds, by path. */
export function endpointsOf(resources: readonly ServedResource[]): Endpoint[] {
  return inOrderOfPath(
    resources
      .flatMap((resource) => [...ownEndpoints(resource), ...subresourceEndpoints(resource)])
      .filter(({ operations }) => operations.length > 0),
  );
}

/** As documents list them. */
export function inOrderOfPath(endpoints: readonly Endpoint[]): Endpoint[] {
  return endpoints.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** Subresources as discovery lists them: status and scale first, then the kind's own. */
export function subresourcesOf(resource: ServedResource): SubresourceEntry[] {
  const { ref, hasStatus, scale, subresources = [] } = resource;
  const verbs = ['get', 'patch', 'update'] as const;
  const scaleRef = { group: 'autoscaling', version: 'v1', kind: 'Scale' };
  const usual: SubresourceEntry[] = [
    ...(scale === undefined ? [] : [{ name: 'scale', ...scaleRef, verbs }]),
    ...(hasStatus === true ? [{ name: 'status', kind: ref.kind, verbs }] : []),
  ];
  const own = subresources.filter(({ name }) => !usual.some((entry) => entry.name === name));
  return [...usual, ...own].sort((a, b) => (a.name < b.name ? -1 : 1));
}

let byKind: ReadonlyMap<string, string> | undefined;

/** The name of the schema of a kind, if there is one. */
export function schemaNameOf({ group, version, kind }: GroupVersionKind): string | undefined {
  byKind ??= new Map(
    [...loadSchemas()].flatMap(([name, schema]) =>
      (schema['x-kubernetes-group-version-kind'] ?? []).map(
        (gvk) => [`${gvk.group}/${gvk.version}/${gvk.kind}`, name] as const,
      ),
    ),
  );
  return byKind.get(`${group}/${version}/${kind}`);
}

/** The name of the schema of a kind that the resource's endpoints speak of. */
function schemaFor(resource: ServedResource, gvk: GroupVersionKind): string | undefined {
  if (gvk.kind === resource.ref.kind && resource.schemaName) return resource.schemaName;
  const own = gvk.group === resource.ref.group && gvk.kind === resource.listKind;
  if (resource.custom && own) return customSchemaName(gvk);
  return schemaNameOf(gvk);
}

function ownEndpoints(resource: ServedResource): Endpoint[] {
  const { ref } = resource;
  const collection = resourcePath(ref, { namespace: '' });
  const one = (path: string) => `${path}/{name}`;
  if (!ref.namespaced) {
    return [
      endpoint(resource, collection, ['list', 'create', 'deletecollection']),
      endpoint(resource, one(collection), ['get', 'update', 'patch', 'delete']),
    ];
  }
  const within = namespaced(ref);
  return [
    endpoint(resource, collection, ['list']),
    endpoint(resource, within, ['list', 'create', 'deletecollection']),
    endpoint(resource, one(within), ['get', 'update', 'patch', 'delete']),
  ];
}

function namespaced(ref: KindRef): string {
  const path = resourcePath(ref, {});
  return ref.namespaced ? path.replace(/\/[^/]+$/, `/namespaces/{namespace}/${ref.plural}`) : path;
}

function endpoint(
  resource: ServedResource,
  path: string,
  verbs: readonly ResourceVerb[],
): Endpoint {
  const operations = verbs
    .filter((verb) => resource.verbs.includes(verb))
    .map((verb) => ownOperation(resource, path, verb));
  return { path, tag: tagOf(resource.ref), operations };
}

function tagOf({ group, version }: KindRef): string {
  return `${group === '' ? 'core' : group.replace(/\..*$/, '')}_${version}`;
}

const PATCH_TYPES = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
];
const STRATEGIC = 'application/strategic-merge-patch+json';

/** kubectl chooses by these: custom resources have no strategic merges, but their scale is a built-in kind. */
function patchTypesOf(resource: ServedResource, gvk: GroupVersionKind): readonly string[] {
  const own = gvk.kind === resource.ref.kind && gvk.group === resource.ref.group;
  return resource.custom && own ? PATCH_TYPES : [...PATCH_TYPES, STRATEGIC];
}

/** What each verb on whole objects is in HTTP. */
const VERBS: Readonly<
  Record<
    ResourceVerb,
    Pick<ApiOperation, 'action' | 'method' | 'query'> & { body?: 'delete' | 'own' }
  >
> = {
  create: { method: 'post', action: 'post', query: WRITE_QUERY, body: 'own' },
  delete: { method: 'delete', action: 'delete', query: DELETE_QUERY, body: 'delete' },
  deletecollection: {
    method: 'delete',
    action: 'deletecollection',
    query: [...DELETE_QUERY, ...LIST_QUERY.slice(1, -1)].filter(isFirst),
    body: 'delete',
  },
  get: { method: 'get', action: 'get', query: [PRETTY] },
  list: { method: 'get', action: 'list', query: LIST_QUERY },
  patch: { method: 'patch', action: 'patch', query: PATCH_QUERY },
  update: { method: 'put', action: 'put', query: WRITE_QUERY, body: 'own' },
  watch: { method: 'get', action: 'list', query: LIST_QUERY },
};

function ownOperation(resource: ServedResource, path: string, verb: ResourceVerb): ApiOperation {
  const { group, version, kind, namespaced: scoped } = resource.ref;
  const own = schemaFor(resource, resource.ref);
  const list = schemaFor(resource, { group, version, kind: resource.listKind ?? `${kind}List` });
  const { body, ...http } = VERBS[verb];
  const across = scoped && !path.includes('{namespace}');
  const what = across ? `${kind}ForAllNamespaces` : `${scoped ? 'Namespaced' : ''}${kind}`;
  return {
    ...http,
    gvk: { group, version, kind },
    ...(verb === 'patch' && { patchTypes: patchTypesOf(resource, resource.ref) }),
    operationId: operationId(resource.ref, verb, what),
    description: `${verb} objects of kind ${kind}`,
    request: body === 'own' ? own : body && DELETE_OPTIONS,
    response: responseOf(http.action, {
      own,
      list,
      deleted: resource.returnsDeleted ? own : STATUS,
    }),
  };
}

function responseOf(
  action: string,
  { own, list, deleted }: Readonly<Record<'own' | 'list' | 'deleted', string | undefined>>,
): string | undefined {
  if (action === 'list') return list;
  if (action === 'delete') return deleted;
  return action === 'deletecollection' ? STATUS : own;
}

function isFirst(
  parameter: QueryParameter,
  index: number,
  all: readonly QueryParameter[],
): boolean {
  return all.findIndex(({ name }) => name === parameter.name) === index;
}

function operationId({ group, version }: KindRef, verb: string, what: string): string {
  const name = group === '' ? 'core' : group.replace(/\.k8s\.io$/, '');
  const words = [name, version].flatMap((word) => word.split('.'));
  return `${verb}${words.map(capital).join('')}${what}`;
}

function capital(word: string): string {
  return `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`;
}

/** Subresources that hand the connection over, or answer in text. */
const CONNECT = ['attach', 'exec', 'portforward', 'proxy'];
const METHODS = {
  get: 'get',
  create: 'post',
  update: 'put',
  patch: 'patch',
  delete: 'delete',
} as const;
const QUERIES = {
  get: [PRETTY],
  create: WRITE_QUERY,
  update: WRITE_QUERY,
  patch: PATCH_QUERY,
  delete: DELETE_QUERY,
};

function subresourceEndpoints(resource: ServedResource): Endpoint[] {
  return subresourcesOf(resource).map((entry) => ({
    path: `${namespaced(resource.ref)}/{name}/${entry.name}`,
    tag: tagOf(resource.ref),
    operations: (['get', 'create', 'update', 'patch', 'delete'] as const)
      .filter((verb) => entry.verbs.includes(verb))
      .map((verb) => subresourceOperation(resource, entry, verb)),
  }));
}

function subresourceOperation(
  resource: ServedResource,
  entry: SubresourceEntry,
  verb: keyof typeof METHODS,
): ApiOperation {
  const { ref } = resource;
  const gvk = {
    group: entry.group ?? ref.group,
    version: entry.version ?? ref.version,
    kind: entry.kind,
  };
  const connects = CONNECT.includes(entry.name);
  const schema = connects || entry.name === 'log' ? undefined : schemaFor(resource, gvk);
  const method = METHODS[verb];
  const suffix = capital(entry.name);
  // Metrics are parts of what their group has no kind of.
  const whole = ref.kind || capital(ref.plural);
  return {
    method,
    action: connects ? 'connect' : method,
    gvk,
    operationId: operationId(ref, connects ? `connect${suffix}${verb}` : verb, `${whole}${suffix}`),
    description: `${verb} ${entry.name} of a ${whole}`,
    query: QUERIES[verb],
    ...(verb === 'patch' && { patchTypes: patchTypesOf(resource, gvk) }),
    request: verb === 'create' || verb === 'update' ? schema : undefined,
    response: schema,
  };
}
