// A node that takes no new pods, unless the pod tolerates that (spec.unschedulable, kubectl cordon).
import type { FilterPlugin } from '../framework/plugin.ts';
import { tolerates } from './tolerations.ts';

const TAINT = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

/** The plugin. */
export const nodeUnschedulable: FilterPlugin = {
  name: 'NodeUnschedulable',
  filter({ pod }, { node }) {
    if (!node.spec?.unschedulable || tolerates(pod.spec?.tolerations, TAINT)) return [];
    return ['node(s) were unschedulable'];
  },
};
