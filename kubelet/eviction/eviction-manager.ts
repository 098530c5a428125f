// Ends pods when the node runs short of memory, disk or processes, and those that have written more than they may.
// Invariants: at most one pod at a time for a shortage, and the next only once that one has gone or had its time; what can be given
// back without ending a pod is given back first; no pod that the node lives by is ended; nothing is looked at where nothing can come of it.
import type { Pod } from '../../api/generated/types.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { EventNote } from '../../client/events/recorder.ts';
import { type KubeletConfiguration, msOf } from '../configuration.ts';
import { HEARTBEAT_MS } from '../options.ts';
import type { Verdict } from '../pods/pod-status.ts';
import { isCriticalPod } from './critical-pods.ts';
import { EVICTED, starvedMessage } from './messages.ts';
import { type FigureDoors, lookAtNode, lookAtPods, type NodeLook } from './observe.ts';
import { type DiskParts, rankForEviction, WHOLE } from './pod-usage.ts';
import { NO_PRESSURE, type PressureState, stepPressure } from './pressure-state.ts';
import { hasStorageLimit, storageExcess } from './storage-limits.ts';
import {
  metBy,
  type Pressure,
  resourceOf,
  type StarvedResource,
  type Threshold,
  thresholdsOf,
} from './thresholds.ts';

/** How long a pod that is being evicted is waited for before the node is looked at again, as upstream. */
const CLEANUP_MS = 30_000;
/** What the host gets at least to show that a pod has gone, so that no other ends for its sake. */
const SETTLE_MS = 1_000;
/** What a pod gets to end in when a hard threshold, or a limit of its own, ends it. As upstream. */
const IMMEDIATE_MS = 1_000;

/** What gives room back without ending a pod. Each is called while the node is short of disk, and rejects at most. */
export interface NodeReclaim {
  /** Removes containers that have ended and are kept for their past only. */
  deleteUnusedContainers?(): Promise<void>;
  /** Removes images that no container uses, whatever their age. */
  deleteUnusedImages?(): Promise<void>;
}

/** What it needs. */
export interface EvictionOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly configuration: KubeletConfiguration;
  /** How often the node is looked at; HEARTBEAT_MS unless given, which is upstream's. */
  readonly heartbeatMs?: number;
  readonly figures: FigureDoors;
  readonly reclaim: NodeReclaim;
  /** The node's pods that have not come to their end. */
  pods(): readonly Pod[];
  /** Ends a pod; resolves when nothing of it runs any more. */
  end(podUid: string, verdict: Verdict, graceMs: number): Promise<void>;
  /** Tells of a pod, or of the node. */
  tell(about: Pod | 'node', note: EventNote): void;
  /** The pressures have changed. */
  onChange(): void;
  /** A pod is being evicted because this is low. */
  readonly onEvicted?: (signal: string) => void;
}

/** The evictions of one node. */
export class EvictionManager {
  readonly #options: EvictionOptions;
  readonly #thresholds: readonly Threshold[];
  #state: PressureState = NO_PRESSURE;
  /** Resolves when a pod with limits has come. */
  #limited = Promise.withResolvers<void>();

  constructor(options: EvictionOptions) {
    this.#options = options;
    this.#thresholds = thresholdsOf(options.configuration);
  }

  /** What the node is short of, as its conditions tell it. */
  get pressures(): readonly Pressure[] {
    return this.#state.pressures;
  }

  /** A pod has come: where it has limits it is looked after. */
  taken(pod: Pod): void {
    if (hasStorageLimit(pod)) this.#limited.resolve();
  }

  /** Looks after the node until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { logger } = this.#options;
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    while (!signal.aborted) {
      const isIdle = this.#thresholds.length === 0 && !this.#options.pods().some(hasStorageLimit);
      if (isIdle) await Promise.race([this.#limited.promise, aborted]);
      if (signal.aborted) return;
      this.#limited = Promise.withResolvers<void>();
      let evicted: readonly Promise<void>[] = [];
      try {
        evicted = await this.#look();
      } catch (error) {
        logger.warn('the node could not be looked at for evictions', { err: error });
      }
      await this.#pause(evicted, signal);
    }
  }

  /** A fixed time, or until those that were evicted have gone and the host may show it. */
  async #pause(evicted: readonly Promise<void>[], signal: AbortSignal): Promise<void> {
    const { clock, heartbeatMs = HEARTBEAT_MS } = this.#options;
    if (evicted.length > 0) await clock.sleep(SETTLE_MS, signal).catch(() => undefined);
    const stop = new AbortController();
    const ms = evicted.length > 0 ? CLEANUP_MS - SETTLE_MS : heartbeatMs;
    const slept = clock.sleep(ms, AbortSignal.any([signal, stop.signal])).catch(() => undefined);
    await Promise.race(evicted.length > 0 ? [slept, Promise.all(evicted)] : [slept]);
    stop.abort();
  }

  async #look(): Promise<readonly Promise<void>[]> {
    const look = await lookAtNode(this.#options.figures);
    this.#step(look);
    const overLimits = await this.#endThoseOverLimits();
    if (overLimits.length > 0) return overLimits;
    return this.#reclaim(look);
  }

  #step({ observations }: NodeLook): void {
    const { clock, configuration } = this.#options;
    const before = this.pressures;
    this.#state = stepPressure(this.#state, {
      thresholds: this.#thresholds,
      observations,
      nowMs: clock.monotonic(),
      transitionMs: msOf(configuration.evictionPressureTransitionPeriod),
    });
    if (before.join() !== this.pressures.join()) this.#options.onChange();
  }

  async #endThoseOverLimits(): Promise<readonly Promise<void>[]> {
    const limited = this.#options.pods().filter(hasStorageLimit);
    if (limited.length === 0) return [];
    const uses = await lookAtPods(limited, this.#options.figures, { bytes: true, inodes: false });
    return Array.from(uses).flatMap(([pod, use]) => {
      const excess = storageExcess(pod, use);
      if (!excess) return [];
      const { signal, message } = excess;
      const end = this.#evict(pod, { reason: EVICTED, message }, IMMEDIATE_MS);
      if (end) this.#options.onEvicted?.(signal);
      return end ? [end] : [];
    });
  }

  /** Does something about the first shortage whose patience is over. */
  async #reclaim(look: NodeLook): Promise<readonly Promise<void>[]> {
    const due = this.#state.due.toSorted(
      (a, b) =>
        Number(resourceOf(b.signal) === 'memory') - Number(resourceOf(a.signal) === 'memory'),
    );
    const [worst] = due;
    if (!worst) return [];
    const resource = resourceOf(worst.signal);
    const message = `Attempting to reclaim ${resource}`;
    this.#options.tell('node', { type: 'Warning', reason: 'EvictionThresholdMet', message });
    if (await this.#reclaimOfNode(worst, look)) return [];
    return this.#evictOne(worst, { due, look, resource });
  }

  /** True when that was enough. */
  async #reclaimOfNode({ signal }: Threshold, { hasImageFs }: NodeLook): Promise<boolean> {
    const { figures, reclaim, logger } = this.#options;
    const isOfImages = signal.startsWith('imagefs.');
    const isOfDisk = isOfImages || (signal.startsWith('nodefs.') && !hasImageFs);
    if (!isOfDisk || (!reclaim.deleteUnusedContainers && !reclaim.deleteUnusedImages)) return false;
    try {
      await reclaim.deleteUnusedContainers?.();
      await reclaim.deleteUnusedImages?.();
    } catch (error) {
      logger.warn('not everything that nobody uses could be removed', { err: error });
    }
    const { observations } = await lookAtNode(figures);
    return metBy(observations, this.#thresholds, { reclaiming: true }).length === 0;
  }

  async #evictOne(
    worst: Threshold,
    what: { due: readonly Threshold[]; look: NodeLook; resource: StarvedResource },
  ): Promise<readonly Promise<void>[]> {
    const { resource, due, look } = what;
    const { configuration, figures, logger } = this.#options;
    const uses = await lookAtPods(this.#options.pods(), figures, {
      bytes: resource === 'ephemeral-storage',
      inodes: resource === 'inodes',
    });
    const parts = partsOf(worst, look.hasImageFs);
    const ranked = rankForEviction(uses, { resource, parts });
    const graceMs =
      worst.graceMs === 0 ? IMMEDIATE_MS : configuration.evictionMaxPodGracePeriod * 1000;
    for (const pod of ranked) {
      const { observations } = look;
      const message = starvedMessage(pod, uses.get(pod), { resource, due, observations });
      const verdict = { reason: EVICTED, message, condition: 'TerminationByKubelet' };
      const end = this.#evict(pod, verdict, graceMs);
      if (end) this.#options.onEvicted?.(worst.signal);
      if (end) return [end];
    }
    logger.warn('the node is short of a resource, and there is no pod to evict', { resource });
    return [];
  }

  /** Undefined for a pod that is spared. */
  #evict(pod: Pod, verdict: Verdict, graceMs: number): Promise<void> | undefined {
    if (isCriticalPod(pod)) return undefined;
    this.#options.tell(pod, { type: 'Warning', reason: EVICTED, message: verdict.message });
    return this.#options.end(pod.metadata.uid ?? '', verdict, graceMs);
  }
}

/** What of pods lies on the file system of a signal: everything, unless images have one of their own. */
function partsOf({ signal }: Threshold, hasImageFs: boolean): DiskParts {
  if (!hasImageFs) return WHOLE;
  const isOfImages = signal.startsWith('imagefs.');
  return { logs: !isOfImages, root: isOfImages, volumes: !isOfImages };
}
