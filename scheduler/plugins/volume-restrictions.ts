// A claim for one pod alone (ReadWriteOncePod) is used by one pod at a time, on whichever node (upstream's VolumeRestrictions).
// Invariant: a pod that was just placed counts as a user, though its binding is not seen yet.
import type { FilterPlugin } from '../framework/plugin.ts';
import type { ClusterState } from '../snapshot/cluster-state.ts';
import { NO_NEEDS } from '../volumes/volume-needs.ts';

const TAKEN =
  'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode';

/** The filter. */
export const volumeRestrictions = (state: Pick<ClusterState, 'isClaimUsed'>): FilterPlugin => ({
  name: 'VolumeRestrictions',
  filter: ({ volumes = NO_NEEDS }) =>
    volumes.exclusive.some((key) => state.isClaimUsed(key)) ? [TAKEN] : [],
});
