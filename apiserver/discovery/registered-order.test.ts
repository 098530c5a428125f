// The order of groups and versions in discovery.
import { expect, it } from 'vitest';
import type { GroupResources } from './resource-lists.ts';
import { inOrder, type RegisteredVersion } from './registered-order.ts';

const own = (group: string, ...versions: string[]): GroupResources => ({
  group,
  versions: versions.map((version) => ({ version, resources: [] })),
});
const at = (name: string, priorities: [number, number], remote = false): RegisteredVersion => {
  const [group = '', version = ''] = name.split('/');
  const [groupPriority, versionPriority] = priorities;
  const documents = { freshness: 'Current', resources: [], openApiV3Url: undefined } as const;
  return { group, version, groupPriority, versionPriority, remote: remote ? documents : undefined };
};
const shown = (groups: readonly GroupResources[]) =>
  groups.flatMap(({ group, versions }) =>
    versions.map(({ version, remote }) => `${group}/${version}${remote ? ' elsewhere' : ''}`),
  );

it('is by priority of groups, the registration first, those of custom resources as one below all built-in ones', () => {
  const groups = [own('zoo', 'v1'), own('apps', 'v1'), own('apiregistration.k8s.io', 'v1')];
  const registered = [
    at('apps/v1', [17_800, 15]),
    at('mine/v1', [2_000, 10], true),
    at('yours/v1', [100, 10], true),
    at('also/v1', [2_000, 10], true),
  ];
  expect(shown(inOrder(groups, registered))).toEqual([
    'apiregistration.k8s.io/v1',
    'apps/v1',
    'also/v1 elsewhere',
    'mine/v1 elsewhere',
    'zoo/v1',
    'yours/v1 elsewhere',
  ]);
});

it('is by priority of versions, then as versions go; the highest of a group counts for the group', () => {
  const registered = [
    at('a/v1beta1', [10, 20], true),
    at('a/v1', [10, 10], true),
    at('a/v2', [5_000, 10], true),
    at('b/v1', [20, 1], true),
  ];
  expect(shown(inOrder([], registered))).toEqual([
    'a/v1beta1 elsewhere',
    'a/v2 elsewhere',
    'a/v1 elsewhere',
    'b/v1 elsewhere',
  ]);
});

it('puts another server’s version in the place of this server’s own', () => {
  const groups = [own('metrics.k8s.io', 'v1beta1')];
  expect(shown(inOrder(groups, [at('metrics.k8s.io/v1beta1', [100, 100], true)]))).toEqual([
    'metrics.k8s.io/v1beta1 elsewhere',
  ]);
});
