// Rules of HorizontalPodAutoscalers: bounds, metrics, behavior.
// Pure; wordings are those API clients know.
import { table } from '../../base/table.ts';
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue, required } from '../field-error.ts';
import type {
  CrossVersionObjectReferenceV2,
  HorizontalPodAutoscalerSpecV2,
  HPAScalingPolicyV2,
  HPAScalingRulesV2,
  MetricIdentifierV2,
  MetricSpecV2,
  MetricTargetV2,
} from '../generated/types.ts';
import { pathSegmentName } from '../meta/names.ts';
import { notNegative, oneOf, quantityNotNegative, requiredOneOf } from '../meta/numbers.ts';
import { tryParseQuantity } from '../meta/quantity.ts';
import { validateLabelSelector } from '../meta/validate-labels.ts';

/** Longest stabilization window, seconds. */
const MAX_WINDOW_SECONDS = 3600;
/** Longest period of a policy, seconds. */
const MAX_PERIOD_SECONDS = 1800;

const TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];
/** The field that each metric type fills. */
const SOURCE_OF: Readonly<Record<string, keyof MetricSpecV2>> = table({
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
});

/** Rules of `spec`. */
export function validateAutoscaler(
  spec: Partial<HorizontalPodAutoscalerSpecV2> | undefined,
): FieldError[] {
  if (spec === undefined) return [required('spec.scaleTargetRef')];
  const { minReplicas, maxReplicas = 0, behavior } = spec;
  const errors: FieldError[] = [];
  if (minReplicas !== undefined && minReplicas < 1) {
    errors.push(
      invalidValue('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'),
    );
  }
  if (maxReplicas < 1) {
    errors.push(invalidValue('spec.maxReplicas', maxReplicas, 'must be greater than 0'));
  }
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    const why = 'must be greater than or equal to `minReplicas`';
    errors.push(invalidValue('spec.maxReplicas', maxReplicas, why));
  }
  return [
    ...errors,
    ...validateReference(spec.scaleTargetRef, 'spec.scaleTargetRef'),
    ...(spec.metrics ?? []).flatMap((metric, i) => validateMetric(metric, `spec.metrics[${i}]`)),
    ...validateRules(behavior?.scaleUp, 'spec.behavior.scaleUp'),
    ...validateRules(behavior?.scaleDown, 'spec.behavior.scaleDown'),
  ];
}

function validateReference(
  reference: CrossVersionObjectReferenceV2 | undefined,
  path: string,
): FieldError[] {
  return (['kind', 'name'] as const).flatMap((field) => {
    const value = reference?.[field];
    if (!value) return [required(`${path}.${field}`)];
    const why = pathSegmentName(value);
    return why === undefined ? [] : [invalidValue(`${path}.${field}`, value, why)];
  });
}

function validateMetric(metric: MetricSpecV2, path: string): FieldError[] {
  if (!metric.type) return [required(`${path}.type`, 'must specify a metric source type')];
  const field = SOURCE_OF[metric.type];
  if (field === undefined) return oneOf(metric.type, TYPES, `${path}.type`);
  const unfit = Object.values(SOURCE_OF).filter(
    (one) => one !== field && metric[one] !== undefined,
  );
  const why = 'must populate the given metric source only';
  const errors = unfit.map((other) => forbiddenField(`${path}.${other}`, why));
  if (metric[field] === undefined) {
    const missing = `must populate information for the given metric source`;
    return [...errors, required(`${path}.${field}`, missing)];
  }
  return [...errors, ...validateSource(metric, `${path}.${field}`)];
}

function validateSource(metric: MetricSpecV2, path: string): FieldError[] {
  const { resource, containerResource } = metric;
  const own = resource ?? containerResource;
  if (own === undefined) return validateCustom(metric, path);
  return [
    ...(own.name ? [] : [required(`${path}.name`, 'must specify a resource name')]),
    ...(containerResource && !containerResource.container
      ? [required(`${path}.container`, 'must specify a container')]
      : []),
    ...validateTarget(own.target, `${path}.target`),
    ...validateResourceTarget(own.target, `${path}.target`),
  ];
}

/** Metrics that are not of the pods' own CPU or memory. */
function validateCustom({ pods, object, external }: MetricSpecV2, path: string): FieldError[] {
  const source = pods ?? object ?? external;
  const errors = [
    ...validateIdentifier(source?.metric, `${path}.metric`),
    ...validateTarget(source?.target, `${path}.target`),
    ...(object ? validateReference(object.describedObject, `${path}.describedObject`) : []),
  ];
  const { averageValue, value } = source?.target ?? {};
  if (averageValue !== undefined || (!pods && value !== undefined)) return errors;
  const why = pods
    ? 'must specify a positive target averageValue'
    : 'must set either a target value for metric or a per-pod target';
  return [...errors, required(`${path}.target.averageValue`, why)];
}

function validateIdentifier(metric: MetricIdentifierV2 | undefined, path: string): FieldError[] {
  const why = pathSegmentName(metric?.name ?? '');
  return [
    ...(metric?.name ? [] : [required(`${path}.name`)]),
    ...(why === undefined ? [] : [invalidValue(`${path}.name`, metric?.name, why)]),
    ...validateLabelSelector(metric?.selector, `${path}.selector`),
  ];
}

function validateTarget(target: MetricTargetV2 | undefined, path: string): FieldError[] {
  if (!target?.type) return [required(`${path}.type`, 'must specify a metric target type')];
  const errors = oneOf(target.type, ['AverageValue', 'Utilization', 'Value'], `${path}.type`);
  for (const field of ['averageValue', 'value'] as const) {
    const written = target[field];
    const quantity = tryParseQuantity(written ?? '');
    if (written !== undefined && (quantity === undefined || quantity.nanos <= 0n)) {
      errors.push(invalidValue(`${path}.${field}`, written, 'must be positive'));
    }
  }
  const { averageUtilization } = target;
  if (averageUtilization !== undefined && averageUtilization < 1) {
    const at = `${path}.averageUtilization`;
    errors.push(invalidValue(at, averageUtilization, 'must be greater than 0'));
  }
  return errors;
}

function validateResourceTarget(target: MetricTargetV2 | undefined, path: string): FieldError[] {
  const { averageUtilization, averageValue } = target ?? {};
  if (averageUtilization === undefined && averageValue === undefined) {
    const why = 'must set either a target raw value or a target utilization';
    return [required(`${path}.averageUtilization`, why)];
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    const why = 'may not set both a target raw value and a target utilization';
    return [forbiddenField(`${path}.averageValue`, why)];
  }
  return [];
}

function validateRules(rules: HPAScalingRulesV2 | undefined, path: string): FieldError[] {
  if (rules === undefined) return [];
  const { stabilizationWindowSeconds: seconds, policies = [] } = rules;
  const window = `${path}.stabilizationWindowSeconds`;
  return [
    ...notNegative(seconds, window),
    ...((seconds ?? 0) > MAX_WINDOW_SECONDS
      ? [invalidValue(window, seconds, `must be less than or equal to ${MAX_WINDOW_SECONDS}`)]
      : []),
    ...oneOf(rules.selectPolicy, ['Disabled', 'Max', 'Min'], `${path}.selectPolicy`),
    ...quantityNotNegative(rules.tolerance, `${path}.tolerance`),
    ...(policies.length === 0
      ? [required(`${path}.policies`, 'must specify at least one Policy')]
      : []),
    ...policies.flatMap((policy, i) => validatePolicy(policy, `${path}.policies[${i}]`)),
  ];
}

function validatePolicy(policy: Partial<HPAScalingPolicyV2>, path: string): FieldError[] {
  const { type, value = 0, periodSeconds = 0 } = policy;
  const errors = requiredOneOf(type, ['Percent', 'Pods'], `${path}.type`);
  if (value < 1) errors.push(invalidValue(`${path}.value`, value, 'must be greater than zero'));
  const period = `${path}.periodSeconds`;
  if (periodSeconds < 1) {
    errors.push(invalidValue(period, periodSeconds, 'must be greater than zero'));
  }
  if (periodSeconds > MAX_PERIOD_SECONDS) {
    const why = `must be less than or equal to ${MAX_PERIOD_SECONDS}`;
    errors.push(invalidValue(period, periodSeconds, why));
  }
  return errors;
}
