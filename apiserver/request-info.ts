// What a request is about, from its method, path and query. Pure.
// Invariant: the same path always means the same thing; what it means is decided here and nowhere else.
import { parseFieldSelector, requiredValue } from '../api/meta/field-selector.ts';
import type { Request } from '../api/wire/exchange.ts';
import { isTrue } from '../api/wire/query-flag.ts';
import { methodNotAllowed } from '../api/status.ts';

/** Verbs as authorization and handlers know them. */
export type Verb =
  | 'get'
  | 'list'
  | 'watch'
  | 'create'
  | 'update'
  | 'patch'
  | 'delete'
  | 'deletecollection'
  | 'options';

/** A request about a resource. */
export interface ResourceInfo {
  readonly kind: 'resource';
  readonly verb: Verb;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string | undefined;
  /** '' for cluster-scoped resources and for all namespaces. */
  readonly namespace: string;
  /** Undefined for collections. */
  readonly name: string | undefined;
  /** The one name that a request about a collection is limited to by its field selector: rules for that name allow it. */
  readonly selectedName?: string | undefined;
  /** What follows the subresource. */
  readonly rest: readonly string[];
}

/** A request about anything else: health, version, discovery. */
export interface PathInfo {
  readonly kind: 'path';
  readonly verb: string;
  readonly path: string;
}

/** Either sort. */
export type RequestInfo = ResourceInfo | PathInfo;

/** Parts of a namespace object that look like resources in it. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

/** Reads a request. Throws BadRequest for a path that cannot be decoded, MethodNotAllowed for a method without a verb. */
export function requestInfo(request: Pick<Request, 'method' | 'path' | 'query'>): RequestInfo {
  const segments = request.path.split('/').filter((segment) => segment !== '');
  const [root] = segments;
  const core = root === 'api';
  const rest = segments.slice(core ? 2 : 3);
  if ((!core && root !== 'apis') || rest.length === 0)
    return { kind: 'path', verb: request.method.toLowerCase(), path: request.path };
  const [group, version] = core ? ['', segments[1]] : [segments[1], segments[2]];
  const watched = isWatchPath(request, rest);
  const place = placeOf(watched ? rest.slice(1) : rest);
  // Field by field: every request passes here, and spreading a place took as long as the rest of it.
  return {
    kind: 'resource',
    verb: watched ? 'watch' : verbOf(request, place),
    group: group ?? '',
    version: version ?? '',
    resource: place.resource,
    subresource: place.subresource,
    namespace: place.namespace,
    name: place.name,
    selectedName: place.name === undefined ? selectedName(request.query) : undefined,
    rest: place.rest,
  };
}

function selectedName(query: URLSearchParams): string | undefined {
  const selector = query.get('fieldSelector');
  if (!selector) return undefined;
  try {
    return requiredValue(parseFieldSelector(selector), 'metadata.name');
  } catch {
    // Whoever may ask at all is told by the handler what is wrong with the selector.
    return undefined;
  }
}

/** Below `watch/` is the older way to ask for a watch, and the only one that names its object on the path. */
function isWatchPath({ method }: Pick<Request, 'method'>, segments: readonly string[]): boolean {
  return segments[0] === 'watch' && segments.length > 1 && (method === 'GET' || method === 'HEAD');
}

type Place = Pick<ResourceInfo, 'namespace' | 'resource' | 'name' | 'subresource' | 'rest'>;

function placeOf(segments: readonly string[]): Place {
  const [first = '', second, third] = segments;
  const inNamespace =
    first === 'namespaces' && third !== undefined && !NAMESPACE_SUBRESOURCES.has(third);
  const [resource = '', name, subresource, ...rest] = inNamespace ? segments.slice(2) : segments;
  const namespace = first === 'namespaces' ? (second ?? '') : '';
  return { namespace, resource, name, subresource, rest };
}

function verbOf(request: Pick<Request, 'method' | 'query'>, place: Place): Verb {
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      if (place.name !== undefined) return 'get';
      return isTrue(request.query.get('watch')) ? 'watch' : 'list';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return place.name === undefined ? 'deletecollection' : 'delete';
    case 'OPTIONS':
      // Passed on; only rules for all verbs allow it, as upstream.
      if (place.subresource === 'proxy') return 'options';
      throw methodNotAllowed();
  }
}
