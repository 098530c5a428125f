// Nodes keep pods away by taints that the pods do not tolerate; soft taints only put them off.
import { untolerated } from '../../api/meta/tolerations.ts';
import { type FilterPlugin, MAX_SCORE, type ScorePlugin } from '../framework/plugin.ts';

/** The filter. */
export const taintsTolerations: FilterPlugin = {
  name: 'TaintToleration',
  filter({ pod }, { node }) {
    const taint = untolerated(node.spec?.taints, pod.spec?.tolerations).find(
      ({ effect }) => effect !== 'PreferNoSchedule',
    );
    return taint ? [`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`] : [];
  },
};

/** The score: the fewer soft taints that the pod does not tolerate, the better. */
export const preferUntainted: ScorePlugin = {
  name: 'TaintToleration',
  weight: 3,
  score({ pod }, { node }) {
    const avoided = untolerated(node.spec?.taints, pod.spec?.tolerations).filter(
      ({ effect }) => effect === 'PreferNoSchedule',
    );
    return MAX_SCORE / (1 + avoided.length);
  },
};
