// The scheduler: takes pods without a node one after another, finds each a node, binds it.
// Invariant: a pod counts on its node from the moment the node is chosen, so two pods never get the same room.
import { backoffDelay } from '../base/backoff.ts';
import { type Clock } from '../base/clock.ts';
import type { Figures } from '../base/figures.ts';
import type { Logger } from '../base/logger.ts';
import type { Random } from '../base/random.ts';
import { claimKeysOf, claimsOfPod } from '../api/core/volume-matching.ts';
import {
  Nodes,
  PersistentVolumeClaims,
  PersistentVolumes,
  Pods,
  StorageClasses,
} from '../api/kinds.ts';
import type { Node, PersistentVolumeClaim, Pod, PodCondition } from '../api/generated/types.ts';
import { findCondition, setCondition } from '../api/meta/conditions.ts';
import { deepEqual } from '../api/meta/deep-equal.ts';
import { keyOf, type KubeObject } from '../api/meta/object.ts';
import { isNotFound } from '../api/status.ts';
import type { EventNote } from '../client/events/recorder.ts';
import type { InformerFactory } from '../client/informer/informer.ts';
import type { Client } from '../client/rest/client.ts';
import { bindPod } from '../client/rest/subresources.ts';
import { type Profile, refusals, selectNode } from './framework/select-node.ts';
import { leastAllocated, mostAllocated } from './plugins/allocation-scores.ts';
import { nodeAffinity, preferredNodeAffinity } from './plugins/node-affinity.ts';
import { nodeUnschedulable } from './plugins/node-unschedulable.ts';
import { nodePorts, resourcesFit } from './plugins/resources-fit.ts';
import { preferUntainted, taintsTolerations } from './plugins/taints-tolerations.ts';
import { volumeBinding } from './plugins/volume-binding.ts';
import { volumeRestrictions } from './plugins/volume-restrictions.ts';
import { PodQueue, type QueuedPod } from './queue/pod-queue.ts';
import { type AttemptResult, schedulerFigures, type TellAttempt } from './scheduler-figures.ts';
import { ClusterState } from './snapshot/cluster-state.ts';
import { demandOf } from './snapshot/node-info.ts';
import { VolumeBinder, type VolumeChoices } from './volumes/volume-binder.ts';
import { claimProblem, NO_NEEDS, type VolumeNeeds, volumeNeedsOf } from './volumes/volume-needs.ts';

/** How nodes are chosen. */
export interface SchedulerOptions {
  /** Pods that name another scheduler are left alone; `default-scheduler` unless given. */
  readonly name?: string;
  /** `spread` (least allocated) unless given; `pack` for bin packing (most allocated). */
  readonly strategy?: 'spread' | 'pack';
  /** Bindings under way at once; 32 unless given. */
  readonly parallelBindings?: number;
  /**
   * `bound` unless given: pods wait until their claims are bound, and go where their volumes are. With `any`, a claim need only be
   * there: for nodes that give each claim some storage, as fake ones do.
   */
  readonly claims?: 'bound' | 'any';
}

/** What the scheduler needs. */
export interface SchedulerParts {
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly events: {
    event(about: KubeObject, note: EventNote): void;
    run(signal: AbortSignal): Promise<void>;
  };
  readonly options: SchedulerOptions;
  /** Where attempts are counted. */
  readonly figures?: Figures | undefined;
}

/** How long until a pod is looked for again whose binding has an unknown outcome and that could not be read. */
const UNKNOWN_RETRY = { initialMs: 250, maxMs: 10_000 };
const NEVER = new AbortController().signal;
const DEFAULT_NAME = 'default-scheduler';
const PARALLEL_BINDINGS = 32;

/** Schedules until aborted. Starts the informers and the recorder it was given. */
export async function runScheduler(parts: SchedulerParts, signal: AbortSignal): Promise<void> {
  const scheduler = new Scheduler(parts);
  parts.informers.start(signal);
  const recording = parts.events.run(signal);
  await parts.informers.synced(signal).catch(() => undefined);
  await scheduler.run(signal);
  await recording;
}

class Scheduler {
  readonly #parts: SchedulerParts;
  readonly #state = new ClusterState();
  readonly #queue: PodQueue;
  readonly #profile: Profile;
  readonly #tell: TellAttempt;
  readonly #volumes: VolumeBinder;
  readonly #binding = new Set<Promise<void>>();
  /** Pods whose volumes are being bound first, which others may have to do: nobody waits for them. */
  readonly #settling = new Set<Promise<void>>();
  /** Where the next search for a node begins. */
  #from = 0;
  #signal: AbortSignal | undefined;

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
    this.#queue = new PodQueue(parts.clock);
    const { figures } = parts;
    const name = parts.options.name ?? DEFAULT_NAME;
    this.#tell = figures
      ? schedulerFigures(figures, name, () => this.#queue.waiting())
      : () => undefined;
    this.#volumes = new VolumeBinder(parts);
    const pack = parts.options.strategy === 'pack';
    this.#profile = {
      filters: [
        nodeUnschedulable,
        taintsTolerations,
        nodeAffinity,
        nodePorts,
        resourcesFit,
        volumeRestrictions(this.#state),
        volumeBinding(this.#volumes),
      ],
      scores: [pack ? mostAllocated : leastAllocated, preferredNodeAffinity, preferUntainted],
    };
    this.#follow();
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    const limit = this.#parts.options.parallelBindings ?? PARALLEL_BINDINGS;
    for (;;) {
      while (this.#binding.size >= limit) await Promise.race(this.#binding);
      const next = await this.#queue.take(signal);
      if (!next) break;
      this.#place(next);
    }
    await Promise.all([...this.#binding, ...this.#settling]);
    this.#queue.close();
  }

  #follow(): void {
    const { informers } = this.#parts;
    informers.informer(Nodes).subscribe({
      onAdd: (node) => {
        this.#state.putNode(node);
        this.#roomOn(node.metadata.name);
      },
      onUpdate: (node, old) => {
        this.#state.putNode(node);
        if (!decidesAlike(node, old)) this.#roomOn(node.metadata.name);
      },
      onDelete: (node) => this.#state.removeNode(node.metadata.name ?? ''),
    });
    this.#followStorage();
    informers.informer(Pods).subscribe({
      onAdd: (pod) => this.#see(pod),
      onUpdate: (pod, old) => {
        this.#see(pod);
        const resized = pod.metadata.generation !== old.metadata.generation;
        const freed = isOver(pod) ? !isOver(old) : resized;
        if (freed) this.#roomOn(pod.spec?.nodeName);
        if (freed && isOver(pod)) this.#claimsFreed(pod);
      },
      onDelete: (pod) => {
        this.#queue.remove(pod.metadata.uid ?? '');
        this.#state.removePod(pod);
        this.#roomOn(pod.spec?.nodeName);
        this.#claimsFreed(pod);
      },
    });
  }

  /** Pods that wait for a claim are tried again when it changes; with volumes and classes any of those with claims may find theirs. */
  #followStorage(): void {
    const { informers } = this.#parts;
    const claimed = ({ metadata }: PersistentVolumeClaim) =>
      this.#queue.retry(
        (pod) =>
          pod.metadata.namespace === metadata.namespace &&
          claimsOfPod(pod).some(({ name }) => name === metadata.name),
      );
    informers.informer(PersistentVolumeClaims).subscribe({ onAdd: claimed, onUpdate: claimed });
    if (this.#parts.options.claims === 'any') return;
    const stored = () => this.#queue.retry((pod) => claimsOfPod(pod).length > 0);
    informers.informer(PersistentVolumes).subscribe({ onAdd: stored, onUpdate: stored });
    informers.informer(StorageClasses).subscribe({ onAdd: stored });
  }

  /** What the pod's claims ask of a node, or why it waits for them. */
  #needsOf(pod: Pod): VolumeNeeds | string {
    if (this.#parts.options.claims !== 'any') return volumeNeedsOf(pod, this.#volumes);
    for (const { name, ephemeral } of claimsOfPod(pod)) {
      const claim = this.#volumes.claim(pod.metadata.namespace ?? '', name);
      const why = claimProblem(pod, { name, ephemeral }, claim);
      if (why !== undefined) return why;
    }
    return NO_NEEDS;
  }

  /** A node may take more than before. It alone has changed, so only pods that it would take now are tried again. */
  #roomOn(name: string | undefined): void {
    const node = this.#state.node(name ?? '');
    if (!node) return;
    this.#queue.retry((pod) => {
      try {
        const volumes = this.#needsOf(pod);
        if (typeof volumes === 'string') return false;
        const candidate = { pod, demand: demandOf(pod), volumes };
        return refusals(candidate, node, this.#profile).length === 0;
      } catch {
        // What is wrong with the pod is told when it is tried.
        return true;
      }
    });
  }

  /** The pod uses its claims no more: others that wait for one of them may, on whichever node. */
  #claimsFreed(pod: Pod): void {
    const freed = new Set(claimKeysOf(pod));
    if (freed.size === 0) return;
    this.#queue.retry((each) => claimKeysOf(each).some((key) => freed.has(key)));
  }

  #see(pod: Pod): void {
    if (pod.spec?.nodeName || isOver(pod)) {
      this.#queue.remove(pod.metadata.uid ?? '');
      this.#state.putPod(pod);
      return;
    }
    const mine =
      (pod.spec?.schedulerName ?? DEFAULT_NAME) === (this.#parts.options.name ?? DEFAULT_NAME);
    const gated = (pod.spec?.schedulingGates ?? []).length > 0;
    // A change that is seen while the pod is being bound is no reason to place it again.
    if (this.#state.isPlaced(pod)) return;
    if (mine && !gated && !pod.metadata.deletionTimestamp) this.#queue.put(pod);
    else this.#queue.remove(pod.metadata.uid ?? '');
  }

  /** Whatever one pod holds, the others go on: one that cannot even be looked at is put back. */
  #place(queued: QueuedPod): void {
    const startedAt = this.#parts.clock.monotonic();
    try {
      this.#choose(queued, startedAt);
    } catch (err) {
      this.#ended('error', startedAt, queued);
      this.#state.unassume(queued.pod);
      this.#tryLater(queued, 'looking for a node failed; trying again', err);
    }
  }

  #ended(result: AttemptResult, startedAt: number, { attempts, sinceMs }: QueuedPod): void {
    const now = this.#parts.clock.monotonic();
    const waitedMs = now - (sinceMs ?? startedAt);
    this.#tell(result, { tookMs: now - startedAt, waitedMs, attempts: attempts + 1 });
  }

  #tryLater(queued: QueuedPod, what: string, err: unknown): void {
    this.#parts.logger.warn(what, { err, pod: keyOf(queued.pod) });
    this.#queue.putBack({ ...queued, attempts: queued.attempts + 1 }, 'error');
  }

  #choose(queued: QueuedPod, startedAt: number): void {
    const { pod } = queued;
    const { nodes } = this.#state;
    const volumes = this.#needsOf(pod);
    if (typeof volumes === 'string' && nodes.length > 0) {
      this.#ended('unschedulable', startedAt, queued);
      const message = `0/${nodes.length} nodes are available: ${volumes}.`;
      this.#track(this.#refuse(queued, message));
      return;
    }
    const needs = typeof volumes === 'string' ? NO_NEEDS : volumes;
    const candidate = { pod, demand: demandOf(pod), volumes: needs };
    const at = { profile: this.#profile, random: this.#parts.random, from: this.#from };
    const selection = selectNode(candidate, nodes, at);
    this.#from = (this.#from + selection.looked) % Math.max(1, nodes.length);
    if (selection.kind === 'none') {
      this.#ended('unschedulable', startedAt, queued);
      this.#track(this.#refuse(queued, selection.message));
      return;
    }
    const node = this.#state.node(selection.name)?.node;
    // One that was seen bound meanwhile stays where it is.
    if (!node || !this.#state.assume(pod, selection.name)) return;
    const choices = this.#volumes.assume(needs, node);
    const bound = this.#bind(queued, selection.name, choices);
    const told = (done: boolean) => this.#ended(done ? 'scheduled' : 'error', startedAt, queued);
    this.#track(bound.then(told), choices.length > 0 ? this.#settling : this.#binding);
  }

  #track(work: Promise<void>, among = this.#binding): void {
    const settled: Promise<void> = work
      .catch((err: unknown) => this.#parts.logger.error('scheduling a pod failed', { err }))
      .finally(() => among.delete(settled));
    among.add(settled);
  }

  /** Whether it is bound for certain. */
  async #bind(queued: QueuedPod, node: string, choices: VolumeChoices): Promise<boolean> {
    const { pod } = queued;
    const { name = '', namespace = '', uid = '' } = pod.metadata;
    try {
      if (choices.length > 0) await this.#volumes.bind(choices, this.#signal ?? NEVER);
      await bindPod(this.#parts.client, { namespace, name, uid, node });
      this.#parts.events.event(pod, {
        type: 'Normal',
        reason: 'Scheduled',
        message: `Successfully assigned ${namespace}/${name} to ${node}`,
      });
      return true;
    } catch (err) {
      const live = await this.#liveForm(pod);
      if (live === 'unknown') return false;
      // Bound after all, the answer was lost: seeing it makes its place certain, and it keeps it.
      if (live) this.#parts.informers.informer(Pods).observeWrite(live);
      this.#state.unassume(pod);
      this.#roomOn(node);
      this.#claimsFreed(pod);
      // Gone, or bound or being deleted by whomever: its own events tell what is next.
      if (!live || live.spec?.nodeName || live.metadata.deletionTimestamp) return false;
      this.#tryLater({ ...queued, pod: live }, 'binding failed; trying again', err);
      return false;
    }
  }

  /**
   * The pod as the server has it, asked for until it answers: an error of a binding does not say whether it was made,
   * and until that is known the pod counts where it may be. Undefined where it is gone; unknown where we stop first.
   */
  async #liveForm({ metadata }: Pod): Promise<Pod | undefined | 'unknown'> {
    const { name = '', namespace = '', uid } = metadata;
    const { client, clock, logger } = this.#parts;
    for (let attempt = 0; !this.#signal?.aborted; attempt++) {
      try {
        const live = await client.resource(Pods).get({ namespace, name });
        return live.metadata.uid === uid ? live : undefined;
      } catch (err) {
        if (isNotFound(err)) return undefined;
        logger.warn('whether a pod is bound cannot be read; trying again', {
          err,
          namespace,
          name,
        });
        const rest = clock.sleep(backoffDelay(attempt, UNKNOWN_RETRY), this.#signal);
        await rest.catch(() => undefined);
      }
    }
    return 'unknown';
  }

  async #refuse(queued: QueuedPod, message: string): Promise<void> {
    const { pod } = queued;
    this.#queue.putBack({ ...queued, attempts: queued.attempts + 1 }, 'unschedulable');
    const before = findCondition(pod.status?.conditions, 'PodScheduled');
    if (before?.message === message && before.reason === 'Unschedulable') return;
    this.#parts.events.event(pod, { type: 'Warning', reason: 'FailedScheduling', message });
    const condition: PodCondition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
    };
    const conditions = setCondition(pod.status?.conditions, condition, this.#parts.clock.now());
    const { name = '', namespace = '' } = pod.metadata;
    await this.#parts.client
      .resource(Pods)
      .patch(
        { namespace, name },
        { type: 'strategic', body: { status: { conditions } } },
        { subresource: 'status' },
      )
      .catch((err: unknown) => {
        if (!isNotFound(err)) throw err;
      });
  }
}

/** Do both forms of a node take the same pods? Heartbeats and images change nothing. */
function decidesAlike(node: Node, old: Node): boolean {
  return (
    node.spec?.unschedulable === old.spec?.unschedulable &&
    deepEqual(node.spec?.taints, old.spec?.taints) &&
    deepEqual(node.metadata.labels, old.metadata.labels) &&
    deepEqual(node.status?.allocatable, old.status?.allocatable)
  );
}

function isOver(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}
