// What becomes of a volume that was given back: Retain leaves it to people, Delete removes what is on it and the volume, as far as that
// is known here (folders of hosts below /tmp, as upstream's), Recycle is not done. Invariant: nothing is removed but what REMOVABLE says.
import type { PersistentVolume } from '../../api/generated/types.ts';
import { PersistentVolumes } from '../../api/kinds.ts';
import { isNotFound } from '../../api/status.ts';
import type { Client } from '../../client/rest/client.ts';
import type { EventRecorder } from '../framework/reconciler.ts';
import type { Binding } from './binding.ts';

/** Removes a folder of the host that the controllers run on, with all in it. Rejects with the reason where it cannot. */
export type RemoveHostPath = (path: string) => Promise<void>;

/** What it takes. */
export interface Reclaiming {
  readonly events: EventRecorder;
  readonly binding: Binding;
  readonly client: Client;
  readonly signal: AbortSignal;
  /** Volumes of hostPath that are to be deleted are Failed where there is none. */
  readonly removeHostPath?: RemoveHostPath | undefined;
}

/** On volumes that a provisioner has made: it deletes them itself. */
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';
/** Paths of hosts that may be removed, as upstream: this is for trying things out on one machine. */
const REMOVABLE = /^\/tmp\/(?!\.{1,2}(\/|$))[^/]/;

/** Brings a released volume on its way, once: one that has Failed stays until somebody changes it. */
export async function reclaim(volume: PersistentVolume, parts: Reclaiming): Promise<void> {
  const { persistentVolumeReclaimPolicy: policy = 'Retain' } = volume.spec ?? {};
  if (policy === 'Recycle')
    return fail(volume, parts, ['VolumeFailedRecycle', 'No recycler plugin found for the volume!']);
  if (policy !== 'Delete' || volume.metadata.deletionTimestamp) return;
  const provisioner = volume.metadata.annotations?.[PROVISIONED_BY];
  if (provisioner !== undefined && !provisioner.startsWith('kubernetes.io/')) return;
  const why = await deleteContent(volume, parts);
  if (why !== undefined) return fail(volume, parts, ['VolumeFailedDelete', why]);
  const { name = '', uid = '' } = volume.metadata;
  await parts.client
    .resource(PersistentVolumes)
    .delete({ name }, { preconditions: { uid }, signal: parts.signal })
    .catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
}

/** Why what is on it cannot be deleted; undefined when it is. */
async function deleteContent(
  { metadata, spec }: PersistentVolume,
  { removeHostPath }: Reclaiming,
): Promise<string | undefined> {
  const path = spec?.hostPath?.path;
  if (path === undefined)
    return `error getting deleter volume plugin for volume "${metadata.name ?? ''}": no deletable volume plugin matched`;
  const parts = path.split('/');
  if (!REMOVABLE.test(path) || parts.includes('..') || parts.includes('.'))
    return `host_path deleter only supports /tmp/.+ but received provided ${path}`;
  if (!removeHostPath) return `host_path deleter has no access to the folders of a host: ${path}`;
  try {
    await removeHostPath(path);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

async function fail(
  volume: PersistentVolume,
  { binding, events }: Reclaiming,
  [reason, message]: readonly [string, string],
): Promise<void> {
  if (volume.status?.phase === 'Failed' && volume.status.message === message) return;
  await binding.phase(volume, 'Failed', message);
  events.event(volume, { type: 'Warning', reason, message });
}
