// Nodes keep pods away by taints that the pods do not tolerate; soft taints only put them off.
import { type FilterPlugin, MAX_SCORE, type ScorePlugin } from '../framework/plugin.ts';
import { tolerates } from './tolerations.ts';

/** The filter. */
export const taintsTolerations: FilterPlugin = {
  name: 'TaintToleration',
  filter({ pod }, { node }) {
    const taint = node.spec?.taints?.find(
      (each) => each.effect !== 'PreferNoSchedule' && !tolerates(pod.spec?.tolerations, each),
    );
    return taint ? [`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`] : [];
  },
};

/** The score: the fewer soft taints that the pod does not tolerate, the better. */
export const preferUntainted: ScorePlugin = {
  name: 'TaintToleration',
  weight: 3,
  score({ pod }, { node }) {
    const avoided = (node.spec?.taints ?? []).filter(
      (each) => each.effect === 'PreferNoSchedule' && !tolerates(pod.spec?.tolerations, each),
    );
    return MAX_SCORE / (1 + avoided.length);
  },
};
