// Makes the claims of pods' generic ephemeral volumes (KEP-1698): one for each, named after the pod and the volume, owned by the pod.
// Invariant: a claim that is there is never changed or taken over, whosever it is.
import type { PersistentVolumeClaim, Pod, Volume } from '../../api/generated/types.ts';
import { PersistentVolumeClaims, Pods } from '../../api/kinds.ts';
import { keyOf, type OwnerReference } from '../../api/meta/object.ts';
import { isAlreadyExists } from '../../api/status.ts';
import { controllerKeys, isControlledBy, ownerReferenceFor } from '../framework/owner.ts';
import { type ControllerFactory, done, source } from '../framework/reconciler.ts';

const isEphemeral = ({ spec, metadata }: Pod): boolean =>
  !metadata.deletionTimestamp && (spec?.volumes ?? []).some(({ ephemeral }) => ephemeral);

/** Makes the claims of ephemeral volumes. A claim that is in the way is told to its pod (FailedBinding), and tried again. */
export const ephemeralVolumeController: ControllerFactory = ({ client, informers, events }) => {
  const pods = informers.informer(Pods);
  const claims = informers.informer(PersistentVolumeClaims);
  const resource = client.resource(PersistentVolumeClaims);

  async function provide(pod: Pod, volume: Volume, signal: AbortSignal): Promise<void> {
    const wanted = claimFor(pod, volume);
    const known = claims.get(keyOf(wanted));
    const found = known ?? (await madeOrThere(wanted, signal));
    if (!isControlledBy(found, pod)) throw new Error(foreign(found, pod));
  }

  /** The cache may be behind. */
  async function madeOrThere(wanted: PersistentVolumeClaim, signal: AbortSignal) {
    try {
      return await resource.create(wanted, { signal });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const { namespace, name = '' } = wanted.metadata;
      return resource.get({ namespace, name }, { signal });
    }
  }

  return {
    name: 'ephemeral-volume-controller',
    eventSource: 'ephemeral_volume',
    sources: [
      source<Pod>({ ref: Pods, predicate: (pod) => isEphemeral(pod) }),
      source<PersistentVolumeClaim>({
        ref: PersistentVolumeClaims,
        predicate: (_claim, _old, change) => change === 'delete',
        keys: (claim) => controllerKeys(claim, Pods),
      }),
    ],
    async reconcile(key, { signal }) {
      const pod = pods.get(key);
      if (!pod || !isEphemeral(pod)) return done;
      for (const volume of pod.spec?.volumes ?? []) {
        if (!volume.ephemeral) continue;
        try {
          await provide(pod, volume, signal);
        } catch (error) {
          if (signal.aborted) throw error;
          const message = `ephemeral volume ${volume.name}: ${(error as Error).message}`;
          events.event(pod, { type: 'Warning', reason: 'FailedBinding', message });
          throw error;
        }
      }
      return done;
    },
  };
};

function foreign({ metadata: claim }: PersistentVolumeClaim, { metadata: pod }: Pod): string {
  return `PVC ${claim.namespace}/${claim.name} was not created for pod ${pod.namespace}/${pod.name} (pod is not owner)`;
}

function claimFor(pod: Pod, { name, ephemeral }: Volume): PersistentVolumeClaim {
  const { metadata, spec } = ephemeral?.volumeClaimTemplate ?? {};
  const owner: OwnerReference = ownerReferenceFor(pod, Pods);
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      namespace: pod.metadata.namespace ?? '',
      name: `${pod.metadata.name ?? ''}-${name}`,
      ...(metadata?.labels && { labels: metadata.labels }),
      ...(metadata?.annotations && { annotations: metadata.annotations }),
      ownerReferences: [owner],
    },
    ...(spec && { spec }),
  };
}
