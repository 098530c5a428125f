// Keeps claims that pods use: they carry the finalizer kubernetes.io/pvc-protection, which goes once no pod that has a node names them.
// Invariant: it is taken off only when the API server itself shows no such pod; the cache may not know the newest.
import type { PersistentVolumeClaim, Pod } from '../../api/generated/types.ts';
import { claimKeysOf, claimsOfPod } from '../../api/core/volume-matching.ts';
import { PersistentVolumeClaims, Pods } from '../../api/kinds.ts';
import { isNotFound } from '../../api/status.ts';
import { addFinalizer, hasFinalizer, removeFinalizer } from '../framework/finalizers.ts';
import { type ControllerFactory, done, source } from '../framework/reconciler.ts';

const FINALIZER = 'kubernetes.io/pvc-protection';
const BY_CLAIM = 'spec.volumes.claim';

/** The agent is done with it, or is not waited for: nothing keeps it but finalizers, such as that of who waits for its own claims. */
const isShutDown = ({ metadata }: Pod): boolean =>
  metadata.deletionTimestamp !== undefined && metadata.deletionGracePeriodSeconds === 0;

const uses = (pod: Pod, key: string): boolean =>
  Boolean(pod.spec?.nodeName) &&
  claimsOfPod(pod).some(
    ({ name, ephemeral }) =>
      `${pod.metadata.namespace ?? ''}/${name}` === key && !(ephemeral && isShutDown(pod)),
  );

/** Puts the finalizer on claims and takes it off those that are to go and that nobody uses. */
export const claimProtectionController: ControllerFactory = ({ client, informers }) => {
  const claims = informers.informer(PersistentVolumeClaims);
  const pods = informers.informer(Pods);
  const resource = client.resource(PersistentVolumeClaims);
  pods.addIndex(BY_CLAIM, claimKeysOf);

  async function isUsed(key: string, namespace: string, signal: AbortSignal): Promise<boolean> {
    if (pods.byIndex(BY_CLAIM, key).some((pod) => uses(pod, key))) return true;
    const { items } = await client.resource(Pods).list({ namespace, signal });
    return items.some((pod) => uses(pod, key));
  }

  async function protect(claim: PersistentVolumeClaim, key: string, signal: AbortSignal) {
    const isGoing = claim.metadata.deletionTimestamp !== undefined;
    if (!isGoing) await addFinalizer(resource, claim, FINALIZER);
    else if (!(await isUsed(key, claim.metadata.namespace ?? '', signal)))
      await removeFinalizer(resource, claim, FINALIZER);
  }

  return {
    name: 'persistentvolumeclaim-protection-controller',
    sources: [
      source<PersistentVolumeClaim>({
        ref: PersistentVolumeClaims,
        predicate: (claim) =>
          hasFinalizer(claim, FINALIZER) === (claim.metadata.deletionTimestamp !== undefined),
      }),
      source<Pod>({
        ref: Pods,
        predicate: (pod, _old, change) => change === 'delete' || isShutDown(pod),
        keys: claimKeysOf,
      }),
    ],
    async reconcile(key, { signal }) {
      const claim = claims.get(key);
      try {
        if (claim) await protect(claim, key, signal);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      return done;
    },
  };
};
