// What kinds a server has, asked of the server, and how people name them: `po`, `deploy`, `deployments.v1.apps`.
// Invariant: a group that cannot be read hides no other group; what was found is used, what failed is told.
import type { KindRef } from '../../api/kind-ref.ts';
import { apiVersionOf } from '../../api/kind-ref.ts';
import type { Transport } from '../transport/transport.ts';

/** A resource as a server lists it. */
export interface DiscoveredResource {
  readonly ref: KindRef;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  /** Is this the version that the server prefers for the group? */
  readonly preferred: boolean;
  /** Names of its subresources, e.g. `status`, `log`. */
  readonly subresources: readonly string[];
}

/** What a server has. */
export interface Discovery {
  readonly resources: readonly DiscoveredResource[];
  /** Group versions that could not be read, and why. */
  readonly failures: readonly { readonly groupVersion: string; readonly error: Error }[];
}

interface GroupList {
  groups?: {
    name: string;
    versions: { version: string }[];
    preferredVersion?: { version: string };
  }[];
}

interface ResourceList {
  resources?: {
    name: string;
    singularName?: string;
    kind: string;
    namespaced: boolean;
    shortNames?: string[];
    categories?: string[];
    verbs?: string[];
  }[];
}

/** A version of a group. */
export interface GroupVersion {
  readonly group: string;
  readonly version: string;
  /** Is it the one that the server prefers for the group? */
  readonly preferred: boolean;
}

/** Asks the server for everything it has. Throws when not even the list of groups can be read. */
export async function discover(transport: Transport, signal?: AbortSignal): Promise<Discovery> {
  const groupVersions = await groupVersionsOf(transport, signal);
  const settled = await Promise.allSettled(
    groupVersions.map((each) => resourcesOfVersion(transport, each, signal)),
  );
  const resources: DiscoveredResource[] = [];
  const failures: { groupVersion: string; error: Error }[] = [];
  for (const [at, result] of settled.entries()) {
    if (result.status === 'fulfilled') resources.push(...result.value);
    else
      failures.push({
        groupVersion: apiVersionOf(groupVersions[at] as GroupVersion),
        error: result.reason as Error,
      });
  }
  return { resources, failures };
}

/** The resource of that kind. */
export function resourceOfKind(
  discovery: Discovery,
  apiVersion: string,
  kind: string,
): DiscoveredResource | undefined {
  return discovery.resources.find(
    ({ ref }) => ref.kind === kind && apiVersionOf(ref) === apiVersion,
  );
}

/**
 * The resource that a person means by `name`: plural, singular, short name or kind, in any case, with
 * `.group` or `.version.group` behind it where that is needed. Where several groups have the name, the core
 * group comes first, then the server's order.
 */
export function resourceNamed(discovery: Discovery, name: string): DiscoveredResource | undefined {
  const wanted = name.toLowerCase();
  const dot = wanted.indexOf('.');
  const bare = dot < 0 ? wanted : wanted.slice(0, dot);
  const rest = dot < 0 ? undefined : wanted.slice(dot + 1);
  const named = discovery.resources.filter(
    (each) => answersTo(each, bare) && (rest === undefined || isWithin(each.ref, rest)),
  );
  const preferred = named.filter((each) => each.preferred);
  const [first, ...others] = preferred.length > 0 ? preferred : named;
  return others.find(({ ref }) => ref.group === '' && first?.ref.group !== '') ?? first;
}

/** The resources of a category such as `all`, in the preferred versions. */
export function resourcesInCategory(
  discovery: Discovery,
  category: string,
): readonly DiscoveredResource[] {
  return discovery.resources.filter(
    (each) => each.preferred && each.categories.includes(category.toLowerCase()),
  );
}

/** How clients write a resource in front of a name: `pod`, `deployment.apps`. */
export function qualifiedName({ ref, singular }: DiscoveredResource): string {
  return ref.group === '' ? singular : `${singular}.${ref.group}`;
}

function answersTo(resource: DiscoveredResource, name: string): boolean {
  const { ref, singular, shortNames } = resource;
  return (
    ref.plural === name ||
    singular === name ||
    ref.kind.toLowerCase() === name ||
    shortNames.includes(name)
  );
}

/** Is the kind of that `group`, or `version.group`? */
function isWithin(ref: KindRef, rest: string): boolean {
  return ref.group === rest || `${ref.version}.${ref.group}` === rest || isCore(ref, rest);
}

const isCore = (ref: KindRef, rest: string): boolean => ref.group === '' && ref.version === rest;

async function groupVersionsOf(
  transport: Transport,
  signal: AbortSignal | undefined,
): Promise<readonly GroupVersion[]> {
  const [core, named] = await Promise.all([
    transport.request({ method: 'GET', path: '/api', signal }),
    transport.request({ method: 'GET', path: '/apis', signal }),
  ]);
  const { versions = [] } = core.object() as { versions?: string[] };
  const { groups = [] } = named.object() as GroupList;
  return [
    ...versions.map((version, at) => ({ group: '', version, preferred: at === 0 })),
    ...groups.flatMap((group) =>
      group.versions.map(({ version }) => ({
        group: group.name,
        version,
        preferred: version === (group.preferredVersion ?? group.versions[0])?.version,
      })),
    ),
  ];
}

/** The resources of one version of a group. Throws when the server does not have it. */
export async function resourcesOfVersion(
  transport: Transport,
  { group, version, preferred }: GroupVersion,
  signal?: AbortSignal,
): Promise<DiscoveredResource[]> {
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const reply = await transport.request({ method: 'GET', path, signal });
  const { resources = [] } = reply.object() as ResourceList;
  return resources
    .filter(({ name }) => !name.includes('/'))
    .map((resource) => ({
      ref: {
        group,
        version,
        kind: resource.kind,
        plural: resource.name,
        namespaced: resource.namespaced,
      },
      singular: resource.singularName || resource.kind.toLowerCase(),
      shortNames: resource.shortNames ?? [],
      categories: resource.categories ?? [],
      verbs: resource.verbs ?? [],
      preferred,
      subresources: resources
        .filter(({ name }) => name.startsWith(`${resource.name}/`))
        .map(({ name }) => name.slice(resource.name.length + 1)),
    }));
}
