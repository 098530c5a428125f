// How quickly the autoscaler acts. Defaults fit samples that come each second; docs/decisions/0001 says why they
// differ from those of clusters that measure each 15 or 60 seconds.

/** What can be set; all in milliseconds but for the tolerance. */
export interface AutoscalerOptions {
  /** How long after its start a pod's CPU counts only once the pod is ready. Default 30 000 (upstream 300 000). */
  readonly cpuInitializationMs: number;
  /** A pod that turned unready this soon after its start, and stays so, was never ready. Default 10 000 (upstream 30 000). */
  readonly initialReadinessDelayMs: number;
  /** Share by which use may miss its target without a change. Default 0.1, as upstream. */
  readonly tolerance: number;
  /** An autoscaler is looked at this often though no sample came. Default 15 000, upstream's only clock. */
  readonly resyncMs: number;
  /** Samples wake an autoscaler no more often than this. Default 200. */
  readonly minIntervalMs: number;
  /** Custom and external metrics are asked for no more often than this. Default 10 000 (upstream 15 000). */
  readonly foreignIntervalMs: number;
  /** Measured utilization alone changes the status no more often than this. Default 2 000. */
  readonly utilizationStatusMs: number;
  /** Measured amounts alone change the status no more often than this. Default 15 000. */
  readonly amountStatusMs: number;
}

const DEFAULTS: AutoscalerOptions = {
  cpuInitializationMs: 30_000,
  initialReadinessDelayMs: 10_000,
  tolerance: 0.1,
  resyncMs: 15_000,
  minIntervalMs: 200,
  foreignIntervalMs: 10_000,
  utilizationStatusMs: 2_000,
  amountStatusMs: 15_000,
};

/** The options with defaults filled in, frozen. */
export function resolveAutoscalerOptions(
  partial: Partial<AutoscalerOptions> = {},
): AutoscalerOptions {
  return Object.freeze({ ...DEFAULTS, ...partial });
}
