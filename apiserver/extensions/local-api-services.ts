// The APIServices of what this server answers for itself: one for each group and version.
// Invariant: they say what discovery says; priorities are upstream's, which clients sort ambiguous short names by.
import { table } from '../../base/table.ts';
import type { APIService } from '../../api/generated/types.ts';
import { apiVersionOf, type KindRef } from '../../api/kind-ref.ts';
import type { ServedResource } from '../../api/schema/endpoints.ts';
import { LOCAL } from './aggregation/availability.ts';

/** The label of what the server keeps by itself, as upstream's aggregator does. */
export const AUTOMANAGED = 'kube-aggregator.kubernetes.io/automanaged';
/** Its value on what is there from the start. */
export const KEPT_FROM_START = 'onstart';
/** Its value on what comes and goes with a kind. */
export const KEPT_WITH_KIND = 'true';

/** groupPriorityMinimum by group, from the public listing of a cluster's APIServices. */
const GROUP_PRIORITIES: Readonly<Record<string, number>> = table({
  '': 18_000,
  apps: 17_800,
  'events.k8s.io': 17_750,
  'authentication.k8s.io': 17_700,
  'authorization.k8s.io': 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  'certificates.k8s.io': 17_300,
  'networking.k8s.io': 17_200,
  policy: 17_100,
  'rbac.authorization.k8s.io': 17_000,
  'storage.k8s.io': 16_800,
  'apiextensions.k8s.io': 16_700,
  'admissionregistration.k8s.io': 16_700,
  'scheduling.k8s.io': 16_600,
  'coordination.k8s.io': 16_500,
  'node.k8s.io': 16_300,
  'discovery.k8s.io': 16_200,
  'flowcontrol.apiserver.k8s.io': 16_100,
  'metrics.k8s.io': 100,
  'custom.metrics.k8s.io': 100,
});
/** Of groups without a number of their own: behind the others, before those of custom resources. */
const OTHER_GROUPS = 15_900;

/** versionPriority of versions that differ from the usual one. */
const VERSION_PRIORITIES: Readonly<Record<string, number>> = table({
  v1: 1,
  'events.k8s.io/v1': 5,
  'autoscaling/v2': 30,
  'flowcontrol.apiserver.k8s.io/v1': 21,
  'metrics.k8s.io/v1beta1': 100,
  'custom.metrics.k8s.io/v1beta2': 200,
});
const OTHER_VERSIONS = 15;

/** Priorities of the groups of custom resources, and of their versions: behind all built-in ones, as upstream. */
const CUSTOM = { groupPriorityMinimum: 1_000, versionPriority: 100 };

/** Groups that another server has as a whole once it has a version of them: its figures and this server's would be mixed else. */
const YIELDING: ReadonlySet<string> = new Set([
  'metrics.k8s.io',
  'custom.metrics.k8s.io',
  'external.metrics.k8s.io',
]);

/** The resources that are this server's to answer while other servers have versions of these groups. */
export function notYielded(
  resources: readonly ServedResource[],
  elsewhere: ReadonlySet<string>,
): readonly ServedResource[] {
  return resources.filter(({ ref: { group } }) => !YIELDING.has(group) || !elsewhere.has(group));
}

/** The APIServices of these resources, all available since `now` (RFC 3339). The registration's own group has none. */
export function localApiServices(resources: readonly ServedResource[], now: string): APIService[] {
  return versionsOf(resources)
    .filter(({ group }) => group !== 'apiregistration.k8s.io')
    .map((ref) =>
      apiServiceOf(ref, {
        automanaged: KEPT_FROM_START,
        priorities: {
          groupPriorityMinimum: GROUP_PRIORITIES[ref.group] ?? OTHER_GROUPS,
          versionPriority: VERSION_PRIORITIES[apiVersionOf(ref)] ?? OTHER_VERSIONS,
        },
        now,
      }),
    );
}

/** The APIServices of custom resources, but for groups and versions that the server's `own` resources have already. */
export function customApiServices(
  custom: readonly ServedResource[],
  own: readonly ServedResource[],
  now: string,
): APIService[] {
  const taken = new Set(own.map(({ ref }) => apiVersionOf(ref)));
  return versionsOf(custom)
    .filter((ref) => !taken.has(apiVersionOf(ref)))
    .map((ref) => apiServiceOf(ref, { automanaged: KEPT_WITH_KIND, priorities: CUSTOM, now }));
}

/** One kind of each group and version. */
function versionsOf(resources: readonly ServedResource[]): KindRef[] {
  return [...new Map(resources.map(({ ref }) => [apiVersionOf(ref), ref])).values()];
}

interface Registration {
  readonly automanaged: string;
  readonly priorities: { groupPriorityMinimum: number; versionPriority: number };
  readonly now: string;
}

function apiServiceOf(
  { group, version }: KindRef,
  { automanaged, priorities, now }: Registration,
): APIService {
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: `${version}.${group}`, labels: { [AUTOMANAGED]: automanaged } },
    spec: { ...(group === '' ? {} : { group }), version, ...priorities },
    status: { conditions: [{ ...LOCAL, lastTransitionTime: now }] },
  };
}
