// Discovery documents as values: which groups, versions and resources there are, in both of their
// forms. Invariant: pure; groups and versions keep the order in which they were given, the first
// version is preferred.
import type { ResourceVerb } from '../../api/definition.ts';
import { apiVersionOf } from '../../api/kind-ref.ts';
import type { ServedResource } from '../../api/schema/endpoints.ts';
import type { OpenApiV3Document } from '../../api/schema/openapi-v3.ts';
import { subresourcesOf } from '../../api/schema/endpoints.ts';

/** What another server says of the resources of a group and version that it answers for. */
export interface RemoteResources {
  readonly freshness: 'Current' | 'Stale';
  /** In the form of the aggregated document. */
  readonly resources: readonly object[];
  /** Where its OpenAPI v3 document is; undefined where it has none. */
  readonly openApiV3Url: string | undefined;
  /** That document, where it is made here. */
  readonly openApiV3?: OpenApiV3Document | undefined;
}

/** Resources of one group and version. */
export interface VersionResources {
  readonly version: string;
  readonly resources: readonly ServedResource[];
  /** Set where another server has them; `resources` is empty then. */
  readonly remote?: RemoteResources;
}

/** A group ('' is the core group) with its versions. */
export interface GroupResources {
  readonly group: string;
  readonly versions: readonly VersionResources[];
}

/** A resource as an APIResourceList has it. */
export interface ApiResource {
  name: string;
  singularName: string;
  namespaced: boolean;
  kind: string;
  group?: string;
  version?: string;
  verbs: readonly ResourceVerb[];
  shortNames?: readonly string[];
  categories?: readonly string[];
}

/** Sorts resources into groups and versions. */
export function groupResources(resources: readonly ServedResource[]): GroupResources[] {
  const groups = new Map<string, Map<string, ServedResource[]>>();
  for (const resource of resources) {
    const { group, version } = resource.ref;
    const versions = groups.get(group) ?? new Map<string, ServedResource[]>();
    groups.set(group, versions);
    versions.set(version, [...(versions.get(version) ?? []), resource]);
  }
  return [...groups].map(([group, versions]) => ({
    group,
    versions: [...versions].map(([version, list]) => ({ version, resources: sorted(list) })),
  }));
}

function sorted(resources: readonly ServedResource[]): ServedResource[] {
  return resources.toSorted((a, b) => (a.ref.plural < b.ref.plural ? -1 : 1));
}

/** `/api/v1` and `/apis/<group>/<version>`. */
export function apiResourceList(group: string, { version, resources }: VersionResources): object {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf({ group, version }),
    resources: resources.flatMap((resource) => [
      ...(isThere(resource) ? [apiResource(resource)] : []),
      ...subresourceEntries(resource),
    ]),
  };
}

/** Metrics are parts of resources that their group has not. */
const isThere = ({ ref }: ServedResource): boolean => ref.kind !== '';

function apiResource(resource: ServedResource): ApiResource {
  const { ref, singular, verbs } = resource;
  return {
    name: ref.plural,
    singularName: singular,
    namespaced: ref.namespaced,
    kind: ref.kind,
    verbs,
    ...namesOf(resource),
  };
}

function namesOf({
  shortNames = [],
  categories = [],
}: ServedResource): Pick<ApiResource, 'categories' | 'shortNames'> {
  return {
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
  };
}

function subresourceEntries(resource: ServedResource): ApiResource[] {
  const { ref } = resource;
  return subresourcesOf(resource).map(({ name, kind, group, version, verbs }) => ({
    name: `${ref.plural}/${name}`,
    singularName: '',
    namespaced: ref.namespaced,
    ...(group === undefined ? {} : { group }),
    ...(version === undefined ? {} : { version }),
    kind,
    verbs,
  }));
}

/** One group, as `/apis/<group>` has it. */
export function apiGroup({ group, versions }: GroupResources): object {
  const described = versions.map(({ version }) => ({
    groupVersion: apiVersionOf({ group, version }),
    version,
  }));
  return { name: group, versions: described, preferredVersion: described[0] };
}

/** `/apis`. The core group is not among them. */
export function apiGroupList(groups: readonly GroupResources[]): object {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(apiGroup) };
}

/** `/api`. */
export function apiVersions(core: GroupResources | undefined, serverAddress: string): object {
  return {
    kind: 'APIVersions',
    versions: core?.versions.map(({ version }) => version) ?? [],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  };
}

/**
 * Everything in one document, as current clients ask for it: `/api` or `/apis` by what is passed.
 */
export function aggregated(groups: readonly GroupResources[], apiVersion: string): object {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${apiVersion}`,
    metadata: {},
    items: groups.map(({ group, versions }) => ({
      metadata: { ...(group === '' ? {} : { name: group }), creationTimestamp: null },
      versions: versions.map(({ version, resources, remote }) => ({
        version,
        resources: remote?.resources ?? resources.map(aggregatedResource),
        freshness: remote?.freshness ?? 'Current',
      })),
    })),
  };
}

function aggregatedResource(resource: ServedResource): object {
  const { ref, singular, verbs } = resource;
  const kindOf = (kind: string, group = ref.group, version = ref.version) => ({
    group,
    version,
    kind,
  });
  const subresources = subresourcesOf(resource).map((entry) => ({
    subresource: entry.name,
    responseKind: kindOf(entry.kind, entry.group, entry.version),
    verbs: entry.verbs,
  }));
  return {
    resource: ref.plural,
    ...(isThere(resource) ? { responseKind: kindOf(ref.kind) } : {}),
    scope: ref.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...namesOf(resource),
    ...(subresources.length > 0 ? { subresources } : {}),
  };
}
