// Which persistent volume a claim would be given, from an informer's cache: for whoever binds claims, and for the scheduler.
// Invariant: a look goes through free volumes of the claim's class and mode from its size on, and through no others.
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/generated/types.ts';
import {
  fitsKept,
  isFree,
  isFreeFor,
  isVolumeOf,
  matchingBucket,
  storageSize,
} from '../../api/core/volume-matching.ts';
import { keyOf } from '../../api/meta/object.ts';
import { SizeOrdered } from '../../base/size-ordered.ts';
import type { Informer } from '../informer/informer.ts';

const BY_CLAIM = 'spec.claimRef';

/** How a volume is looked for. */
export interface VolumeSearch {
  /** Only one that is kept for the claim will do. */
  readonly keptOnly?: boolean;
  /** What else is asked of it; nothing unless given. */
  readonly suits?: (volume: PersistentVolume) => boolean;
}

/** The volumes of a cluster, followed from its making on. */
export class FreeVolumes {
  readonly #volumes: Informer<PersistentVolume>;
  readonly #free = new SizeOrdered();

  constructor(volumes: Informer<PersistentVolume>) {
    this.#volumes = volumes;
    volumes.addIndex(BY_CLAIM, ({ spec }) => {
      const { namespace = '', name } = spec?.claimRef ?? {};
      return name ? [`${namespace}/${name}`] : [];
    });
    const see = (volume: PersistentVolume) => this.#see(volume);
    const gone = (volume: PersistentVolume) => this.#free.remove(keyOf(volume));
    volumes.subscribe({ onAdd: see, onUpdate: see, onDelete: gone });
  }

  #see(volume: PersistentVolume): void {
    const place = { bucket: matchingBucket(volume), size: storageSize(volume) };
    if (isFree(volume)) this.#free.put(keyOf(volume), place);
    else this.#free.remove(keyOf(volume));
  }

  /** Volumes that name a claim of that key. */
  keptFor(claimKey: string): PersistentVolume[] {
    return this.#volumes.byIndex(BY_CLAIM, claimKey);
  }

  /** The best volume for a claim: one that is kept for it, else the smallest free one that will do. */
  best(
    claim: PersistentVolumeClaim,
    { keptOnly = false, suits = () => true }: VolumeSearch = {},
  ): PersistentVolume | undefined {
    const kept = this.keptFor(keyOf(claim)).find(
      (volume) => isVolumeOf(volume, claim) && fitsKept(volume, claim),
    );
    if (kept) return suits(kept) ? kept : undefined;
    if (keptOnly) return undefined;
    for (const name of this.#free.atLeast(matchingBucket(claim), storageSize(claim))) {
      const volume = this.#volumes.get(name);
      if (volume && isFreeFor(volume, claim) && suits(volume)) return volume;
    }
    return undefined;
  }
}
