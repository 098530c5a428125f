// Which pods go first when a ReplicaSet shrinks: those that serve least are ranked first. Pure.
// The order is upstream's: unassigned, pending, not ready, cheap, crowded, newly ready, often restarted, new.
import { table } from '../../base/table.ts';
import type { Pod } from '../../api/generated/types.ts';
import { parseTime } from '../../api/meta/time.ts';
import { isPodReady, readySinceMs } from '../framework/pod-state.ts';

/** The annotation by which users say which pods are cheap to lose (Kubernetes docs: Pod deletion cost). */
export const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

const PHASES: Readonly<Record<string, number>> = table({ Pending: 0, Unknown: 1, Running: 2 });

/** What the order needs besides the pods. */
export interface OrderFacts {
  readonly nowMs: number;
  /** How many pods of the same workload share the pod's node. */
  crowding(pod: Pod): number;
}

/** The pods in the order in which they are to go. */
export function deletionOrder(pods: readonly Pod[], facts: OrderFacts): Pod[] {
  return pods
    .map((pod) => ({ pod, rank: rankOf(pod, facts) }))
    .sort((a, b) => compareRanks(a.rank, b.rank))
    .map(({ pod }) => pod);
}

/** Figures by which pods are compared one after another, the smaller going first; the uid decides at last. */
type Rank = readonly [figures: readonly number[], uid: string];

function rankOf(pod: Pod, facts: OrderFacts): Rank {
  const ready = isPodReady(pod);
  const figures = [
    pod.spec?.nodeName ? 1 : 0,
    PHASES[pod.status?.phase ?? 'Pending'] ?? 0,
    ready ? 1 : 0,
    costOf(pod),
    -facts.crowding(pod),
    ready ? ageRank(readySinceMs(pod), facts.nowMs) : 0,
    -maxRestarts(pod),
    ageRank(parseTime(pod.metadata.creationTimestamp), facts.nowMs),
  ];
  return [figures, pod.metadata.uid ?? ''];
}

function compareRanks(a: Rank, b: Rank): number {
  for (const [at, figure] of a[0].entries()) {
    const other = b[0][at] ?? 0;
    if (figure !== other) return figure - other;
  }
  return a[1] < b[1] ? -1 : 1;
}

/** Ages count by powers of two, so that of pods of about one age any may go; no age at all goes first. */
function ageRank(sinceMs: number | undefined, nowMs: number): number {
  if (sinceMs === undefined) return -2;
  const age = nowMs - sinceMs;
  return age > 0 ? Math.floor(Math.log2(age * 1e6)) : -1;
}

/** A cost that is no whole number in 32 bits counts as none. */
function costOf(pod: Pod): number {
  const text = pod.metadata.annotations?.[DELETION_COST];
  if (text === undefined || !/^(0|-?[1-9]\d*)$/.test(text)) return 0;
  const cost = Number(text);
  return Math.abs(cost) <= 2 ** 31 - 1 ? cost : 0;
}

function maxRestarts(pod: Pod): number {
  const statuses = [
    ...(pod.status?.containerStatuses ?? []),
    ...(pod.status?.initContainerStatuses ?? []),
  ];
  return statuses.reduce((most, status) => Math.max(most, status.restartCount), 0);
}
