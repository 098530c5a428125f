// What the binder knows of volumes, claims and classes: the informers' caches, and by size what is free and what waits.
// Invariant: who looks for a match goes through those of the same class and mode from the nearest size on, and through no others.
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
} from '../../api/generated/types.ts';
import {
  BIND_COMPLETED,
  isClassOpen,
  isFreeFor,
  matchingBucket,
  storageClassOf,
  storageSize,
} from '../../api/core/volume-matching.ts';
import { PersistentVolumeClaims, PersistentVolumes, StorageClasses } from '../../api/kinds.ts';
import { keyOf } from '../../api/meta/object.ts';
import { SizeOrdered } from '../../base/size-ordered.ts';
import type { Informer, InformerFactory } from '../../client/informer/informer.ts';
import { FreeVolumes } from '../../client/volumes/free-volumes.ts';

const BY_VOLUME = 'spec.volumeName';
const BY_CLASS = 'pending.class';
const OPEN_CLASS = 'pending.open';
const DEFAULT_MARKS = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

/** May it be given a volume? One that says it was bound for good, and names none, is Lost. */
const isPending = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  !metadata.deletionTimestamp &&
  !spec?.volumeName &&
  metadata.annotations?.[BIND_COMPLETED] === undefined;

/** The caches. */
export class CachedStorage {
  readonly volumes: Informer<PersistentVolume>;
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly classes: Informer<StorageClass>;
  /** What claims may be given. */
  readonly free: FreeVolumes;
  readonly #pending = new SizeOrdered();

  constructor(informers: InformerFactory) {
    this.volumes = informers.informer(PersistentVolumes);
    this.claims = informers.informer(PersistentVolumeClaims);
    this.classes = informers.informer(StorageClasses);
    this.free = new FreeVolumes(this.volumes);
    this.claims.addIndex(BY_VOLUME, ({ spec }) => (spec?.volumeName ? [spec.volumeName] : []));
    this.claims.addIndex(BY_CLASS, (claim) => {
      if (!isPending(claim)) return [];
      return [isClassOpen(claim) ? OPEN_CLASS : storageClassOf(claim)];
    });
    this.#follow();
  }

  #follow(): void {
    const see = (claim: PersistentVolumeClaim) => {
      const place = { bucket: matchingBucket(claim), size: storageSize(claim) };
      if (isPending(claim)) this.#pending.put(keyOf(claim), place);
      else this.#pending.remove(keyOf(claim));
    };
    this.claims.subscribe({
      onAdd: see,
      onUpdate: see,
      onDelete: (claim) => this.#pending.remove(keyOf(claim)),
    });
  }

  /** Claims that name a volume. */
  naming(volume: string): PersistentVolumeClaim[] {
    return this.claims.byIndex(BY_VOLUME, volume);
  }

  /** Claims without a volume, of that class. */
  pendingOf(storageClass: string): PersistentVolumeClaim[] {
    return this.claims.byIndex(BY_CLASS, storageClass);
  }

  /** Claims without a volume that take whatever class is the default. */
  pendingOfNoClass(): PersistentVolumeClaim[] {
    return this.claims.byIndex(BY_CLASS, OPEN_CLASS);
  }

  /** The largest claim that waits for a volume like this free one. */
  waitingFor(volume: PersistentVolume): PersistentVolumeClaim | undefined {
    for (const key of this.#pending.atMost(matchingBucket(volume), storageSize(volume))) {
      const claim = this.claims.get(key);
      if (claim && isPending(claim) && isFreeFor(volume, claim)) return claim;
    }
    return undefined;
  }

  /** The class that claims without one are given: the newest that is marked, of equally new ones the first by name. */
  defaultClass(): string | undefined {
    const [chosen] = this.classes
      .list()
      .map(({ metadata }) => metadata)
      .filter(({ annotations }) => DEFAULT_MARKS.some((mark) => annotations?.[mark] === 'true'))
      .toSorted(
        (a, b) =>
          (b.creationTimestamp ?? '').localeCompare(a.creationTimestamp ?? '') ||
          (a.name ?? '').localeCompare(b.name ?? ''),
      );
    return chosen?.name;
  }
}
