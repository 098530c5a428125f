// A pod's nodeSelector and required node affinity; preferred affinity scores.
import type { Node } from '../../api/generated/types.ts';
import {
  fitsNode,
  isEmptyTerm,
  matchesTerm,
  type NodeIdentity,
} from '../../api/meta/node-affinity.ts';
import { type FilterPlugin, MAX_SCORE, type ScorePlugin } from '../framework/plugin.ts';

/** The filter. */
export const nodeAffinity: FilterPlugin = {
  name: 'NodeAffinity',
  filter: ({ pod }, { node }) =>
    fitsNode(pod, identityOf(node)) ? [] : ["node(s) didn't match Pod's node affinity/selector"],
};

/** The score. A preference that says nothing, or is not there at all, counts for nothing. */
export const preferredNodeAffinity: ScorePlugin = {
  name: 'NodeAffinity',
  weight: 2,
  score({ pod }, { node }) {
    const identity = identityOf(node);
    const preferred =
      pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    const terms = preferred.filter(({ preference }) => !isEmptyTerm(preference));
    const all = terms.reduce((sum, { weight }) => sum + weight, 0);
    const met = terms
      .filter(({ preference }) => matchesTerm(preference, identity))
      .reduce((sum, { weight }) => sum + weight, 0);
    return all === 0 ? 0 : (MAX_SCORE * met) / all;
  },
};

function identityOf({ metadata }: Node): NodeIdentity {
  return { name: metadata.name ?? '', labels: metadata.labels ?? {} };
}
