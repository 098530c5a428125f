// Binds claims to the volumes that are there, and reclaims volumes (upstream's persistentvolume-binder-controller): what wakes it.
// Keys are `claim:NAMESPACE/NAME` and `volume:NAME`. Invariants: one key at a time, so that two claims never choose the same volume;
// nothing is looked at again without a change.
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
} from '../../api/generated/types.ts';
import { PersistentVolumeClaims, PersistentVolumes, StorageClasses } from '../../api/kinds.ts';
import { keyOf } from '../../api/meta/object.ts';
import { isNotFound } from '../../api/status.ts';
import { type ControllerFactory, done, source } from '../framework/reconciler.ts';
import { Binding } from './binding.ts';
import { CachedStorage } from './cached-storage.ts';
import { syncClaim } from './claims.ts';
import type { RemoveHostPath } from './reclaiming.ts';
import { syncVolume } from './volumes.ts';

export type { RemoveHostPath } from './reclaiming.ts';

const CLAIM = 'claim:';
const VOLUME = 'volume:';

/** Binds and reclaims. No volumes are made: of claims that wait for a provisioner it tells, and marks them for it. */
export const persistentVolumeBinder =
  (removeHostPath?: RemoveHostPath): ControllerFactory =>
  (context) => {
    const { informers, client, clock, events } = context;
    const storage = new CachedStorage(informers);
    return {
      name: 'persistentvolume-binder-controller',
      eventSource: 'persistentvolume-controller',
      sources: [
        source<PersistentVolumeClaim>({
          ref: PersistentVolumeClaims,
          keys: (claim, old) => keysOfClaim(claim, old, storage),
        }),
        source<PersistentVolume>({
          ref: PersistentVolumes,
          keys: (volume, old) => keysOfVolume(volume, old, storage),
        }),
        source<StorageClass>({
          ref: StorageClasses,
          keys: ({ metadata }) =>
            [...storage.pendingOf(metadata.name ?? ''), ...storage.pendingOfNoClass()].map(
              (claim) => CLAIM + keyOf(claim),
            ),
        }),
      ],
      async reconcile(key, { signal }) {
        const binding = new Binding({ client, clock }, signal);
        const parts = { storage, events, binding, client, signal, removeHostPath };
        try {
          if (key.startsWith(CLAIM)) {
            const claim = storage.claims.get(key.slice(CLAIM.length));
            if (claim) await syncClaim(claim, parts);
          } else {
            const volume = storage.volumes.get(key.slice(VOLUME.length));
            if (volume) await syncVolume(volume, parts);
          }
        } catch (error) {
          // One of both went meanwhile, which brings the other back.
          if (!isNotFound(error)) throw error;
        }
        return done;
      },
    };
  };

function keysOfClaim(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim | undefined,
  storage: CachedStorage,
): string[] {
  const key = keyOf(claim);
  const volumes = new Set([
    ...storage.free.keptFor(key).map(keyOf),
    ...[claim, old].flatMap((each) => each?.spec?.volumeName ?? []),
  ]);
  return [CLAIM + key, ...[...volumes].map((name) => VOLUME + name)];
}

function keysOfVolume(
  volume: PersistentVolume,
  old: PersistentVolume | undefined,
  storage: CachedStorage,
): string[] {
  const name = keyOf(volume);
  const claims = new Set(storage.naming(name).map(keyOf));
  for (const each of [volume, old]) {
    const { namespace = '', name: claim } = each?.spec?.claimRef ?? {};
    if (claim) claims.add(`${namespace}/${claim}`);
  }
  return [VOLUME + name, ...[...claims].map((key) => CLAIM + key)];
}
