// Spreads pods over nodes (least allocated) or packs them (most allocated), by CPU and memory in equal parts.
import { type Candidate, MAX_SCORE, type ScorePlugin } from '../framework/plugin.ts';
import type { NodeInfo } from '../snapshot/node-info.ts';

const RESOURCES = ['cpu', 'memory'] as const;

/** Prefers nodes with the most left. */
export const leastAllocated: ScorePlugin = {
  name: 'NodeResourcesLeastAllocated',
  weight: 1,
  score: (candidate, node) => MAX_SCORE - usedShare(candidate, node),
};

/** Prefers nodes with the least left: bin packing. */
export const mostAllocated: ScorePlugin = {
  name: 'NodeResourcesMostAllocated',
  weight: 1,
  score: usedShare,
};

/** Percent of CPU and memory that would be taken with the pod there; containers without requests count for something. */
function usedShare({ demand }: Candidate, node: NodeInfo): number {
  let sum = 0;
  for (const resource of RESOURCES) {
    const allocatable = Number(node.allocatable(resource));
    const used = Number(node.weighed(resource) + (demand.weighs.get(resource) ?? 0n));
    sum += allocatable === 0 ? MAX_SCORE : Math.min(MAX_SCORE, (MAX_SCORE * used) / allocatable);
  }
  return sum / RESOURCES.length;
}
