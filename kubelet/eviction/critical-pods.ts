// Which pods a node lives by: those that are never evicted, and for which others make room. Pure.
// Invariant: a static pod is known by where it came from, as no API server asks for it.
import type { Pod } from '../../api/generated/types.ts';

/** Priorities from here on are those of the system (class system-cluster-critical). */
export const SYSTEM_CRITICAL_PRIORITY = 2_000_000_000;
/** Annotation of upstream's kubelets: where a pod came from. */
export const CONFIG_SOURCE = 'kubernetes.io/config.source';
/** Annotation of the API server's copy of a static pod. */
export const CONFIG_MIRROR = 'kubernetes.io/config.mirror';

/** Did the node find the pod in a file, rather than in the API? */
export const isStaticPod = (pod: Pod): boolean =>
  pod.metadata.annotations?.[CONFIG_SOURCE] === 'file' && !isMirrorPod(pod);

/** Is it the API's copy of a static pod? */
export function isMirrorPod({ metadata }: Pod): boolean {
  return metadata.annotations?.[CONFIG_MIRROR] !== undefined;
}

/** Does the node, or the cluster, live by it? */
export const isCriticalPod = (pod: Pod): boolean =>
  isStaticPod(pod) || isMirrorPod(pod) || (pod.spec?.priority ?? 0) >= SYSTEM_CRITICAL_PRIORITY;
