// What another server says of its kinds, in whichever form it speaks, as one entry of the aggregated document. Pure.
// Invariant: only entries of the asked form get through; what is none of it throws, and nothing of it is used.
import { apiVersionOf } from '../../../api/kind-ref.ts';

/** Media types that ask for the aggregated document, newest first, plain JSON last. */
export const DISCOVERY_ACCEPT = ['v2', 'v2beta1']
  .map((v) => `application/json;g=apidiscovery.k8s.io;v=${v};as=APIGroupDiscoveryList`)
  .concat('application/json')
  .join(',');

/** A resource as aggregated discovery has it. */
export interface DiscoveredResource {
  readonly resource: string;
  readonly responseKind?: KindName | undefined;
  readonly scope: string;
  readonly singularResource: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly {
    readonly subresource: string;
    readonly responseKind?: KindName | undefined;
    readonly verbs: readonly string[];
  }[];
}

interface KindName {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** The group and version that are looked for. */
export interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * The resources in an answer to `/apis`; undefined where the answer is not the aggregated document, or is one without the group
 * and version. Throws an Error for a document that is broken.
 */
export function fromAggregated(
  answer: unknown,
  { group, version }: GroupVersion,
): readonly DiscoveredResource[] | undefined {
  const document = mapOf(answer, 'the answer');
  if (document['kind'] !== 'APIGroupDiscoveryList') return undefined;
  const groups = listOf(document['items'], 'items').map((item) => mapOf(item, 'items'));
  const own = groups.find(({ metadata }) => mapOf(metadata, 'metadata')['name'] === group);
  const versions = listOf(own?.['versions'], 'versions').map((each) => mapOf(each, 'versions'));
  const found = versions.find((each) => each['version'] === version);
  return found && listOf(found['resources'], 'resources').map(resourceOf);
}

function resourceOf(value: unknown): DiscoveredResource {
  const entry = mapOf(value, 'resources');
  return {
    resource: textOf(entry['resource'], 'resource'),
    responseKind: kindOf(entry['responseKind']),
    scope: textOf(entry['scope'], 'scope'),
    singularResource: textOf(entry['singularResource'] ?? '', 'singularResource'),
    verbs: textsOf(entry['verbs'], 'verbs'),
    ...namesIn(entry),
    ...subresourcesIn(entry),
  };
}

function subresourcesIn(entry: Json): Pick<DiscoveredResource, 'subresources'> {
  const found = listOf(entry['subresources'], 'subresources').map((value) => {
    const sub = mapOf(value, 'subresources');
    return {
      subresource: textOf(sub['subresource'], 'subresource'),
      responseKind: kindOf(sub['responseKind']),
      verbs: textsOf(sub['verbs'], 'verbs'),
    };
  });
  return found.length > 0 ? { subresources: found } : {};
}

function kindOf(value: unknown): KindName | undefined {
  if (value === undefined || value === null) return undefined;
  const { group = '', version = '', kind } = mapOf(value, 'responseKind');
  return {
    group: textOf(group, 'group'),
    version: textOf(version, 'version'),
    kind: textOf(kind, 'kind'),
  };
}

/** The resources in an APIResourceList, the older form. Throws an Error for what is none, or another group's. */
export function fromResourceList(answer: unknown, at: GroupVersion): readonly DiscoveredResource[] {
  const list = mapOf(answer, 'the answer');
  if (list['kind'] !== 'APIResourceList')
    throw new Error(`the answer is no APIResourceList but ${JSON.stringify(list['kind'])}`);
  if (list['groupVersion'] !== apiVersionOf(at))
    throw new Error(`the answer is about ${JSON.stringify(list['groupVersion'])}`);
  const entries = listOf(list['resources'], 'resources').map((each) => mapOf(each, 'resources'));
  const found = new Map<string, DiscoveredResource>();
  for (const entry of entries) {
    const [name = '', subresource] = textOf(entry['name'], 'name').split('/', 2);
    const before = found.get(name) ?? placeholder(name, entry);
    found.set(
      name,
      subresource === undefined
        ? { ...before, ...wholeEntry(entry, at) }
        : withSubresource(before, { subresource, ...answered(entry, at) }),
    );
  }
  return [...found.values()];
}

/** Subresources may stand in the list without what they belong to, as those of metrics do. */
function placeholder(resource: string, entry: Json): DiscoveredResource {
  return { resource, scope: scopeOf(entry), singularResource: '', verbs: [] };
}

const scopeOf = (entry: Json): string => (entry['namespaced'] === true ? 'Namespaced' : 'Cluster');

function wholeEntry(entry: Json, at: GroupVersion): Omit<DiscoveredResource, 'resource'> {
  return {
    ...answered(entry, at),
    scope: scopeOf(entry),
    singularResource: textOf(entry['singularName'] ?? '', 'singularName'),
    ...namesIn(entry),
  };
}

function answered(entry: Json, { group, version }: GroupVersion) {
  const kind = textOf(entry['kind'], 'kind');
  return {
    responseKind: kindOf({
      group: entry['group'] || group,
      version: entry['version'] || version,
      kind,
    }),
    verbs: textsOf(entry['verbs'], 'verbs'),
  };
}

function withSubresource(
  resource: DiscoveredResource,
  added: NonNullable<DiscoveredResource['subresources']>[number],
): DiscoveredResource {
  return { ...resource, subresources: [...(resource.subresources ?? []), added] };
}

function namesIn(entry: Json): Pick<DiscoveredResource, 'categories' | 'shortNames'> {
  const shortNames = textsOf(entry['shortNames'], 'shortNames');
  const categories = textsOf(entry['categories'], 'categories');
  return {
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
  };
}

function mapOf(value: unknown, what: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new Error(`${what} is no object`);
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new Error(`${what} is no list`);
}

function textOf(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw new Error(`${what} is no text`);
}

const textsOf = (value: unknown, what: string): string[] =>
  listOf(value, what).map((each) => textOf(each, what));
