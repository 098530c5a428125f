// Keeps volumes that a claim has: they carry the finalizer kubernetes.io/pv-protection, which goes once they are bound no more.
// Invariant: a volume that is Bound stays until its claim is gone.
import type { PersistentVolume } from '../../api/generated/types.ts';
import { PersistentVolumes } from '../../api/kinds.ts';
import { isNotFound } from '../../api/status.ts';
import { addFinalizer, hasFinalizer, removeFinalizer } from '../framework/finalizers.ts';
import { type ControllerFactory, done, source } from '../framework/reconciler.ts';

const FINALIZER = 'kubernetes.io/pv-protection';

const isGoing = ({ metadata }: PersistentVolume): boolean =>
  metadata.deletionTimestamp !== undefined;
const isBound = ({ status }: PersistentVolume): boolean => status?.phase === 'Bound';

/** Puts the finalizer on volumes and takes it off those that are to go and that no claim has. */
export const volumeProtectionController: ControllerFactory = ({ client, informers }) => {
  const volumes = informers.informer(PersistentVolumes);
  const resource = client.resource(PersistentVolumes);
  return {
    name: 'persistentvolume-protection-controller',
    sources: [
      source<PersistentVolume>({
        ref: PersistentVolumes,
        predicate: (volume) =>
          isGoing(volume)
            ? hasFinalizer(volume, FINALIZER) && !isBound(volume)
            : !hasFinalizer(volume, FINALIZER),
      }),
    ],
    async reconcile(key) {
      const volume = volumes.get(key);
      try {
        if (volume && !isGoing(volume)) await addFinalizer(resource, volume, FINALIZER);
        else if (volume && !isBound(volume)) await removeFinalizer(resource, volume, FINALIZER);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      return done;
    },
  };
};
