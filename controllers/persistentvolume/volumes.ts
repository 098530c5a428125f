// One look at a volume: whose it is, what becomes of it when its claim is gone, and who of those that wait may have it.
// Invariant: what is on a volume is deleted only where its policy says so, its claim is gone from the API too, and we know how.
// Phases, reasons and words are upstream's.
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/generated/types.ts';
import {
  BOUND_BY_CONTROLLER,
  isFree,
  sameVolumeMode,
  waitsForConsumer,
  storageClassOf,
} from '../../api/core/volume-matching.ts';
import { PersistentVolumeClaims } from '../../api/kinds.ts';
import { keyOf } from '../../api/meta/object.ts';
import { isNotFound } from '../../api/status.ts';
import type { Client } from '../../client/rest/client.ts';
import type { EventRecorder } from '../framework/reconciler.ts';
import type { Binding } from './binding.ts';
import type { CachedStorage } from './cached-storage.ts';
import { syncClaim } from './claims.ts';
import { PROVISIONED_BY, type Reclaiming, reclaim } from './reclaiming.ts';

/** What a look at a volume needs. */
export interface VolumeParts extends Reclaiming {
  readonly storage: CachedStorage;
  readonly events: EventRecorder;
  readonly binding: Binding;
  readonly client: Client;
  readonly signal: AbortSignal;
}

/** Brings a volume up to date. */
export async function syncVolume(volume: PersistentVolume, parts: VolumeParts): Promise<void> {
  const { claimRef } = volume.spec ?? {};
  if (!claimRef?.uid) {
    const now = await parts.binding.phase(volume, 'Available');
    return claimRef ? syncKept(now, parts) : offer(now, parts);
  }
  const claim = await claimOf(volume, parts);
  if (claim) return syncWithClaim(volume, claim, parts);
  await release(volume, parts);
}

async function release(volume: PersistentVolume, parts: VolumeParts): Promise<void> {
  const ended = volume.status?.phase === 'Released' || volume.status?.phase === 'Failed';
  await reclaim(ended ? volume : await parts.binding.phase(volume, 'Released'), parts);
}

/** The volume is the claim's by its name alone: the claim is looked at in its turn, which the source sees to. */
async function syncKept(volume: PersistentVolume, parts: VolumeParts): Promise<void> {
  const { namespace = '', name = '' } = volume.spec?.claimRef ?? {};
  const claim = parts.storage.claims.get(`${namespace}/${name}`);
  if (claim && !claim.spec?.volumeName) await syncClaim(claim, parts);
}

/** Free: as long as somebody waits that it would do for, the largest of them is given the best there is. */
async function offer(volume: PersistentVolume, parts: VolumeParts): Promise<void> {
  const { storage, signal } = parts;
  const { name = '' } = volume.metadata;
  if (waitsForConsumer(storage.classes.get(storageClassOf(volume)))) return;
  for (;;) {
    signal.throwIfAborted();
    const now = storage.volumes.get(name);
    const claim = now && isFree(now) ? storage.waitingFor(now) : undefined;
    if (!claim) return;
    await syncClaim(claim, parts);
    // Nothing came of it, so nothing would the next time: it is the change of either that brings it back.
    if (storage.claims.get(keyOf(claim)) === claim && storage.volumes.get(name) === now) return;
  }
}

/** The claim that the volume names; none where it is gone, or another one of its name is there. */
async function claimOf(
  volume: PersistentVolume,
  { storage, client, signal }: VolumeParts,
): Promise<PersistentVolumeClaim | undefined> {
  const { namespace = '', name = '', uid } = volume.spec?.claimRef ?? {};
  const known = storage.claims.get(`${namespace}/${name}`);
  if (known?.metadata.uid === uid) return known;
  if (volume.status?.phase === 'Released' || volume.status?.phase === 'Failed') return undefined;
  // The cache may be behind the volume's; nothing is released on its word alone.
  try {
    const live = await client.resource(PersistentVolumeClaims).get({ namespace, name }, { signal });
    return live.metadata.uid === uid ? live : undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function syncWithClaim(
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
  parts: VolumeParts,
): Promise<void> {
  const { volumeName } = claim.spec ?? {};
  if (!volumeName) {
    if (!sameVolumeMode(volume, claim)) return tellModes(volume, claim, parts);
    return syncClaim(claim, parts);
  }
  if (volumeName === volume.metadata.name) {
    await parts.binding.phase(volume, 'Bound');
    return;
  }
  // The claim has another volume. One that was made for it nobody wants; any other is free again, as it holds nothing of the claim's.
  const isMade = volume.metadata.annotations?.[PROVISIONED_BY] !== undefined;
  if (isMade && volume.spec?.persistentVolumeReclaimPolicy === 'Delete')
    return release(volume, parts);
  await parts.binding.unbind(volume);
}

function tellModes(
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
  { events }: VolumeParts,
): void {
  // A user has kept it for a claim that it will not do for.
  if (volume.metadata.annotations?.[BOUND_BY_CONTROLLER] !== undefined) return;
  const type = 'Warning';
  const reason = 'VolumeMismatch';
  const why = 'due to incompatible volumeMode.';
  const { name: volumeName = '' } = volume.metadata;
  const { namespace = '', name: claimName = '' } = claim.metadata;
  events.event(volume, {
    type,
    reason,
    message: `Cannot bind PersistentVolume to requested PersistentVolumeClaim "${namespace}/${claimName}" ${why}`,
  });
  events.event(claim, {
    type,
    reason,
    message: `Cannot bind PersistentVolume "${volumeName}" to requested PersistentVolumeClaim ${why}`,
  });
}
