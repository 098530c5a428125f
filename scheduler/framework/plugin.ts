// What filters and scores are. Pure: a pod and a node's state in, a verdict out.
import type { Pod } from '../../api/generated/types.ts';
import type { NodeInfo, PodDemand } from '../snapshot/node-info.ts';
import type { VolumeNeeds } from '../volumes/volume-needs.ts';

/** A pod that looks for a node, with what is worked out about it once. */
export interface Candidate {
  readonly pod: Pod;
  readonly demand: PodDemand;
  /** What its claims ask for; nothing unless given. */
  readonly volumes?: VolumeNeeds;
}

/** Refuses nodes. Answers every reason, in upstream's words, or none. */
export interface FilterPlugin {
  readonly name: string;
  filter(candidate: Candidate, node: NodeInfo): readonly string[];
}

/** Prefers nodes: 0 to 100, times its weight. */
export interface ScorePlugin {
  readonly name: string;
  readonly weight: number;
  score(candidate: Candidate, node: NodeInfo): number;
}

/** The best score of a plugin. */
export const MAX_SCORE = 100;
