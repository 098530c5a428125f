// Which persistent volume will do for which claim, and what both say of being bound. Pure; shared by the controller that binds
// them and the scheduler. Invariant: a volume that knows of its claim (`claimRef`) is for that one alone.
// Rules: Kubernetes docs, Persistent Volumes: Binding, Reserving a PersistentVolume, Class, Volume Mode.
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
} from '../generated/types.ts';
import { fromLabelSelector } from '../meta/labels.ts';
import { tryParseQuantity } from '../meta/quantity.ts';
import { CLASS_ANNOTATION } from './claim-validation.ts';

/** On a claim: it was bound for good. A volume that goes afterwards leaves it Lost. */
export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';
/** On a claim or a volume: the controller chose the other side, not a user. */
export const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller';
/** On a claim: the node for which the scheduler wants its volume to be made. */
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
/** The provisioner of classes whose volumes are made by hand. */
export const NO_PROVISIONER = 'kubernetes.io/no-provisioner';

type Classed = PersistentVolume | PersistentVolumeClaim;

/** The class of a claim or a volume, wherever it stands; '' for none. */
export function storageClassOf({ metadata, spec }: Classed): string {
  return metadata.annotations?.[CLASS_ANNOTATION] ?? spec?.storageClassName ?? '';
}

/** Does the claim leave it to the cluster which class it has? */
export function isClassOpen({ metadata, spec }: PersistentVolumeClaim): boolean {
  return (metadata.annotations?.[CLASS_ANNOTATION] ?? spec?.storageClassName) === undefined;
}

/** How much a claim asks for, or a volume holds, in nano-units. */
export function storageSize(object: Classed): bigint {
  const { capacity, resources } = (object.spec ?? {}) as PersistentVolume['spec'] &
    PersistentVolumeClaim['spec'] &
    object;
  const text = capacity?.['storage'] ?? resources?.requests?.['storage'] ?? '0';
  return tryParseQuantity(text)?.nanos ?? 0n;
}

const modeOf = ({ spec }: Classed): string => spec?.volumeMode ?? 'Filesystem';

/** Those of a claim must be those of its volume: looked for among these alone. */
export const matchingBucket = (object: Classed): string =>
  `${modeOf(object)}/${storageClassOf(object)}`;

/** Does the volume name this claim, bound or kept for it? One that was kept for a claim of the name is for any such claim. */
export function isVolumeOf({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim) {
  const { namespace, name, uid } = spec?.claimRef ?? {};
  return (
    name === metadata.name && namespace === metadata.namespace && (!uid || uid === metadata.uid)
  );
}

/** Is it bound for good? */
export const isBindCompleted = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  Boolean(spec?.volumeName) && metadata.annotations?.[BIND_COMPLETED] !== undefined;

const hasModes = ({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  (claim.spec?.accessModes ?? []).every((mode) => spec?.accessModes?.includes(mode));

/** Why the volume that a claim names will not do for it, in upstream's words; undefined where it will. */
export function volumeMismatch(
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
): string | undefined {
  if (volume.metadata.deletionTimestamp)
    return `the volume is marked for deletion "${volume.metadata.name ?? ''}"`;
  if (storageSize(volume) < storageSize(claim)) return 'requested PV is too small';
  if (storageClassOf(volume) !== storageClassOf(claim)) return 'storageClassName does not match';
  if (attributesOf(volume) !== attributesOf(claim))
    return 'volumeAttributesClassName does not match';
  if (modeOf(volume) !== modeOf(claim)) return 'incompatible volumeMode';
  return hasModes(volume, claim) ? undefined : 'incompatible accessMode';
}

const attributesOf = ({ spec }: Classed): string => spec?.volumeAttributesClassName ?? '';

/** Are both files, or both a block device? */
export const sameVolumeMode = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  modeOf(volume) === modeOf(claim);

/** May the volume, which is kept for this claim, be given to it? Its class and labels are whoever kept it's business. */
export const fitsKept = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  !volume.metadata.deletionTimestamp &&
  storageSize(volume) >= storageSize(claim) &&
  sameVolumeMode(volume, claim);

/** Is the volume free, and will it do for any claim like this one? */
export function isFreeFor(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  return (
    isFree(volume) &&
    volumeMismatch(volume, claim) === undefined &&
    fromLabelSelector(claim.spec?.selector ?? {}).matches(volume.metadata.labels)
  );
}

/** May a claim that does not name it have it? */
export const isFree = ({ metadata, spec, status }: PersistentVolume): boolean =>
  !spec?.claimRef && !metadata.deletionTimestamp && status?.phase === 'Available';

/** Is a claim of this class bound only once a pod has been given a node? */
export const waitsForConsumer = (storageClass: StorageClass | undefined): boolean =>
  storageClass?.volumeBindingMode === 'WaitForFirstConsumer';

/** The volume as it is once it is the claim's. */
export function boundTo(volume: PersistentVolume, claim: PersistentVolumeClaim): PersistentVolume {
  const { namespace, name, uid, resourceVersion } = claim.metadata;
  const { annotations } = volume.metadata;
  const kept = isVolumeOf(volume, claim);
  return {
    ...volume,
    metadata: kept
      ? volume.metadata
      : { ...volume.metadata, annotations: { ...annotations, [BOUND_BY_CONTROLLER]: 'yes' } },
    spec: {
      ...volume.spec,
      claimRef: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        namespace,
        name,
        uid,
        resourceVersion,
      },
    },
  } as PersistentVolume;
}

/** A claim that a volume of a pod stands for. */
export interface ClaimOfPod {
  readonly name: string;
  /** Made by a controller for this pod alone. */
  readonly ephemeral: boolean;
}

/** The claims that a pod's volumes stand for. */
export function claimsOfPod({ metadata, spec }: Pod): ClaimOfPod[] {
  return (spec?.volumes ?? []).flatMap<ClaimOfPod>(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim) return [{ name: persistentVolumeClaim.claimName, ephemeral: false }];
    return ephemeral ? [{ name: `${metadata.name ?? ''}-${name}`, ephemeral: true }] : [];
  });
}

/** Their keys. */
export const claimKeysOf = (pod: Pod): string[] =>
  claimsOfPod(pod).map(({ name }) => `${pod.metadata.namespace ?? ''}/${name}`);
