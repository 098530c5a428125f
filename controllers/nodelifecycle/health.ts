// Whether a node still says something: by its Lease, or by its status. Pure.
// Invariant: time is measured on our own clock from when a sign of life was seen, so that no node's clock matters, and
// after a restart of this program every node has its full grace again.
import type { Lease, Node, NodeCondition } from '../../api/generated/types.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { NodeLifecycleOptions } from './options.ts';

/** The last sign of life. */
export interface Health {
  /** When it was seen, on the monotonic clock. */
  readonly seenAtMs: number;
  /** What it was. */
  readonly sign: string;
}

/** The health after a look. */
export function healthAfter(
  before: Health | undefined,
  { node, lease }: { readonly node: Node; readonly lease: Lease | undefined },
  nowMs: number,
): Health {
  const sign = signOf(node, lease);
  return before?.sign === sign ? before : { seenAtMs: nowMs, sign };
}

/** What changes with each sign of life. Our own writing of Unknown is none. */
function signOf(node: Node, lease: Lease | undefined): string {
  const ready = findCondition(node.status?.conditions, 'Ready');
  return JSON.stringify([
    node.metadata.uid,
    lease?.spec?.renewTime ?? '',
    ready?.lastHeartbeatTime ?? '',
    ready?.status === 'Unknown' ? '' : (ready?.status ?? ''),
  ]);
}

/** How long until the node counts as away; 0 when it does. */
export function awayInMs(
  node: Node,
  { seenAtMs }: Health,
  at: { readonly nowMs: number; readonly options: NodeLifecycleOptions },
): number {
  const known = findCondition(node.status?.conditions, 'Ready') !== undefined;
  const grace = known ? at.options.graceMs : at.options.startupGraceMs;
  return Math.max(0, seenAtMs + grace - at.nowMs);
}

/** The conditions that only the node itself can know. */
const TOLD_BY_NODE = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** The conditions of a node that is away: nothing is known any more. The same list where that is said already. */
export function unknownConditions(node: Node, nowMs: number): NodeCondition[] {
  const before = node.status?.conditions ?? [];
  const now = formatTime(nowMs);
  const others = before.filter(({ type }) => !TOLD_BY_NODE.includes(type));
  const unknown = TOLD_BY_NODE.map((type): NodeCondition => {
    const old = findCondition(before, type);
    if (!old)
      return {
        type,
        status: 'Unknown',
        reason: 'NodeStatusNeverUpdated',
        message: 'Kubelet never posted node status.',
        lastHeartbeatTime: node.metadata.creationTimestamp ?? now,
        lastTransitionTime: now,
      };
    if (old.status === 'Unknown') return old;
    return {
      ...old,
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
      lastTransitionTime: now,
    };
  });
  return [...unknown, ...others];
}

/** The status of the Ready condition; undefined where there is none yet. */
export function readiness(node: Node): 'True' | 'False' | 'Unknown' | undefined {
  const status = findCondition(node.status?.conditions, 'Ready')?.status;
  return status === 'True' || status === 'False' || status === 'Unknown' ? status : undefined;
}
