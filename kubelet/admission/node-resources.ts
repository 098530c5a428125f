// Has the node room for a pod? What pods ask for against what is allocatable. Pure; reasons and words are upstream's.
// Invariant: one pod more counts as a pod, and a resource that nobody asks for is never short.
import type { Pod } from '../../api/generated/types.ts';
import { podRequests } from '../../api/meta/pod-resources.ts';
import { toMilli, toWhole } from '../../api/meta/quantity.ts';
import type { NodeFacts } from '../pods/worker-parts.ts';

/** A resource of which there is not enough. Amounts are millicores of cpu, and whole units of the rest. */
export interface Shortage {
  readonly resource: string;
  readonly requested: number;
  readonly used: number;
  readonly capacity: number;
}

/** What the node is short of for the pod beside the others; empty when it fits. */
export function shortagesOf(pod: Pod, others: readonly Pod[], node: NodeFacts): Shortage[] {
  const own = pod.spec ? podRequests(pod.spec) : {};
  const pods = { resource: 'pods', requested: 1, used: others.length, capacity: node.maxPods };
  const rest = Object.keys(own).flatMap((resource): Shortage[] => {
    const capacity = allocatableOf(resource, node);
    if (capacity === undefined) return [];
    const requested = requestOf(pod, resource);
    const used = others.reduce((sum, other) => sum + requestOf(other, resource), 0);
    return [{ resource, requested, used, capacity }];
  });
  return [pods, ...rest.toSorted((a, b) => placeOf(a.resource) - placeOf(b.resource))].filter(
    ({ requested, used, capacity }) => requested > 0 && used + requested > capacity,
  );
}

/** What a pod asks for of a resource. */
export function requestOf({ spec }: Pod, resource: string): number {
  if (resource === 'pods') return 1;
  const quantity = spec && podRequests(spec)[resource];
  if (!quantity) return 0;
  return resource === 'cpu' ? toMilli(quantity) : toWhole(quantity);
}

/** In the order in which upstream names them; the first one is told. */
const ORDER = ['cpu', 'memory', 'ephemeral-storage'];
const placeOf = (resource: string): number => (ORDER.indexOf(resource) + 4) % 4;

/** Undefined for what no node counts: the cluster's own resources. */
function allocatableOf(
  resource: string,
  { allocatable, hugePages, extended }: NodeFacts,
): number | undefined {
  switch (resource) {
    case 'cpu':
      return allocatable.cpuMillis;
    case 'memory':
      return allocatable.memoryBytes;
    case 'ephemeral-storage':
      return allocatable.storageBytes;
    default:
      if (resource.startsWith('hugepages-')) return hugePages?.[resource] ?? 0;
      return extended?.()[resource]?.allocatable;
  }
}
