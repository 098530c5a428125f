// Writes pods' statuses to the API: the newest one of each pod, in the background, until it is there.
// Invariants: per pod one write at a time; an older status never follows a newer one; what the API has is not written
// again, and what somebody else changed there is.
import { backoffDelay } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import { Slots } from '../../base/slots.ts';
import type { Pod, PodStatus } from '../../api/generated/types.ts';
import { Pods } from '../../api/kinds.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import { isConflict, isInvalid, isNotFound } from '../../api/status.ts';
import type { Client } from '../../client/rest/client.ts';
import { covers, statusPatch } from '../status-patch.ts';

/** Once the API server is back, its clients know within two seconds what became of pods meanwhile. */
const RETRY = { initialMs: 100, maxMs: 1_500, jitter: 0.5 };
/** Statuses on their way at once. */
const MAX_WRITES = 8;

/** What the writer needs. */
export interface StatusWriterOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Told of each pod as the API has it after a write. */
  readonly onWritten: (pod: Pod) => void;
  /** The pod that the API has for one of ours: itself, unless this says another. Undefined where it has none yet. */
  readonly targetOf?: (pod: Pod) => Pod | undefined;
}

interface Entry {
  pod: Pod;
  status: PodStatus;
  /** The newest of our statuses that the API is known to have. */
  there: PodStatus | undefined;
  /** The newest that the API refused. */
  refused: PodStatus | undefined;
  writing: Promise<void> | undefined;
  /** The API has no such pod: nothing is tried any more. */
  orphaned: boolean;
}

/** The statuses of this node's pods. */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #slots = new Slots(MAX_WRITES);
  readonly #ending = new AbortController();

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  /** The newest status of a pod, written or not. */
  of(podUid: string): PodStatus | undefined {
    return this.#entries.get(podUid)?.status;
  }

  /** Replaces a pod's status; written soon, unless `pod`, the newest that is known of the API's, has it already. */
  set(pod: Pod, status: PodStatus): void {
    const uid = pod.metadata.uid ?? '';
    const told = this.#targetOf(pod)?.status;
    const there = told && covers(told, status) ? status : undefined;
    const fresh = { refused: undefined, writing: undefined, orphaned: false };
    const entry: Entry = this.#entries.get(uid) ?? { pod, status, there, ...fresh };
    this.#entries.set(uid, entry);
    entry.pod = pod;
    entry.status = status;
    // While a write is under way, the pod is what it was before.
    if (!entry.writing) entry.there = there;
    this.#begin(uid);
  }

  /** The API has another pod for this one now: it is to have the newest status. */
  retarget(podUid: string): void {
    const entry = this.#entries.get(podUid);
    if (!entry) return;
    entry.orphaned = false;
    this.set(entry.pod, entry.status);
  }

  /** Resolves once the newest status is in the API, or the pod is not there any more. */
  async flush(podUid: string): Promise<void> {
    for (;;) {
      const writing = this.#entries.get(podUid)?.writing;
      if (!writing) return;
      await writing;
    }
  }

  /** The pod is gone: nothing more is written. */
  forget(podUid: string): void {
    this.#entries.delete(podUid);
  }

  /** Ends all attempts. */
  close(): void {
    this.#ending.abort(new Error('the node agent ends'));
  }

  #begin(uid: string): void {
    const entry = this.#entries.get(uid);
    if (!entry || entry.writing || entry.orphaned || this.#ending.signal.aborted) return;
    if (isSettled(entry) || !this.#targetOf(entry.pod)) return;
    entry.writing = this.#drain(uid, entry).finally(() => {
      entry.writing = undefined;
      // One may have been set after the last look.
      this.#begin(uid);
    });
  }

  /** Never rejects. */
  async #drain(uid: string, entry: Entry): Promise<void> {
    const { clock, random, logger } = this.#options;
    for (let failures = 0; this.#entries.get(uid) === entry; ) {
      if (this.#ending.signal.aborted || isSettled(entry)) return;
      const { status } = entry;
      const pod = this.#targetOf(entry.pod);
      if (!pod) return;
      try {
        const written = await this.#slots.run(() => this.#write(pod, status));
        entry.there = this.#isTarget(entry, pod) ? status : undefined;
        failures = 0;
        this.#options.onWritten(written);
      } catch (error) {
        const fields = { pod: `${pod.metadata.namespace}/${pod.metadata.name}`, err: error };
        // Another pod has the name now, or none: there is nobody to tell.
        const isGone = await this.#isGone(pod, error);
        if (isGone && !this.#isTarget(entry, pod)) continue;
        entry.orphaned = isGone;
        if (isGone) return;
        if (isInvalid(error)) {
          logger.error('the API refuses a pod status', fields);
          entry.refused = status;
          return;
        }
        if (failures === 3) logger.warn('a pod status cannot be written yet', fields);
        await clock
          .sleep(backoffDelay(failures++, RETRY, random), this.#ending.signal)
          .catch(() => undefined);
      }
    }
  }

  /** A Conflict is said of another pod's name, and of a pod that others were quicker to write: only the pod itself tells. */
  async #isGone(pod: Pod, error: unknown): Promise<boolean> {
    if (!isConflict(error)) return isNotFound(error);
    const { namespace, name = '', uid } = pod.metadata;
    const { signal } = this.#ending;
    const pods = this.#options.client.resource(Pods);
    try {
      const now = await this.#slots.run(() => pods.get({ namespace, name }, { signal }));
      return now.metadata.uid !== uid;
    } catch (why) {
      return isNotFound(why);
    }
  }

  /** Is that still the pod that the API has for ours? A copy may have been made anew while its status was written. */
  #isTarget({ pod }: Entry, written: Pod): boolean {
    return this.#targetOf(pod)?.metadata.uid === written.metadata.uid;
  }

  #targetOf(pod: Pod): Pod | undefined {
    const { targetOf } = this.#options;
    return targetOf ? targetOf(pod) : pod;
  }

  #write(pod: Pod, status: PodStatus): Promise<Pod> {
    const { namespace, name = '', uid } = pod.metadata;
    const body = { metadata: { uid }, status: statusPatch(status, pod.status) };
    const { signal } = this.#ending;
    const { client } = this.#options;
    return client
      .resource(Pods)
      .patch({ namespace, name }, { type: 'strategic', body }, { subresource: 'status', signal });
  }
}

/** Is there nothing more to write? */
function isSettled({ status, there, refused }: Entry): boolean {
  return deepEqual(there, status) || deepEqual(refused, status);
}
