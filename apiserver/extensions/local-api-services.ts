// The APIServices that every cluster has: one for each group and version that this server answers for itself.
// Invariant: they say what discovery says; priorities are upstream's, which clients sort ambiguous short names by.
import { apiVersionOf } from '../../api/kind-ref.ts';
import type { ServedResource } from '../../api/schema/endpoints.ts';

/** Marks what the server keeps by itself, as upstream's aggregator does. */
const AUTOMANAGED = { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' };

/** groupPriorityMinimum by group, from the public listing of a cluster's APIServices. */
const GROUP_PRIORITIES: Readonly<Record<string, number>> = {
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
};
/** Of groups without a number of their own: behind the others, before those of custom resources. */
const OTHER_GROUPS = 15_900;

/** versionPriority of versions that differ from the usual one. */
const VERSION_PRIORITIES: Readonly<Record<string, number>> = {
  v1: 1,
  'events.k8s.io/v1': 5,
  'autoscaling/v2': 30,
  'flowcontrol.apiserver.k8s.io/v1': 21,
  'metrics.k8s.io/v1beta1': 100,
};
const OTHER_VERSIONS = 15;

/** The APIServices of these resources, all available since `now` (RFC 3339). The registration's own group has none. */
export function localApiServices(resources: readonly ServedResource[], now: string): object[] {
  const served = new Map(resources.map(({ ref }) => [apiVersionOf(ref), ref]));
  return [...served.values()]
    .filter(({ group }) => group !== 'apiregistration.k8s.io')
    .map((ref) => ({
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `${ref.version}.${ref.group}`, labels: AUTOMANAGED },
      spec: {
        ...(ref.group === '' ? {} : { group: ref.group }),
        version: ref.version,
        groupPriorityMinimum: GROUP_PRIORITIES[ref.group] ?? OTHER_GROUPS,
        versionPriority: VERSION_PRIORITIES[apiVersionOf(ref)] ?? OTHER_VERSIONS,
      },
      status: {
        conditions: [
          {
            type: 'Available',
            status: 'True',
            lastTransitionTime: now,
            reason: 'Local',
            message: 'Local APIServices are always available',
          },
        ],
      },
    }));
}
