// The taints that follow from what a node says of itself, or no longer says. Pure.
// The keys are upstream's (Kubernetes docs: Taints and Tolerations, Taint based Evictions).
// Invariant: taints that others set are kept; ours are exactly those that hold now.
import type { Node, Taint } from '../../api/generated/types.ts';
import { isConditionTrue } from '../../api/meta/conditions.ts';
import { formatTime } from '../../api/meta/time.ts';
import { readiness } from './health.ts';

const NOT_READY = 'node.kubernetes.io/not-ready';
const UNREACHABLE = 'node.kubernetes.io/unreachable';

/** Taints by condition. */
const PRESSURES: readonly (readonly [condition: string, key: string])[] = [
  ['MemoryPressure', 'node.kubernetes.io/memory-pressure'],
  ['DiskPressure', 'node.kubernetes.io/disk-pressure'],
  ['PIDPressure', 'node.kubernetes.io/pid-pressure'],
  ['NetworkUnavailable', 'node.kubernetes.io/network-unavailable'],
];
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';

const OURS = new Set([
  `${NOT_READY}:NoExecute`,
  `${UNREACHABLE}:NoExecute`,
  ...[NOT_READY, UNREACHABLE, UNSCHEDULABLE, ...PRESSURES.map(([, key]) => key)].map(
    (key) => `${key}:NoSchedule`,
  ),
]);

const idOf = ({ key, effect }: Taint): string => `${key}:${effect}`;

/**
 * The node's taints as they should be; undefined where they are. `mayEvict` is false where no node at all is ready:
 * then it is more likely we who are cut off, and pods that may well run are left alone.
 */
export function nextTaints(
  node: Node,
  at: { readonly mayEvict: boolean; readonly nowMs: number },
): Taint[] | undefined {
  const before = node.spec?.taints ?? [];
  const wanted = wantedTaints(node, at.mayEvict);
  const wantedIds = new Set(wanted.map(idOf));
  const kept = before.filter((taint) => !OURS.has(idOf(taint)) || wantedIds.has(idOf(taint)));
  const keptIds = new Set(kept.map(idOf));
  const added = wanted
    .filter((taint) => !keptIds.has(idOf(taint)))
    .map((taint) => ({ ...taint, timeAdded: formatTime(at.nowMs) }));
  if (added.length === 0 && kept.length === before.length) return undefined;
  return [...kept, ...added];
}

function wantedTaints(node: Node, mayEvict: boolean): Taint[] {
  const taints: Taint[] = [];
  const ready = readiness(node);
  if (ready !== 'True') {
    const key = ready === 'Unknown' ? UNREACHABLE : NOT_READY;
    taints.push({ key, effect: 'NoSchedule' });
    // A node that has said nothing yet has no pods to lose.
    if (mayEvict && ready !== undefined) taints.push({ key, effect: 'NoExecute' });
  }
  for (const [condition, key] of PRESSURES)
    if (isConditionTrue(node.status?.conditions, condition))
      taints.push({ key, effect: 'NoSchedule' });
  if (node.spec?.unschedulable) taints.push({ key: UNSCHEDULABLE, effect: 'NoSchedule' });
  return taints;
}

/** The node's taints that drive pods away. */
export function evictingTaints(node: Node): Taint[] {
  return (node.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute');
}
