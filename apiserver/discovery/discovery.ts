// Answers what clients ask to learn about the server: /api, /apis, /openapi and /version.
// Invariant: the answers depend on the kinds and options alone; each document is made once, on
// first use. What other servers answer for is listed, but not answered, here.
import { apiVersionOf } from '../../api/kind-ref.ts';
import type { ServedResource } from '../../api/schema/endpoints.ts';
import { schemaNameOf } from '../../api/schema/endpoints.ts';
import {
  type OpenApiV2Document,
  openApiV2Json,
  openApiV2Steps,
} from '../../api/schema/openapi-v2.ts';
import { exampleOfCustoms } from '../../api/apiextensions/example.ts';
import { openApiV2ProtobufSteps } from '../../api/schema/openapi-v2-protobuf.ts';
import { openApiV3, type OpenApiV3Document } from '../../api/schema/openapi-v3.ts';
import { StatusError } from '../../api/status.ts';
import type { Reply, Request } from '../../api/wire/exchange.ts';
import { parseAccept, takesJson } from './accept.ts';
import type { MediaRange } from './accept.ts';
import type { Document } from './document.ts';
import { documentOf, replyWith } from './document.ts';
import { SteppedDocument } from './stepped-document.ts';
import {
  aggregated,
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
  groupResources,
} from './resource-lists.ts';
import type { GroupResources } from './resource-lists.ts';
import { inOrder, type RegisteredVersion } from './registered-order.ts';

/** What /version says. */
export interface VersionInfo {
  readonly major: string;
  readonly minor: string;
  readonly gitVersion: string;
  readonly gitCommit: string;
  readonly gitTreeState: string;
  readonly buildDate: string;
  readonly goVersion: string;
  readonly compiler: string;
  readonly platform: string;
}

/** The version of the API that this server serves, and that it is this server that serves it. */
export const SERVER_VERSION: VersionInfo = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.0+pinnace',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: 'node',
  platform: 'linux/amd64',
};

/** What discovery needs besides the kinds. */
export interface DiscoveryOptions {
  /** Resources without a definition: reviews, metrics. Listed after the others. */
  readonly extra?: readonly ServedResource[];
  /** The groups and versions with an APIService: their order, and which other servers have. */
  readonly registered?: readonly RegisteredVersion[];
  /** What this server's OpenAPI v2 document is to become, as other servers have a part in it. */
  readonly withOthers?: (own: OpenApiV2Document) => OpenApiV2Document;
  /** `host:port` that /api names. */
  readonly serverAddress?: string;
  /** Replaces parts of SERVER_VERSION. */
  readonly version?: Partial<VersionInfo>;
}

/** The parts of a request that discovery looks at. */
export type DiscoveryRequest = Pick<Request, 'path' | 'query' | 'headers'>;

/** Answers discovery requests. */
export interface Discovery {
  /**
   * The answer to a GET, a promise where it takes long to make; undefined when the path is none of discovery's.
   * Throws NotAcceptable.
   */
  handle(request: DiscoveryRequest): Reply | Promise<Reply> | undefined;
}

/** What a path leads to. */
type Route = (request: DiscoveryRequest & { accept: MediaRange[] }) => Reply | Promise<Reply>;

/** Discovery of these kinds. */
export function createDiscovery(
  definitions: readonly ServedResource[],
  options: DiscoveryOptions = {},
): Discovery {
  const resources = [...definitions, ...(options.extra ?? [])];
  const version = { ...SERVER_VERSION, ...options.version };
  const groups = inOrder(groupResources(resources), options.registered ?? []);
  const routes = new Map<string, Route>([
    ['/version', json(() => version)],
    ...listRoutes(groups, options.serverAddress ?? ''),
    ...openApiRoutes(groups, version.gitVersion, options.withOthers),
  ]);
  return {
    handle({ path, query, headers }) {
      const route = routes.get(path.length > 1 ? path.replace(/\/+$/, '') : path);
      return route?.({ accept: parseAccept(headers['accept']), path, query, headers });
    },
  };
}

function listRoutes(groups: readonly GroupResources[], serverAddress: string): [string, Route][] {
  const core = groups.filter(({ group }) => group === '');
  const named = groups.filter(({ group }) => group !== '');
  return [
    ['/api', negotiated(() => apiVersions(core[0], serverAddress), core)],
    ['/apis', negotiated(() => apiGroupList(named), named)],
    ...named.map((entry): [string, Route] => [
      `/apis/${entry.group}`,
      json(() => ({ kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(entry) })),
    ]),
    ...groups.flatMap(({ group, versions }) =>
      versions
        .filter(({ remote }) => !remote)
        .map((entry): [string, Route] => [
          `/${rootOf(group, entry.version)}`,
          json(() => apiResourceList(group, entry)),
        ]),
    ),
  ];
}

function rootOf(group: string, version: string): string {
  return `${group === '' ? 'api' : 'apis'}/${apiVersionOf({ group, version })}`;
}

function openApiRoutes(
  groups: readonly GroupResources[],
  gitVersion: string,
  withOthers: (own: OpenApiV2Document) => OpenApiV2Document = (own) => own,
): [string, Route][] {
  const documents = new Map<string, () => Document>();
  const elsewhere = new Map<string, string>();
  const described = (resources: readonly ServedResource[]) =>
    resources.filter(
      ({ ref, schemaName, subresources = [] }) =>
        schemaName ??
        schemaNameOf(ref) ??
        // Metrics, whose wholes are another group's.
        (ref.kind === '' && subresources.some(({ kind }) => schemaNameOf({ ...ref, kind }))),
    );
  for (const { group, versions } of groups) {
    for (const { version, resources, remote } of versions) {
      if (remote?.openApiV3Url !== undefined)
        elsewhere.set(rootOf(group, version), remote.openApiV3Url);
      else if (remote?.openApiV3) documents.set(rootOf(group, version), madeOf(remote.openApiV3));
      if (remote) continue;
      documents.set(rootOf(group, version), keptDocument(described(resources), gitVersion));
    }
  }
  const all = groups.flatMap(({ versions }) => versions.flatMap(({ resources }) => resources));
  const wholeDocument = function* () {
    return withOthers(yield* openApiV2Steps(described(all), gitVersion));
  };
  const urls = () => [
    ...[...documents].map(([name, document]) => [name, hashedUrl(name, document())] as const),
    ...elsewhere,
  ];
  const index = () => ({
    paths: Object.fromEntries(urls().map(([name, url]) => [name, { serverRelativeURL: url }])),
  });
  return [
    ['/openapi/v2', openApiV2Route(wholeDocument)],
    ['/openapi/v3', json(index)],
    ...[...documents].map(([name, document]): [string, Route] => [
      `/openapi/v3/${name}`,
      hashed(name, document),
    ]),
  ];
}

interface Kept {
  readonly resources: readonly ServedResource[];
  readonly gitVersion: string;
  readonly document: () => Document;
}

/** By the first resource of each document: a new custom resource changes that of its own group alone. */
const kept = new WeakMap<ServedResource, Kept>();

/** The document of these resources: the one of before where they are the same, as making all takes 20 ms. */
function keptDocument(resources: readonly ServedResource[], gitVersion: string): () => Document {
  const [first] = resources;
  const before = first && kept.get(first);
  const same =
    before?.gitVersion === gitVersion &&
    before.resources.length === resources.length &&
    before.resources.every((resource, i) => resource === resources[i]);
  if (same) return before.document;
  const madeFrom = madeFromCustoms(resources, gitVersion);
  const document = documentOf(() => openApiV3(resources, gitVersion), madeFrom);
  if (first) kept.set(first, { resources, gitVersion, document });
  return document;
}

const made = new WeakMap<OpenApiV3Document, () => Document>();

/** A document that was made once, however often discovery is made anew. */
function madeOf(whole: OpenApiV3Document): () => Document {
  const before = made.get(whole) ?? documentOf(() => whole);
  made.set(whole, before);
  return before;
}

/**
 * What the document of custom resources alone is made from: the index names all documents, and making hundreds to know their
 * digests would take a second and tens of megabytes.
 */
function madeFromCustoms(
  resources: readonly ServedResource[],
  gitVersion: string,
): string | undefined {
  const identities = resources.flatMap(({ custom }) => custom?.identity ?? []);
  if (identities.length === 0 || identities.length < resources.length) return undefined;
  return JSON.stringify([gitVersion, formOfCustoms(), identities]);
}

let form: string | undefined;

/** Another text when this program describes custom resources otherwise: clients keep documents longer than a program lives. */
function formOfCustoms(): string {
  form ??= documentOf(() => openApiV3(exampleOfCustoms(), ''))().hash;
  return form;
}

const hashedUrl = (name: string, { hash }: Document) => `/openapi/v3/${name}?hash=${hash}`;

/** A document that is asked for by its digest: to be kept for good, or, by an older digest, to be found at the new one. */
function hashed(name: string, document: () => Document): Route {
  const whole = plain(document);
  return (request) => {
    const asked = request.query.get('hash');
    if (asked === null || asked === '') return whole(request);
    const found = document();
    if (asked === found.hash) return plain(document, { immutable: true })(request);
    const location = hashedUrl(name, found);
    return { kind: 'body', status: 301, headers: { location }, body: [] };
  };
}

/** The protobuf form by the name that Go clients ask for, and by the name under which it is sent. */
const OPENAPI_V2_PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
const ASKED_AS = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';

/** In JSON or in protobuf, whichever the client names first: kubectl asks for protobuf alone. */
function openApiV2Route(make: () => Generator<void, OpenApiV2Document>): Route {
  const inJson = new SteppedDocument(function* () {
    return yield* openApiV2Json(yield* make());
  });
  const inProtobuf = new SteppedDocument(function* () {
    return yield* openApiV2ProtobufSteps(yield* make());
  });
  return ({ accept, headers }) => {
    const ifNoneMatch = headers['if-none-match'];
    const wanted = accept.find((range) => takesJson(range) || isOpenApiProtobuf(range));
    if (wanted === undefined) throw notAcceptable();
    return takesJson(wanted)
      ? inJson.reply({ contentType: 'application/json', ifNoneMatch })
      : inProtobuf.reply({ contentType: OPENAPI_V2_PROTOBUF, ifNoneMatch });
  };
}

const isOpenApiProtobuf = ({ type }: MediaRange): boolean =>
  type === OPENAPI_V2_PROTOBUF || type === ASKED_AS;

/** A document in JSON, whatever else the client would take. */
function json(make: () => object): Route {
  return plain(documentOf(make));
}

function plain(document: () => Document, how: { immutable?: boolean } = {}): Route {
  return ({ accept, headers }) => {
    if (!accept.some(takesJson)) throw notAcceptable();
    return replyWith(document(), {
      contentType: 'application/json',
      ifNoneMatch: headers['if-none-match'],
      ...how,
    });
  };
}

const AGGREGATED_VERSIONS = ['v2', 'v2beta1'];

/** The plain list, or the aggregated document, by what the client asks for first. */
function negotiated(makeList: () => object, groups: readonly GroupResources[]): Route {
  const list = documentOf(makeList);
  const whole = new Map(
    AGGREGATED_VERSIONS.map((version) => [version, documentOf(() => aggregated(groups, version))]),
  );
  return ({ accept, headers }) => {
    const ifNoneMatch = headers['if-none-match'];
    for (const range of accept) {
      const { g, v = '', as } = range.parameters;
      if (!takesJson(range)) continue;
      if (as === undefined) {
        return replyWith(list(), { contentType: 'application/json', ifNoneMatch });
      }
      const document = whole.get(v);
      if (g !== 'apidiscovery.k8s.io' || as !== 'APIGroupDiscoveryList' || !document) continue;
      const contentType = `application/json;g=${g};v=${v};as=${as}`;
      return replyWith(document(), { contentType, ifNoneMatch });
    }
    throw notAcceptable();
  };
}

function notAcceptable(): StatusError {
  return new StatusError(
    'NotAcceptable',
    'only the following media types are accepted: application/json',
  );
}
