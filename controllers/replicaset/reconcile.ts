// One look at a ReplicaSet: claims its pods, creates or deletes towards the wanted number, writes the status.
// Invariant: while an answer to earlier creations or deletions is outstanding, no more are asked for.
import type { Clock } from '../../base/clock.ts';
import type { Pod, ReplicaSet } from '../../api/generated/types.ts';
import { Pods, ReplicaSets } from '../../api/kinds.ts';
import { fromLabelSelector } from '../../api/meta/labels.ts';
import { controllerOf, keyOf } from '../../api/meta/object.ts';
import { isNamespaceTerminating, isNotFound } from '../../api/status.ts';
import type { Informer } from '../../client/informer/informer.ts';
import type { ResourceClient } from '../../client/rest/client.ts';
import { claimAll } from '../framework/claim.ts';
import type { Expectations } from '../framework/expectations.ts';
import { controlledBy } from '../framework/owner.ts';
import { isPodActive } from '../framework/pod-state.ts';
import type { ControllerContext, EventRecorder, Result } from '../framework/reconciler.ts';
import { done, requeueAfter } from '../framework/reconciler.ts';
import { writeStatus } from '../framework/status-writer.ts';
import { newPod, planStep } from './plan.ts';
import { slowStart } from './slow-start.ts';
import type { Failure } from './status.ts';
import { nextAvailableMs, replicaSetStatus } from './status.ts';

/** Reconciles ReplicaSets. */
export class ReplicaSetReconciler {
  readonly #clock: Clock;
  readonly #events: EventRecorder;
  readonly #sets: Informer<ReplicaSet>;
  readonly #pods: Informer<Pod>;
  readonly #setClient: ResourceClient<ReplicaSet>;
  readonly #podClient: ResourceClient<Pod>;
  readonly #expectations: Expectations;

  constructor(context: ControllerContext, expectations: Expectations) {
    this.#clock = context.clock;
    this.#events = context.events;
    this.#sets = context.informers.informer(ReplicaSets);
    this.#pods = context.informers.informer(Pods);
    this.#setClient = context.client.resource(ReplicaSets);
    this.#podClient = context.client.resource(Pods);
    this.#expectations = expectations;
  }

  /** Brings one set nearer to what it asks for. Throws the failure of a creation or deletion, once it is told. */
  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const set = this.#sets.get(key);
    if (!set) {
      this.#expectations.forget(key);
      return done;
    }
    const claimed = await claimAll({
      owner: set,
      selector: fromLabelSelector(set.spec?.selector),
      owners: this.#setClient,
      things: this.#podClient,
      informer: this.#pods,
      // One that has ended would only be counted as missing.
      mayAdopt: isPodActive,
      signal,
    });
    const mayAct =
      this.#expectations.satisfied(key) && set.metadata.deletionTimestamp === undefined;
    const outcome = mayAct ? await this.#act(set, claimed) : undefined;
    // Read again: the cache shows what was just created.
    const pods = controlledBy(this.#pods, set);
    const nowMs = this.#clock.now();
    const failure = mayAct ? outcome?.failure : 'unknown';
    const { generation } = set.metadata;
    await writeStatus({ resource: this.#setClient, signal }, set, (current) =>
      replicaSetStatus(current, { pods, generation, failure, nowMs }),
    );
    if (outcome) throw outcome.error;
    const waits = [nextAvailableMs(set, pods, nowMs), this.#expectations.waitMs(key) || undefined];
    const next = waits.filter((ms) => ms !== undefined);
    return next.length > 0 ? requeueAfter(Math.min(...next)) : done;
  }

  async #act(set: ReplicaSet, claimed: readonly Pod[]): Promise<Failed | undefined> {
    const step = planStep(set, claimed.filter(isPodActive), {
      nowMs: this.#clock.now(),
      crowding: this.#crowding(set),
    });
    if (step.kind === 'create') return this.#create(set, step.count);
    if (step.kind === 'delete') return this.#delete(set, step.pods);
    return undefined;
  }

  async #create(set: ReplicaSet, count: number): Promise<Failed | undefined> {
    const key = keyOf(set);
    const pod = newPod(set);
    this.#expectations.expectCreations(key, count);
    const outcome = await slowStart(count, async () => {
      try {
        const made = await this.#podClient.create(pod);
        // The cache has it, and so the creation is counted as seen.
        this.#tell(set, 'Normal', ['SuccessfulCreate', `Created pod: ${made.metadata.name ?? ''}`]);
      } catch (error) {
        this.#expectations.creationObserved(key);
        if (isNamespaceTerminating(error)) return;
        this.#tell(set, 'Warning', ['FailedCreate', `Error creating: ${messageOf(error)}`]);
        throw error;
      }
    });
    for (let i = 0; i < outcome.skipped; i++) this.#expectations.creationObserved(key);
    return outcome.failure && failed('FailedCreate', outcome.failure.error);
  }

  async #delete(set: ReplicaSet, pods: readonly Pod[]): Promise<Failed | undefined> {
    const key = keyOf(set);
    this.#expectations.expectDeletions(key, pods.map(keyOf));
    const results = await Promise.allSettled(pods.map((pod) => this.#deleteOne(set, pod)));
    const first = results.find((result) => result.status === 'rejected');
    return first && failed('FailedDelete', first.reason);
  }

  async #deleteOne(set: ReplicaSet, pod: Pod): Promise<void> {
    const { namespace, name = '', uid } = pod.metadata;
    try {
      const preconditions = uid === undefined ? undefined : { uid };
      await this.#podClient.delete({ namespace, name }, { preconditions });
      this.#tell(set, 'Normal', ['SuccessfulDelete', `Deleted pod: ${name}`]);
    } catch (error) {
      this.#expectations.deletionObserved(keyOf(set), keyOf(pod));
      if (isNotFound(error)) return;
      this.#tell(set, 'Warning', ['FailedDelete', `Error deleting: ${messageOf(error)}`]);
      throw error;
    }
  }

  /** Counts the pods of all sets of the same owner by node, once for one choice. */
  #crowding(set: ReplicaSet): (pod: Pod) => number {
    let byNode: Map<string, number> | undefined;
    const count = () => {
      const owner = controllerOf(set);
      const sets = owner
        ? controlledBy(this.#sets, { ...set, metadata: { uid: owner.uid } })
        : [set];
      const counts = new Map<string, number>();
      for (const pod of sets.flatMap((each) => controlledBy(this.#pods, each))) {
        const node = pod.spec?.nodeName;
        if (node && isPodActive(pod)) counts.set(node, (counts.get(node) ?? 0) + 1);
      }
      return counts;
    };
    return (pod) => (byNode ??= count()).get(pod.spec?.nodeName ?? '') ?? 0;
  }

  #tell(set: ReplicaSet, type: 'Normal' | 'Warning', [reason, message]: [string, string]): void {
    this.#events.event(set, { type, reason, message });
  }
}

interface Failed {
  readonly failure: Failure;
  readonly error: unknown;
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

function failed(reason: Failure['reason'], error: unknown): Failed {
  return { failure: { reason, message: messageOf(error) }, error };
}
