// What a pod's claims ask of the node that it gets. Pure. Rules and words are upstream's (its VolumeBinding plugin).
// Invariant: a claim that is bound for good is asked for where its volume is; one of a class that waits for pods is chosen with the node;
// any other holds its pod back.
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
} from '../../api/generated/types.ts';
import {
  claimsOfPod,
  isBindCompleted,
  storageClassOf,
  waitsForConsumer,
} from '../../api/core/volume-matching.ts';
import { controllerOf, keyOf } from '../../api/meta/object.ts';

/** Where things are looked up. */
export interface StorageView {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  storageClass(name: string): StorageClass | undefined;
}

/** What is asked of a node. */
export interface VolumeNeeds {
  /** Volumes that its claims have; undefined for one that is gone. */
  readonly bound: readonly (PersistentVolume | undefined)[];
  /** Claims for which a volume is chosen together with the node. */
  readonly delayed: readonly PersistentVolumeClaim[];
  /** Keys of claims that no other pod may use (ReadWriteOncePod). */
  readonly exclusive: readonly string[];
}

/** Asks nothing. */
export const NO_NEEDS: VolumeNeeds = { bound: [], delayed: [], exclusive: [] };

/** What the pod's claims ask for, or why no node can take it whatever room it has. */
export function volumeNeedsOf(pod: Pod, view: StorageView): VolumeNeeds | string {
  const needs = {
    bound: [] as (PersistentVolume | undefined)[],
    delayed: [] as PersistentVolumeClaim[],
    exclusive: [] as string[],
  };
  let unbound = false;
  for (const { name, ephemeral } of claimsOfPod(pod)) {
    const claim = view.claim(pod.metadata.namespace ?? '', name);
    const why = claimProblem(pod, { name, ephemeral }, claim);
    if (!claim || why !== undefined) return why ?? '';
    if (isExclusive(claim)) needs.exclusive.push(keyOf(claim));
    if (isBindCompleted(claim)) needs.bound.push(view.volume(claim.spec?.volumeName ?? ''));
    else if (!claim.spec?.volumeName && waitsForConsumer(view.storageClass(storageClassOf(claim))))
      needs.delayed.push(claim);
    else unbound = true;
  }
  return unbound ? 'pod has unbound immediate PersistentVolumeClaims' : needs;
}

const isExclusive = ({ spec }: PersistentVolumeClaim): boolean =>
  spec?.accessModes?.includes('ReadWriteOncePod') ?? false;

/** Why a pod waits for one of its claims, bound or not; undefined where it is there. */
export function claimProblem(
  pod: Pod,
  { name, ephemeral }: { readonly name: string; readonly ephemeral: boolean },
  claim: PersistentVolumeClaim | undefined,
): string | undefined {
  const what = `persistentvolumeclaim "${name}"`;
  if (claim === undefined && ephemeral)
    return `waiting for ephemeral volume controller to create the ${what}`;
  if (claim === undefined) return `${what} not found`;
  if (claim.metadata.deletionTimestamp !== undefined) return `${what} is being deleted`;
  if (!ephemeral || controllerOf(claim)?.uid === pod.metadata.uid) return undefined;
  const { namespace, name: podName } = pod.metadata;
  return `PVC ${namespace}/${name} was not created for pod ${namespace}/${podName} (pod is not owner)`;
}
