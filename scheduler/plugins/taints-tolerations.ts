// Nodes keep pods away by taints that the pods do not tolerate.
import type { FilterPlugin } from '../framework/plugin.ts';
import { tolerates } from './tolerations.ts';

/** The plugin. */
export const taintsTolerations: FilterPlugin = {
  name: 'TaintToleration',
  filter({ pod }, { node }) {
    const taint = node.spec?.taints?.find(
      (each) => each.effect !== 'PreferNoSchedule' && !tolerates(pod.spec?.tolerations, each),
    );
    return taint ? [`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`] : [];
  },
};
