// A node that takes no new pods, unless the pod tolerates that (spec.unschedulable, kubectl cordon).
import { untolerated } from '../../api/meta/tolerations.ts';
import type { FilterPlugin } from '../framework/plugin.ts';

const TAINTS = [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }];

/** The plugin. */
export const nodeUnschedulable: FilterPlugin = {
  name: 'NodeUnschedulable',
  filter({ pod }, { node }) {
    if (!node.spec?.unschedulable) return [];
    const refused = untolerated(TAINTS, pod.spec?.tolerations).length > 0;
    return refused ? ['node(s) were unschedulable'] : [];
  },
};
