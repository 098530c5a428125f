// The writes of a binding, in upstream's order: the volume names its claim, then the claim its volume, each then says that it is Bound.
// Invariants: each step may be repeated; a binding that was cut off is finished by whoever looks next. Conflicts are thrown: look again.
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimStatus,
} from '../../api/generated/types.ts';
import { BIND_COMPLETED, BOUND_BY_CONTROLLER, boundTo } from '../../api/core/volume-matching.ts';
import { PersistentVolumeClaims, PersistentVolumes } from '../../api/kinds.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { Clock } from '../../base/clock.ts';
import type { Client } from '../../client/rest/client.ts';

/** A volume's phases. */
export type VolumePhase = 'Available' | 'Bound' | 'Released' | 'Failed';

/** Writes for one reconcile. */
export class Binding {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;

  constructor(doors: { client: Client; clock: Clock }, signal: AbortSignal) {
    this.#client = doors.client;
    this.#clock = doors.clock;
    this.#signal = signal;
  }

  /** Binds both for good. */
  async bind(volume: PersistentVolume, claim: PersistentVolumeClaim): Promise<void> {
    const named = await this.#volumeToClaim(volume, claim);
    await this.phase(named, 'Bound');
    const bound = await this.#claimToVolume(claim, volume.metadata.name ?? '');
    await this.claimStatus(bound, boundStatus(volume, claim));
  }

  async #volumeToClaim(
    volume: PersistentVolume,
    claim: PersistentVolumeClaim,
  ): Promise<PersistentVolume> {
    if (volume.spec?.claimRef?.uid === claim.metadata.uid) return volume;
    return this.#client
      .resource(PersistentVolumes)
      .update(boundTo(volume, claim), { signal: this.#signal });
  }

  async #claimToVolume(
    claim: PersistentVolumeClaim,
    volumeName: string,
  ): Promise<PersistentVolumeClaim> {
    const annotations = {
      ...claim.metadata.annotations,
      [BIND_COMPLETED]: 'yes',
      ...(claim.spec?.volumeName !== volumeName && { [BOUND_BY_CONTROLLER]: 'yes' }),
    };
    return this.claim(claim, { annotations, spec: { volumeName } });
  }

  /** Writes annotations and fields of a claim's specification, where they are others. */
  async claim(
    claim: PersistentVolumeClaim,
    change: {
      annotations?: Record<string, string>;
      spec?: Partial<NonNullable<PersistentVolumeClaim['spec']>>;
    },
  ): Promise<PersistentVolumeClaim> {
    const annotations = change.annotations ?? claim.metadata.annotations;
    const changed: PersistentVolumeClaim = {
      ...claim,
      metadata: { ...claim.metadata, ...(annotations && { annotations }) },
      spec: { ...claim.spec, ...change.spec },
    };
    if (deepEqual(changed, claim)) return claim;
    return this.#client.resource(PersistentVolumeClaims).update(changed, { signal: this.#signal });
  }

  /** Says in which phase a claim is, and what it has. */
  async claimStatus(
    claim: PersistentVolumeClaim,
    told: PersistentVolumeClaimStatus,
  ): Promise<boolean> {
    const status = { ...claim.status, ...told };
    if (told.phase !== 'Bound') {
      delete status.accessModes;
      delete status.capacity;
    }
    if (deepEqual(status, claim.status)) return false;
    await this.#client
      .resource(PersistentVolumeClaims)
      .updateStatus({ ...claim, status }, { signal: this.#signal });
    return true;
  }

  /** Says in which phase a volume is, and why. Answers the volume as it is then. */
  async phase(
    volume: PersistentVolume,
    phase: VolumePhase,
    message = '',
  ): Promise<PersistentVolume> {
    const { status } = volume;
    if (status?.phase === phase && (status.message ?? '') === message) return volume;
    const lastPhaseTransitionTime =
      status?.phase === phase ? status.lastPhaseTransitionTime : formatTime(this.#clock.now());
    const told = {
      phase,
      ...(lastPhaseTransitionTime && { lastPhaseTransitionTime }),
      ...(message && { message }),
    };
    return this.#client
      .resource(PersistentVolumes)
      .updateStatus({ ...volume, status: told }, { signal: this.#signal });
  }

  /** Gives a volume back that its claim does not have: all of it where this controller chose, else only which of the claims of the name. */
  async unbind(volume: PersistentVolume): Promise<void> {
    const { [BOUND_BY_CONTROLLER]: ours, ...annotations } = volume.metadata.annotations ?? {};
    const { claimRef, ...spec } = volume.spec ?? {};
    const { uid: _uid, resourceVersion: _version, ...kept } = claimRef ?? {};
    const freed = await this.#client.resource(PersistentVolumes).update(
      {
        ...volume,
        metadata: { ...volume.metadata, annotations },
        spec: ours === undefined ? { ...spec, claimRef: kept } : spec,
      },
      { signal: this.#signal },
    );
    await this.phase(freed, 'Available');
  }
}

/** How much it has is said when it becomes Bound; from then on whoever makes it larger says so. */
function boundStatus(
  { spec }: PersistentVolume,
  { status }: PersistentVolumeClaim,
): PersistentVolumeClaimStatus {
  const capacity = (status?.phase === 'Bound' && status.capacity) || spec?.capacity;
  return {
    phase: 'Bound',
    ...(spec?.accessModes && { accessModes: spec.accessModes }),
    ...(capacity && { capacity }),
  };
}
