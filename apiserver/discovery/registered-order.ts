// The order of groups and versions in discovery, which clients resolve ambiguous names by, and the place of those that other
// servers answer for. Pure. Rules are upstream's: groups by their highest groupPriorityMinimum, versions by versionPriority, then
// as versions go (v2, v1, v1beta1); the group of the registration itself comes first.
import { compareVersions } from '../../api/meta/version-order.ts';
import type { GroupResources, RemoteResources, VersionResources } from './resource-lists.ts';

/** A group and version that is registered. */
export interface RegisteredVersion {
  readonly group: string;
  readonly version: string;
  readonly groupPriority: number;
  readonly versionPriority: number;
  /** Set where another server answers for it. */
  readonly remote: RemoteResources | undefined;
}

/** Of groups that are not registered yet: as those of custom resources upstream. */
const OTHER_GROUP = 1_000;
const OTHER_VERSION = 100;
const FIRST_GROUP = 'apiregistration.k8s.io';

/** The groups in order, with those of other servers in the place of this server's own. */
export function inOrder(
  own: readonly GroupResources[],
  registered: readonly RegisteredVersion[],
): GroupResources[] {
  const known = new Map(registered.map((each) => [nameOf(each.group, each.version), each]));
  const groups = new Map(own.map(({ group, versions }) => [group, [...versions]]));
  for (const { group, version, remote } of registered) {
    if (!remote) continue;
    const others = (groups.get(group) ?? []).filter((each) => each.version !== version);
    groups.set(group, [...others, { version, resources: [], remote }]);
  }
  const priority = (group: string, versions: readonly VersionResources[]) =>
    group === FIRST_GROUP
      ? Infinity
      : Math.max(
          ...versions.map(
            ({ version }) => known.get(nameOf(group, version))?.groupPriority ?? OTHER_GROUP,
          ),
        );
  const ranked = [...groups].map(([group, versions]) => ({
    group,
    rank: priority(group, versions),
    versions: versions.toSorted((a, b) => {
      const [one, other] = [a, b].map(
        ({ version }) => known.get(nameOf(group, version))?.versionPriority ?? OTHER_VERSION,
      ) as [number, number];
      return other - one || compareVersions(a.version, b.version);
    }),
  }));
  return ranked
    .toSorted((a, b) => (a.rank === b.rank ? (a.group < b.group ? -1 : 1) : b.rank - a.rank))
    .map(({ group, versions }) => ({ group, versions }));
}

const nameOf = (group: string, version: string): string => `${group}/${version}`;
