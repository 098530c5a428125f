// Which pods make room for one that the node or the cluster lives by. Pure; the choice is upstream's: as few as will do, pods that
// asked for nothing before those that asked for something, those before guaranteed ones.
// Invariant: a pod gives way only to one that is critical while it is not, or that has the higher priority.
import type { Pod } from '../../api/generated/types.ts';
import { type QosClass, qosClassOf } from '../../api/meta/pod-resources.ts';
import { isCriticalPod, isMirrorPod, isStaticPod } from '../eviction/critical-pods.ts';
import { requestOf } from './node-resources.ts';

/** What is missing of a resource. */
export interface Need {
  readonly resource: string;
  readonly amount: number;
}

/** Pods whose end gives what is needed, or those needs that cannot be met. */
export type Preemption =
  | { readonly kind: 'pods'; readonly pods: readonly Pod[] }
  | { readonly kind: 'never'; readonly unmet: readonly Need[] };

/** Chooses among the pods. */
export function choosePreempted(
  pod: Pod,
  others: readonly Pod[],
  needs: readonly Need[],
): Preemption {
  const of = (qos: QosClass) =>
    others.filter(
      (other) => mayPreempt(pod, other) && other.spec && qosClassOf(other.spec) === qos,
    );
  const [bestEffort, burstable, guaranteed] = [of('BestEffort'), of('Burstable'), of('Guaranteed')];
  const unmet = less(needs, [...bestEffort, ...burstable, ...guaranteed]);
  if (unmet.length > 0) return { kind: 'never', unmet };
  const dear = nearest(guaranteed, less(needs, [...bestEffort, ...burstable]));
  const middling = nearest(burstable, less(needs, [...bestEffort, ...dear]));
  const cheap = nearest(bestEffort, less(needs, [...middling, ...dear]));
  return { kind: 'pods', pods: [...cheap, ...middling, ...dear] };
}

function mayPreempt(pod: Pod, other: Pod): boolean {
  if (isCriticalPod(pod) && !isCriticalPod(other)) return true;
  // Whoever comes from a file says nothing of its priority.
  if (isStaticPod(other) || isMirrorPod(other)) return false;
  return (pod.spec?.priority ?? 0) > (other.spec?.priority ?? 0);
}

/** What is still needed once those pods have gone. */
function less(needs: readonly Need[], gone: readonly Pod[]): Need[] {
  return needs
    .map(({ resource, amount }) => ({
      resource,
      amount: gone.reduce((left, pod) => left - requestOf(pod, resource), amount),
    }))
    .filter(({ amount }) => amount > 0);
}

/** One after the other the pod that comes nearest to what is left; they are enough, which was seen to before. */
function nearest(pods: readonly Pod[], needs: readonly Need[]): Pod[] {
  const chosen: Pod[] = [];
  let left = needs;
  while (left.length > 0) {
    const now = left;
    const [best] = pods
      .filter((pod) => !chosen.includes(pod))
      .toSorted((a, b) => distance(a, now) - distance(b, now) || size(a, b));
    if (!best) break;
    chosen.push(best);
    left = less(left, [best]);
  }
  return chosen;
}

/** Each need weighs the same, whatever its unit. */
const distance = (pod: Pod, needs: readonly Need[]): number =>
  needs.reduce((sum, { resource, amount }) => {
    const missing = Math.max(0, amount - requestOf(pod, resource));
    return sum + (missing / amount) ** 2;
  }, 0);

const size = (a: Pod, b: Pod): number =>
  requestOf(a, 'memory') - requestOf(b, 'memory') || requestOf(a, 'cpu') - requestOf(b, 'cpu');
