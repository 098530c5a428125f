// Ends all pods of a node that is about to go, those that the cluster lives by last (Kubernetes docs: Graceful node shutdown).
// Invariants: no pod comes any more once it has begun; those that had to be killed are told, too; it is over soon after the periods are,
// whatever the pods do.
import type { Pod } from '../../api/generated/types.ts';
import type { Clock } from '../../base/clock.ts';
import type { EventNote } from '../../client/events/recorder.ts';
import { type KubeletConfiguration, msOf } from '../configuration.ts';
import { SYSTEM_CRITICAL_PRIORITY } from '../eviction/critical-pods.ts';
import type { Verdict } from '../pods/pod-status.ts';

/** What it needs. */
export interface ShutdownOptions {
  readonly clock: Clock;
  readonly configuration: KubeletConfiguration;
  /** Pods that have not come to their end. */
  readonly pods: () => readonly Pod[];
  /** Ends a pod; resolves when nothing of it runs any more and the API has been told. */
  readonly end: (podUid: string, verdict: Verdict, graceMs: number) => Promise<void>;
  /** Tells of the node. */
  readonly tell: (note: EventNote) => void;
  /** It has begun. */
  readonly onChange: () => void;
}

/** What ended pods are told to be, as upstream. */
const TERMINATED: Verdict = {
  reason: 'Terminated',
  message: 'Pod was terminated in response to imminent node shutdown.',
  condition: 'TerminationByKubelet',
};

/** A pod that uses up its period is killed as that ends: so long it is waited for, once for all pods, that its end is told. */
const LAST_WORDS_MS = 2_000;

/** Pods that end together. */
interface Group {
  readonly pods: readonly Pod[];
  readonly periodMs: number;
}

/** The shutdown of one node. */
export class NodeShutdown {
  readonly #options: ShutdownOptions;
  #run: Promise<void> | undefined;

  constructor(options: ShutdownOptions) {
    this.#options = options;
  }

  /** Has it begun? */
  get hasBegun(): boolean {
    return this.#run !== undefined;
  }

  /** Ends the pods; at once over where shutdownGracePeriod is zero. Repeatable: there is one shutdown. Rejects never. */
  run(): Promise<void> {
    if (msOf(this.#options.configuration.shutdownGracePeriod) === 0) return Promise.resolve();
    this.#run ??= this.#shutDown();
    return this.#run;
  }

  async #shutDown(): Promise<void> {
    const { onChange, tell } = this.#options;
    const message = 'Shutdown manager detected shutdown event';
    tell({ type: 'Normal', reason: 'Shutdown', message });
    // What the callback reads is set when this call has returned.
    await Promise.resolve();
    onChange();
    const ends: Promise<void>[] = [];
    for (const group of this.#groups()) {
      const begun = this.#begin(group);
      ends.push(...begun);
      await this.#within(group.periodMs, begun);
    }
    await this.#within(LAST_WORDS_MS, ends);
  }

  #groups(): readonly Group[] {
    const { configuration, pods } = this.#options;
    const criticalMs = msOf(configuration.shutdownGracePeriodCriticalPods);
    const isCritical = ({ spec }: Pod) => (spec?.priority ?? 0) >= SYSTEM_CRITICAL_PRIORITY;
    const all = Map.groupBy(pods(), isCritical);
    return [
      {
        pods: all.get(false) ?? [],
        periodMs: msOf(configuration.shutdownGracePeriod) - criticalMs,
      },
      { pods: all.get(true) ?? [], periodMs: criticalMs },
    ];
  }

  #begin({ pods, periodMs }: Group): Promise<void>[] {
    return pods.map(({ metadata, spec }) => {
      const ownMs = (spec?.terminationGracePeriodSeconds ?? Infinity) * 1000;
      return this.#options.end(metadata.uid ?? '', TERMINATED, Math.min(periodMs, ownMs));
    });
  }

  /** Until the last one has gone, or the time is up. */
  async #within(ms: number, ends: readonly Promise<void>[]): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = this.#options.clock.timer(ms, () => late.resolve());
    await Promise.race([late.promise, Promise.allSettled(ends)]);
    timer.cancel();
  }
}
