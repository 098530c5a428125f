// The `Targets` column of autoscalers: `cpu: 12%/80%`, measured before aimed at.
// Pure; metrics are matched with their measurements by place, as the controller writes them.
import type {
  HorizontalPodAutoscalerV2,
  MetricSpecV2,
  MetricStatusV2,
  MetricTargetV2,
  MetricValueStatusV2,
} from '../generated/types.ts';

const SHOWN = 2;

/** All metrics, the first two in full. */
export function targetsText({ spec, status }: HorizontalPodAutoscalerV2): string {
  const metrics = spec?.metrics ?? [];
  if (metrics.length === 0) return '<none>';
  const texts = metrics.map((metric, i) => metricText(metric, status?.currentMetrics?.[i]));
  const shown = texts.slice(0, SHOWN).join(', ');
  return texts.length > SHOWN ? `${shown} + ${texts.length - SHOWN} more...` : shown;
}

function metricText(metric: MetricSpecV2, measured: MetricStatusV2 | undefined): string {
  const resource = metric.resource ?? metric.containerResource;
  const current = measurementOf(measured);
  if (resource) return `${resource.name}: ${resourceText(resource.target, current)}`;
  const target = (metric.pods ?? metric.object ?? metric.external)?.target;
  if (!target) return '<unknown type>';
  const text = amountText(target, current);
  return target.averageValue !== undefined && !metric.pods ? `${text} (avg)` : text;
}

/** The figures of whichever source was measured. */
function measurementOf(measured: MetricStatusV2 | undefined): MetricValueStatusV2 | undefined {
  const { resource, containerResource, pods, object, external } = measured ?? {};
  return (resource ?? containerResource ?? pods ?? object ?? external)?.current;
}

function resourceText(target: MetricTargetV2, current: MetricValueStatusV2 | undefined): string {
  if (target.averageValue !== undefined) return amountText(target, current);
  const now = current?.averageUtilization;
  const [left, right] = [now, target.averageUtilization].map((percent) =>
    percent === undefined ? undefined : `${percent}%`,
  );
  return `${left ?? '<unknown>'}/${right ?? '<auto>'}`;
}

function amountText(target: MetricTargetV2, current: MetricValueStatusV2 | undefined): string {
  return target.averageValue === undefined
    ? `${current?.value ?? '<unknown>'}/${target.value ?? '<unknown>'}`
    : `${current?.averageValue ?? '<unknown>'}/${target.averageValue}`;
}
