// Nodes must reach the volumes of a pod's claims, and have some for those claims that are given theirs with the node.
import { type FilterPlugin } from '../framework/plugin.ts';
import type { VolumeBinder } from '../volumes/volume-binder.ts';
import { NO_NEEDS } from '../volumes/volume-needs.ts';

/** The filter. */
export const volumeBinding = (binder: Pick<VolumeBinder, 'conflicts'>): FilterPlugin => ({
  name: 'VolumeBinding',
  filter: ({ volumes = NO_NEEDS }, { node }) => binder.conflicts(volumes, node),
});
