// An autoscaler's status, and when a change of it is worth writing. Pure.
// Invariant: conditions and sizes are written as they change; measured figures alone only now and then, so that a
// sample each second does not become a write each second.
import type {
  HorizontalPodAutoscalerStatusV2,
  HorizontalPodAutoscalerV2,
  MetricStatusV2,
} from '../../api/generated/types.ts';
import { formatTime } from '../../api/meta/time.ts';
import { withCondition } from '../framework/conditions.ts';
import { sameJson } from '../framework/same-json.ts';
import type { DecidedCondition } from './decide.ts';
import type { AutoscalerOptions } from './options.ts';

/** What the status says. */
export interface Outcome {
  readonly current: number;
  readonly desired: number;
  readonly rescaled: boolean;
  readonly conditions: readonly DecidedCondition[];
  /** Undefined keeps those of before. */
  readonly metrics: readonly MetricStatusV2[] | undefined;
  readonly nowMs: number;
}

/** The status after an outcome. */
export function autoscalerStatus(
  { metadata, status }: HorizontalPodAutoscalerV2,
  outcome: Outcome,
): HorizontalPodAutoscalerStatusV2 {
  const now = formatTime(outcome.nowMs);
  let conditions = status?.conditions;
  for (const condition of outcome.conditions)
    conditions = withCondition(conditions, condition, now);
  return {
    ...status,
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    ...(outcome.rescaled ? { lastScaleTime: now } : {}),
    currentReplicas: outcome.current,
    desiredReplicas: outcome.desired,
    currentMetrics: outcome.metrics ? [...outcome.metrics] : status?.currentMetrics,
    conditions,
  };
}

/** Is the change worth a write, `sinceMs` after the last one? */
export function isWorthWriting(
  before: HorizontalPodAutoscalerStatusV2 | undefined,
  after: HorizontalPodAutoscalerStatusV2,
  pace: { readonly sinceMs: number; readonly options: AutoscalerOptions },
): boolean {
  const rest = (status: HorizontalPodAutoscalerStatusV2 | undefined) => ({
    ...status,
    currentMetrics: undefined,
  });
  if (!before || !sameJson(rest(before), rest(after))) return true;
  if (sameJson(before.currentMetrics, after.currentMetrics)) return false;
  const sameShares = sameJson(
    shares(before.currentMetrics ?? []),
    shares(after.currentMetrics ?? []),
  );
  const { utilizationStatusMs, amountStatusMs } = pace.options;
  return pace.sinceMs >= (sameShares ? amountStatusMs : utilizationStatusMs);
}

function shares(metrics: readonly MetricStatusV2[]): (number | undefined)[] {
  return metrics.map(
    ({ resource, containerResource }) =>
      (resource ?? containerResource)?.current.averageUtilization,
  );
}
