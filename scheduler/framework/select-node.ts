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

/** As many nodes that fit are always looked for, if there are as many. */
const MIN_SCORED = 100;
/** Of many nodes a share is enough: half, less 1 % for every 125 nodes, but never less than this percentage. */
const MIN_PERCENT = 5;

/** How many nodes that fit are enough to choose from; upstream's rule, which keeps large clusters quick. */
export function enoughNodes(nodes: number): number {
  const percent = Math.max(MIN_PERCENT, 50 - Math.floor(nodes / 125));
  return Math.min(nodes, Math.max(MIN_SCORED, Math.floor((nodes * percent) / 100)));
}

/** How a search is made. `from` is where it begins, so that every node has its turn. */
export interface Search {
  readonly profile: Profile;
  readonly random: Random;
  readonly from: number;
}

/** Why a node will not do: the reasons of the first filter that refuses it; none where it will do. */
export function refusals(
  candidate: Candidate,
  node: NodeInfo,
  { filters }: Pick<Profile, 'filters'>,
): readonly string[] {
  for (const plugin of filters) {
    const reasons = plugin.filter(candidate, node);
    if (reasons.length > 0) return reasons;
  }
  return [];
}

/** The best node, one of the best where several are, or why there is none; and how many nodes were looked at. */
export function selectNode(
  candidate: Candidate,
  nodes: readonly NodeInfo[],
  at: Search,
): Selection & { readonly looked: number } {
  const reasons = new Map<string, number>();
  const fitting: NodeInfo[] = [];
  const enough = enoughNodes(nodes.length);
  let looked = 0;
  for (; looked < nodes.length && fitting.length < enough; looked++) {
    const node = nodes[(at.from + looked) % nodes.length] as NodeInfo;
    const refused = refusals(candidate, node, at.profile);
    for (const reason of new Set(refused)) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    if (refused.length === 0) fitting.push(node);
  }
  if (fitting.length === 0) return { kind: 'none', message: explain(looked, reasons), looked };
  return { kind: 'node', name: best(candidate, fitting, at), looked };
}

function best(
  candidate: Candidate,
  nodes: readonly NodeInfo[],
  { profile, random }: Search,
): string {
  let top = Number.NEGATIVE_INFINITY;
  let chosen = '';
  let ties = 0;
  for (const node of nodes) {
    const score = profile.scores.reduce(
      (sum, plugin) => sum + plugin.weight * plugin.score(candidate, node),
      0,
    );
    if (score < top) continue;
    // Of equals each is chosen with the same chance.
    ties = score === top ? ties + 1 : 1;
    if (random.next() * ties >= 1) continue;
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
