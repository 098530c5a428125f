// May the node take a pod that was assigned to it? Pure. The last word after the scheduler's, for pods that came past it.
// Texts and reasons are upstream's.
import type { Pod } from '../../api/generated/types.ts';
import { fitsNode } from '../../api/meta/node-affinity.ts';
import { podRequests } from '../../api/meta/pod-resources.ts';
import { toMilli, toWhole } from '../../api/meta/quantity.ts';
import type { Verdict } from './pod-status.ts';
import type { NodeFacts } from './worker-parts.ts';

/** What an admission rests on. */
export interface AdmissionFacts {
  readonly node: NodeFacts;
  readonly nodeName: string;
  readonly nodeLabels: Readonly<Record<string, string>>;
  /** Pods that take room now, without the one in question. */
  readonly others: readonly Pod[];
}

/** Why the pod is refused; undefined when it is taken. */
export function refusalOf(pod: Pod, facts: AdmissionFacts): Verdict | undefined {
  if (!fitsNode(pod, { name: facts.nodeName, labels: facts.nodeLabels }))
    return refusal(
      'NodeAffinity',
      "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    );
  const { allocatable, maxPods } = facts.node;
  const used = facts.others.map((other) => needs(other));
  const own = needs(pod);
  const sum = (pick: (needs: Needs) => number) => used.reduce((all, each) => all + pick(each), 0);
  return (
    short('pods', { requested: 1, used: used.length, capacity: maxPods }) ??
    short('cpu', {
      requested: own.cpuMillis,
      used: sum((each) => each.cpuMillis),
      capacity: allocatable.cpuMillis,
    }) ??
    short('memory', {
      requested: own.memoryBytes,
      used: sum((each) => each.memoryBytes),
      capacity: allocatable.memoryBytes,
    })
  );
}

interface Needs {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

function needs(pod: Pod): Needs {
  if (!pod.spec) return { cpuMillis: 0, memoryBytes: 0 };
  const { cpu, memory } = podRequests(pod.spec);
  return { cpuMillis: cpu ? toMilli(cpu) : 0, memoryBytes: memory ? toWhole(memory) : 0 };
}

function short(
  resource: string,
  { requested, used, capacity }: { requested: number; used: number; capacity: number },
): Verdict | undefined {
  if (requested === 0 || used + requested <= capacity) return undefined;
  return refusal(
    `OutOf${resource}`,
    `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  );
}

function refusal(reason: string, message: string): Verdict {
  return { reason, message: `Pod was rejected: ${message}` };
}
