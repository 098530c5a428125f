// HorizontalPodAutoscalers (autoscaling/v2): how many pods a workload has, after what its metrics say.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type {
  HorizontalPodAutoscalerSpecV2,
  HorizontalPodAutoscalerV2,
  HPAScalingRulesV2,
  MetricSpecV2,
  MetricTargetV2,
} from '../generated/types.ts';
import { HorizontalPodAutoscalers } from '../kinds.ts';
import { ageColumn, count, nameColumn, text } from '../meta/columns.ts';
import { canonicalQuantity } from '../meta/quantity.ts';
import { targetsText } from './metric-text.ts';
import { validateAutoscaler } from './autoscaler-validation.ts';

/** CPU use that is aimed at where no metric is named, percent of requests. */
const DEFAULT_CPU_PERCENT = 80;

/** What HorizontalPodAutoscalers are. */
export const horizontalPodAutoscalerDefinition = defineResource<HorizontalPodAutoscalerV2>({
  ref: HorizontalPodAutoscalers,
  singular: 'horizontalpodautoscaler',
  listKind: 'HorizontalPodAutoscalerList',
  shortNames: ['hpa'],
  categories: ['all'],
  schemaName: 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler',
  verbs: ALL_VERBS,
  hasStatus: true,
  hasGeneration: true,
  subresources: [],
  columns: [
    nameColumn,
    text('Reference', 'What it scales.', ({ spec }) => {
      const target = spec?.scaleTargetRef;
      return `${target?.kind ?? ''}/${target?.name ?? ''}`;
    }),
    text('Targets', 'Measured and aimed at, for each metric.', targetsText),
    text('MinPods', 'Fewest pods.', ({ spec }) => String(spec?.minReplicas ?? '<unset>')),
    count('MaxPods', 'Most pods.', ({ spec }) => spec?.maxReplicas ?? 0),
    count('Replicas', 'Pods that there are.', ({ status }) => status?.currentReplicas ?? 0),
    ageColumn,
  ],
  selectableFields: {},
  defaults: ({ spec }) => {
    if (spec) defaultSpec(spec);
  },
  prepareForCreate(autoscaler) {
    autoscaler.status = { desiredReplicas: 0 };
  },
  validate: (autoscaler) => validateAutoscaler(autoscaler.spec),
});

function defaultSpec(spec: HorizontalPodAutoscalerSpecV2): void {
  spec.minReplicas ??= 1;
  if ((spec.metrics ?? []).length === 0) {
    const target = { type: 'Utilization', averageUtilization: DEFAULT_CPU_PERCENT };
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
  }
  for (const metric of spec.metrics ?? []) canonicalTarget(targetOf(metric));
  if (spec.behavior === undefined) return;
  spec.behavior.scaleUp = withDefaults(spec.behavior.scaleUp, {
    stabilizationWindowSeconds: 0,
    policies: [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ],
  });
  // How long scaling down waits is left to the controller: 300 s.
  spec.behavior.scaleDown = withDefaults(spec.behavior.scaleDown, {
    policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
  });
}

function withDefaults(
  written: HPAScalingRulesV2 | undefined,
  rules: HPAScalingRulesV2,
): HPAScalingRulesV2 {
  const filled: HPAScalingRulesV2 = { selectPolicy: 'Max', ...rules };
  for (const [key, value] of Object.entries(written ?? {})) {
    if (value !== undefined && value !== '') Object.assign(filled, { [key]: value });
  }
  if (filled.tolerance !== undefined) filled.tolerance = canonicalQuantity(filled.tolerance);
  return filled;
}

/** The target of whichever source the metric has. */
export function targetOf(metric: MetricSpecV2): MetricTargetV2 | undefined {
  const { resource, containerResource, pods, object, external } = metric;
  return (resource ?? containerResource ?? pods ?? object ?? external)?.target;
}

function canonicalTarget(target: MetricTargetV2 | undefined): void {
  if (target?.averageValue) target.averageValue = canonicalQuantity(target.averageValue);
  if (target?.value) target.value = canonicalQuantity(target.value);
}
