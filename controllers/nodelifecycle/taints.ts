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

/** A zone's nodes are held to be cut off, rather than broken, when so many and this share of them are not ready. */
const MANY_NODES = 3;
const MOST_NODES = 0.55;
/** Larger zones go on evicting all the same; upstream does so slowly. */
const SMALL_ZONE_NODES = 50;
const ZONE_LABELS = ['topology.kubernetes.io/region', 'topology.kubernetes.io/zone'];

/** Are pods driven away from nodes that are not ready: yes; only where that began already; or not, and it is taken back? */
export type Eviction = 'goes-on' | 'is-held' | 'is-taken-back';

/**
 * Decides from how all nodes are. Where none is ready it is more likely we who are cut off, and pods that may well run are
 * left alone; where most of a zone are not, no further pods are driven away: the rest could not take them in.
 */
export function evictionFrom(node: Node, nodes: readonly Node[]): Eviction {
  const isReady = (each: Node) => readiness(each) === 'True';
  if (!nodes.some(isReady)) return 'is-taken-back';
  const zoneOf = ({ metadata }: Node) =>
    ZONE_LABELS.map((label) => metadata.labels?.[label]).join();
  const zone = nodes.filter((each) => zoneOf(each) === zoneOf(node));
  const ready = zone.filter(isReady).length;
  const unready = zone.length - ready;
  const isMost = unready >= MANY_NODES && unready / zone.length >= MOST_NODES;
  return isMost && ready > 0 && zone.length <= SMALL_ZONE_NODES ? 'is-held' : 'goes-on';
}

/** The node's taints as they should be; undefined where they are. */
export function nextTaints(
  node: Node,
  at: { readonly eviction: Eviction; readonly nowMs: number },
): Taint[] | undefined {
  const before = node.spec?.taints ?? [];
  const wanted = wantedTaints(node, at.eviction);
  const wantedIds = new Set(wanted.map(idOf));
  const kept = before.filter((taint) => !OURS.has(idOf(taint)) || wantedIds.has(idOf(taint)));
  const keptIds = new Set(kept.map(idOf));
  const added = wanted
    .filter((taint) => !keptIds.has(idOf(taint)))
    .map((taint) => ({ ...taint, timeAdded: formatTime(at.nowMs) }));
  if (added.length === 0 && kept.length === before.length) return undefined;
  return [...kept, ...added];
}

function wantedTaints(node: Node, eviction: Eviction): Taint[] {
  const taints: Taint[] = [];
  const ready = readiness(node);
  if (ready !== 'True') {
    const key = ready === 'Unknown' ? UNREACHABLE : NOT_READY;
    taints.push({ key, effect: 'NoSchedule' });
    // A node that has said nothing yet has no pods to lose.
    const evicts = eviction === 'goes-on' || (eviction === 'is-held' && hasBegun(node));
    if (evicts && ready !== undefined) taints.push({ key, effect: 'NoExecute' });
  }
  for (const [condition, key] of PRESSURES)
    if (isConditionTrue(node.status?.conditions, condition))
      taints.push({ key, effect: 'NoSchedule' });
  if (node.spec?.unschedulable) taints.push({ key: UNSCHEDULABLE, effect: 'NoSchedule' });
  return taints;
}

/** Are pods being driven away from the node already, for it is not ready? */
function hasBegun(node: Node): boolean {
  return evictingTaints(node).some(({ key }) => key === NOT_READY || key === UNREACHABLE);
}

/** The node's taints that drive pods away. */
export function evictingTaints(node: Node): Taint[] {
  return (node.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute');
}
