// The persistent volumes that a pod's volumes stand for, by claims of its namespace or claims made for it alone.
// Rules and words are upstream's; binding is not this node's business: a pair that is bound is taken, any other is told of.
// Invariants: a claim is read only for a pod that names it; one of ReadWriteOncePod is given to one pod of the node at a time.
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Volume,
} from '../../api/generated/types.ts';
import { matchesTerm, type NodeIdentity } from '../../api/meta/node-affinity.ts';
import type { ObjectSources } from './object-sources.ts';
import { ConfigError } from './volume-error.ts';

/** What claims are looked up with. */
export interface ClaimsOptions {
  readonly sources: Pick<ObjectSources, 'claim' | 'volume' | 'changed'>;
  readonly node: () => NodeIdentity;
  /** The pods of the node, with what is known of them. */
  readonly pods: () => readonly Pod[];
}

/** Why a volume that stands for a claim cannot be had; the message is the whole one, as upstream writes it. */
export class ClaimProblem extends ConfigError {
  constructor(message: string) {
    super('FailedMount', message);
  }
}

/** The claim that a volume stands for. */
export interface NamedClaim {
  readonly name: string;
  /** Made for this pod alone. */
  readonly ephemeral: boolean;
}

/** The claim that a volume of the pod stands for; undefined when it is another kind of volume. */
export function claimOf({ metadata }: Pod, volume: Volume): NamedClaim | undefined {
  const { name, persistentVolumeClaim, ephemeral } = volume;
  if (persistentVolumeClaim) return { name: persistentVolumeClaim.claimName, ephemeral: false };
  return ephemeral ? { name: `${metadata.name ?? ''}-${name}`, ephemeral: true } : undefined;
}

/** The claims of one node's pods. */
export class Claims {
  readonly #options: ClaimsOptions;
  /** Pods by the volume that each has for itself. */
  readonly #holders = new Map<string, string>();
  /** Pods that have given back what they had, though they may still be listed. */
  readonly #released = new Set<string>();
  /** Pods that wait for another to give back what it has for itself. */
  readonly #waiting = new Set<string>();

  constructor(options: ClaimsOptions) {
    this.#options = options;
  }

  /** The persistent volume behind a volume of the pod, which may use it now. Throws ClaimProblem. */
  async volumeOf(pod: Pod, volume: Volume, named: NamedClaim): Promise<PersistentVolume> {
    const claim = await this.#claim(pod, volume, named);
    const found = await this.#volume(pod, volume, claim);
    const name = found.metadata.name ?? '';
    const required = found.spec?.nodeAffinity?.required;
    const fits = required?.nodeSelectorTerms.some((term) =>
      matchesTerm(term, this.#options.node()),
    );
    if (required && !fits)
      throw new ClaimProblem(
        `MountVolume.NodeAffinity check failed for volume "${name}" : no matching NodeSelectorTerms`,
      );
    this.#take(pod, named, found);
    return found;
  }

  /** The pod needs no claim any more: those that wait for one of its are told. */
  release(podUid: string): void {
    this.#released.add(podUid);
    this.#waiting.delete(podUid);
    for (const [name, holder] of this.#holders) if (holder === podUid) this.#holders.delete(name);
    for (const waiting of this.#waiting) this.#options.sources.changed(waiting);
  }

  async #claim(pod: Pod, volume: Volume, named: NamedClaim): Promise<PersistentVolumeClaim> {
    const namespace = pod.metadata.namespace ?? '';
    const key = `${namespace}/${named.name}`;
    const at = { namespace, name: named.name };
    const claim = await this.#options.sources.claim(at, pod.metadata.uid ?? '');
    const why = claimRefusal(pod, named, claim);
    if (claim && why === undefined) return claim;
    throw unprocessed(volume, key, why ?? '');
  }

  async #volume(
    pod: Pod,
    volume: Volume,
    { metadata, spec = {} }: PersistentVolumeClaim,
  ): Promise<PersistentVolume> {
    const name = spec.volumeName ?? '';
    const found = await this.#options.sources.volume(name, pod.metadata.uid ?? '');
    const why = volumeRefusal(name, found, metadata.uid);
    const key = `${metadata.namespace}/${metadata.name}`;
    if (!found || why !== undefined) throw unprocessed(volume, key, why ?? '');
    const mode = modeRefusal(pod, volume.name, found);
    if (mode !== undefined) throw unprocessed(volume, undefined, mode);
    return found;
  }

  #take(pod: Pod, named: NamedClaim, { metadata, spec }: PersistentVolume): void {
    const [mode, ...others] = spec?.accessModes ?? [];
    if (mode !== 'ReadWriteOncePod' || others.length > 0) return;
    const name = metadata.name ?? '';
    const uid = pod.metadata.uid ?? '';
    if (this.#isHeld(pod, named, this.#holders.get(name))) {
      this.#waiting.add(uid);
      const why =
        'volume uses the ReadWriteOncePod access mode and is already in use by another pod';
      throw new ClaimProblem(`MountVolume.SetUp failed for volume "${name}" : ${why}`);
    }
    this.#waiting.delete(uid);
    this.#released.delete(uid);
    this.#holders.set(name, uid);
  }

  /** Of what ran before this agent only its status tells. */
  #isHeld(pod: Pod, named: NamedClaim, holder: string | undefined): boolean {
    const { uid, namespace } = pod.metadata;
    if (holder !== undefined) return holder !== uid;
    const pods = this.#options.pods();
    const listed = new Set(pods.map(({ metadata }) => metadata.uid));
    for (const gone of this.#released) if (!listed.has(gone)) this.#released.delete(gone);
    return pods.some(
      (other) =>
        other.metadata.uid !== uid &&
        other.metadata.namespace === namespace &&
        !this.#released.has(other.metadata.uid ?? '') &&
        hasBegun(other) &&
        (other.spec?.volumes ?? []).some((each) => claimOf(other, each)?.name === named.name),
    );
  }
}

/** Why a claim cannot be used by a pod; undefined where it can. */
function claimRefusal(
  pod: Pod,
  { name, ephemeral }: NamedClaim,
  claim: PersistentVolumeClaim | undefined,
): string | undefined {
  if (!claim)
    return `failed to fetch PVC from API server: persistentvolumeclaims "${name}" not found`;
  const { metadata, spec, status } = claim;
  const isOwn = metadata.ownerReferences?.some(
    ({ controller, uid }) => controller === true && uid === pod.metadata.uid,
  );
  if (ephemeral && !isOwn) {
    const { namespace } = metadata;
    return `PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`;
  }
  if (metadata.deletionTimestamp) return 'PVC is being deleted';
  if (status?.phase !== 'Bound') return 'PVC is not bound';
  return spec?.volumeName ? undefined : 'PVC has empty pvc.Spec.VolumeName';
}

/** Is it a block device that is to be mounted, or a file system that is to be a device? */
function modeRefusal(pod: Pod, name: string, { spec }: PersistentVolume): string | undefined {
  const mode = spec?.volumeMode ?? 'Filesystem';
  const field = mode === 'Block' ? 'volumeMounts' : 'volumeDevices';
  const { initContainers = [], containers = [] } = pod.spec ?? {};
  const isNamed = [...initContainers, ...containers].some((each) =>
    (each[field] ?? []).some((use) => use.name === name),
  );
  return isNamed
    ? `volume ${name} has volumeMode ${mode}, but is specified in ${field}`
    : undefined;
}

function volumeRefusal(
  name: string,
  volume: PersistentVolume | undefined,
  claimUid: string | undefined,
): string | undefined {
  if (!volume)
    return `failed to fetch PV ${name} from API server: persistentvolumes "${name}" not found`;
  const bound = volume.spec?.claimRef;
  if (!bound)
    return `found PV object ${name} but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim`;
  if (bound.uid === claimUid) return undefined;
  return `found PV object ${name} but its pv.Spec.ClaimRef.UID ${bound.uid ?? ''} does not point to claim.UID ${claimUid ?? ''}`;
}

function unprocessed({ name }: Volume, key: string | undefined, why: string): ClaimProblem {
  const which = `unmounted volumes=[${name}], unattached volumes=[], failed to process volumes=[${name}]`;
  const what = key === undefined ? why : `error processing PVC ${key}: ${why}`;
  return new ClaimProblem(`Unable to attach or mount volumes: ${which}: ${what}`);
}

/** Has it had its volumes? What is over has given them back. */
function hasBegun({ status }: Pod): boolean {
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return false;
  const { initContainerStatuses = [], containerStatuses = [] } = status ?? {};
  return [...initContainerStatuses, ...containerStatuses].some((each) => each.containerID);
}
