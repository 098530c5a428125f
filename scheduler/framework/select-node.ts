// Chooses a node: all filters, then all scores. Pure but for the choice among equals.
import type { Random } from '../../base/random.ts';
import type { NodeInfo } from '../snapshot/node-info.ts';
import type { Candidate, FilterPlugin, ScorePlugin } from './plugin.ts';

/** What a search came to. */
export type Selection =
  | { readonly kind: 'node'; readonly name: string }
  | { readonly kind: 'none'; readonly message: string };

/** The plugins of a profile. */
export interface Profile {
  readonly filters: readonly FilterPlugin[];
  readonly scores: readonly ScorePlugin[];
}

/** Nodes that fit are scored up to this many (upstream's numFeasibleNodesToFind keeps big clusters quick). */
const MAX_SCORED = 100;

/** The best node, one of the best where several are; or why there is none. */
export function selectNode(
  candidate: Candidate,
  nodes: Iterable<NodeInfo>,
  at: { profile: Profile; random: Random },
): Selection {
  const reasons = new Map<string, number>();
  const fitting: NodeInfo[] = [];
  let count = 0;
  for (const node of nodes) {
    count += 1;
    const refused = at.profile.filters.flatMap((plugin) => plugin.filter(candidate, node));
    for (const reason of new Set(refused)) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    if (refused.length === 0) fitting.push(node);
    if (fitting.length >= MAX_SCORED) break;
  }
  if (fitting.length === 0) return { kind: 'none', message: explain(count, reasons) };
  return { kind: 'node', name: best(candidate, fitting, at) };
}

function best(
  candidate: Candidate,
  nodes: readonly NodeInfo[],
  { profile, random }: { profile: Profile; random: Random },
): string {
  let top = Number.NEGATIVE_INFINITY;
  let chosen = '';
  let ties = 0;
  for (const node of nodes) {
    const score = profile.scores.reduce(
      (sum, plugin) => sum + plugin.weight * plugin.score(candidate, node),
      0,
    );
    ties = score === top ? ties + 1 : 1;
    if (score < top || (score === top && random.next() >= 1 / ties)) continue;
    top = score;
    chosen = node.node.metadata.name ?? '';
  }
  return chosen;
}

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't match …` as upstream says it. */
function explain(count: number, reasons: ReadonlyMap<string, number>): string {
  if (count === 0) return 'no nodes available to schedule pods';
  const parts = [...reasons].map(([reason, nodes]) => `${nodes} ${reason}`).sort();
  return `0/${count} nodes are available: ${parts.join(', ')}.`;
}
