// One look at a claim: what it is to have, and what is told while it has nothing.
// Invariant: a claim that was bound for good is never bound to another volume; it is Lost where its own is gone.
// Phases, reasons and words are upstream's.
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/generated/types.ts';
import {
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  isClassOpen,
  isVolumeOf,
  SELECTED_NODE,
  storageClassOf,
  volumeMismatch,
  waitsForConsumer,
} from '../../api/core/volume-matching.ts';
import { keyOf } from '../../api/meta/object.ts';
import type { EventRecorder } from '../framework/reconciler.ts';
import type { Binding } from './binding.ts';
import type { CachedStorage } from './cached-storage.ts';

/** What a look at a claim needs. */
export interface ClaimParts {
  readonly storage: CachedStorage;
  readonly events: EventRecorder;
  readonly binding: Binding;
}

/** Whose volumes are made by somebody: read by provisioners. */
const PROVISIONER_MARKS = [
  'volume.kubernetes.io/storage-provisioner',
  'volume.beta.kubernetes.io/storage-provisioner',
];

/** Brings a claim up to date. */
export async function syncClaim(claim: PersistentVolumeClaim, parts: ClaimParts): Promise<void> {
  if (claim.metadata.annotations?.[BIND_COMPLETED] !== undefined) await keepBound(claim, parts);
  else if (claim.spec?.volumeName) await bindNamed(claim, claim.spec.volumeName, parts);
  else await findVolume(claim, parts);
}

async function findVolume(claim: PersistentVolumeClaim, parts: ClaimParts): Promise<void> {
  const { storage, binding } = parts;
  const found = storage.free.best(claim, {
    keptOnly: waitsForConsumer(classOf(claim, storage)),
  });
  if (found) return binding.bind(found, claim);
  const storageClass = isClassOpen(claim) ? storage.defaultClass() : undefined;
  // The change brings the claim back.
  if (storageClass !== undefined)
    return void (await binding.claim(claim, { spec: { storageClassName: storageClass } }));
  await binding.claimStatus(claim, { phase: 'Pending' });
  await tellWhyNone(claim, parts);
}

const classOf = (claim: PersistentVolumeClaim, { classes }: CachedStorage) =>
  classes.get(storageClassOf(claim));

async function tellWhyNone(claim: PersistentVolumeClaim, parts: ClaimParts): Promise<void> {
  const { storage, events } = parts;
  const name = storageClassOf(claim);
  const hasNode = claim.metadata.annotations?.[SELECTED_NODE] !== undefined;
  if (waitsForConsumer(classOf(claim, storage)) && !hasNode) {
    const message = 'waiting for first consumer to be created before binding';
    events.event(claim, { type: 'Normal', reason: 'WaitForFirstConsumer', message });
  } else if (name === '') {
    const message = 'no persistent volumes available for this claim and no storage class is set';
    events.event(claim, { type: 'Normal', reason: 'FailedBinding', message });
  } else await askProvisioner(claim, name, parts);
}

/** Nothing here makes volumes: a provisioner that runs in the cluster may, and is told by annotations. */
async function askProvisioner(
  claim: PersistentVolumeClaim,
  className: string,
  { storage, events, binding }: ClaimParts,
): Promise<void> {
  const provisioner = storage.classes.get(className)?.provisioner;
  if (provisioner === undefined) {
    const message = `storageclass.storage.k8s.io "${className}" not found`;
    events.event(claim, { type: 'Warning', reason: 'ProvisioningFailed', message });
    return;
  }
  if (provisioner.startsWith('kubernetes.io/')) {
    const message = `no volume plugin matched name: ${provisioner}`;
    events.event(claim, { type: 'Warning', reason: 'ProvisioningFailed', message });
    return;
  }
  const message = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
  events.event(claim, { type: 'Normal', reason: 'ExternalProvisioning', message });
  const marks = Object.fromEntries(PROVISIONER_MARKS.map((mark) => [mark, provisioner]));
  // The newest form: its status may have been written a moment ago.
  const now = storage.claims.get(keyOf(claim)) ?? claim;
  await binding.claim(now, { annotations: { ...now.metadata.annotations, ...marks } });
}

/** The user, or a binding that was cut off, says which volume it is. */
async function bindNamed(
  claim: PersistentVolumeClaim,
  name: string,
  parts: ClaimParts,
): Promise<void> {
  const { storage, events, binding } = parts;
  const volume = storage.volumes.get(name);
  const free = volume !== undefined && !volume.spec?.claimRef;
  const mismatch = volume && free ? volumeMismatch(volume, claim) : undefined;
  if (volume && mismatch === undefined && (free || isVolumeOf(volume, claim)))
    return binding.bind(volume, claim);
  if (mismatch !== undefined) {
    const message = `Cannot bind to requested volume "${name}": ${mismatch}`;
    events.event(claim, { type: 'Warning', reason: 'VolumeMismatch', message });
  } else if (volume && claim.metadata.annotations?.[BOUND_BY_CONTROLLER] === undefined) {
    const message = `volume "${name}" already bound to a different claim.`;
    events.event(claim, { type: 'Warning', reason: 'FailedBinding', message });
  }
  await binding.claimStatus(claim, { phase: 'Pending' });
}

async function keepBound(claim: PersistentVolumeClaim, parts: ClaimParts): Promise<void> {
  const name = claim.spec?.volumeName;
  if (!name)
    return lose(claim, parts, [
      'ClaimLost',
      'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!',
    ]);
  const volume: PersistentVolume | undefined = parts.storage.volumes.get(name);
  if (!volume)
    return lose(claim, parts, [
      'ClaimLost',
      'Bound claim has lost its PersistentVolume. Data on the volume is lost!',
    ]);
  const { uid } = volume.spec?.claimRef ?? {};
  if (!volume.spec?.claimRef || uid === claim.metadata.uid)
    return parts.binding.bind(volume, claim);
  return lose(claim, parts, [
    'ClaimMisbound',
    'Two claims are bound to the same volume, this one is bound incorrectly',
  ]);
}

async function lose(
  claim: PersistentVolumeClaim,
  { binding, events }: ClaimParts,
  [reason, message]: readonly [string, string],
): Promise<void> {
  const isNews = claim.status?.phase !== 'Lost';
  await binding.claimStatus(claim, { phase: 'Lost' });
  if (isNews) events.event(claim, { type: 'Warning', reason, message });
}
