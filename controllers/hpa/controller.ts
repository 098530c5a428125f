// HorizontalPodAutoscalers: what wakes them. Their own changes, new figures of the pods they watch over, and the clock.
// Invariant: a sample is acted on as it arrives (docs/decisions/0001-hpa-acts-on-samples.md), not at the next tick.
import type { HorizontalPodAutoscalerV2 } from '../../api/generated/types.ts';
import { HorizontalPodAutoscalers, PodMetricsKind } from '../../api/kinds.ts';
import type { PodMetrics } from '../../api/kinds.ts';
import type { ControllerFactory } from '../framework/reconciler.ts';
import { source } from '../framework/reconciler.ts';
import type { AutoscalerOptions } from './options.ts';
import { resolveAutoscalerOptions } from './options.ts';
import { AutoscalerReconciler } from './reconcile.ts';

/** How many autoscalers are looked at at once, as upstream. */
const CONCURRENT_AUTOSCALERS = 5;

/** Scales workloads by the CPU and memory their pods use. */
export function horizontalPodAutoscaler(
  options: Partial<AutoscalerOptions> = {},
): ControllerFactory {
  const resolved = resolveAutoscalerOptions(options);
  return (context) => {
    const reconciler = new AutoscalerReconciler(context, resolved);
    return {
      name: 'horizontal-pod-autoscaler',
      concurrency: CONCURRENT_AUTOSCALERS,
      sources: [
        source<HorizontalPodAutoscalerV2>({
          ref: HorizontalPodAutoscalers,
          // Status is what we write ourselves.
          predicate: (next, old, change) =>
            change !== 'update' || next.metadata.generation !== old?.metadata.generation,
        }),
        source<PodMetrics>({
          ref: PodMetricsKind,
          predicate: (_metrics, _old, change) => change !== 'delete',
          keys: (metrics) => reconciler.keysFor(metrics),
        }),
      ],
      reconcile: (key, loop) => reconciler.reconcile(key, loop),
    };
  };
}
