// Ends all pods of a node that is about to go, those that the cluster lives by last (Kubernetes docs: Graceful node shutdown).
// Invariants: no pod comes any more once it has begun; it is over when the periods are, whatever the pods do.
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
    for (const group of this.#groups()) await this.#end(group);
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

  /** Until the last one has gone, or the group's time is up. */
  async #end({ pods, periodMs }: Group): Promise<void> {
    const { clock, end } = this.#options;
    const late = Promise.withResolvers<void>();
    const timer = clock.timer(periodMs, () => late.resolve());
    const ends = pods.map(({ metadata, spec }) => {
      const ownMs = (spec?.terminationGracePeriodSeconds ?? Infinity) * 1000;
      return end(metadata.uid ?? '', TERMINATED, Math.min(periodMs, ownMs));
    });
    await Promise.race([late.promise, Promise.allSettled(ends)]);
    timer.cancel();
  }
}
