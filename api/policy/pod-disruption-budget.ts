// PodDisruptionBudgets: how many pods of a set may be away at once by somebody's will. Evictions keep to them.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { invalidValue, required } from '../field-error.ts';
import type {
  Condition,
  PodDisruptionBudget,
  PodDisruptionBudgetSpec,
} from '../generated/types.ts';
import { PodDisruptionBudgets } from '../kinds.ts';
import { ageColumn, count, nameColumn, text } from '../meta/columns.ts';
import { mustObey } from '../meta/field-rules.ts';
import { qualifiedName } from '../meta/names.ts';
import { atMostAll, countOrPercent, notNegative, oneOf, requiredOneOf } from '../meta/numbers.ts';
import { validateLabelSelector } from '../meta/validate-labels.ts';

const NOT_SAID = 'N/A';
const COUNTS = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const;

/** What PodDisruptionBudgets are. */
export const podDisruptionBudgetDefinition = defineResource<PodDisruptionBudget>({
  ref: PodDisruptionBudgets,
  singular: 'poddisruptionbudget',
  listKind: 'PodDisruptionBudgetList',
  shortNames: ['pdb'],
  categories: [],
  schemaName: 'io.k8s.api.policy.v1.PodDisruptionBudget',
  verbs: ALL_VERBS,
  hasStatus: true,
  hasGeneration: true,
  putNeedsVersion: true,
  subresources: [],
  columns: [
    nameColumn,
    text('Min Available', 'Pods that must stay.', ({ spec }) =>
      String(spec?.minAvailable ?? NOT_SAID),
    ),
    text('Max Unavailable', 'Pods that may be away.', ({ spec }) =>
      String(spec?.maxUnavailable ?? NOT_SAID),
    ),
    count(
      'Allowed Disruptions',
      'Pods that may be evicted now.',
      ({ status }) => status?.disruptionsAllowed ?? 0,
    ),
    ageColumn,
  ],
  selectableFields: {},
  prepareForCreate(budget) {
    budget.status = {
      disruptionsAllowed: 0,
      currentHealthy: 0,
      desiredHealthy: 0,
      expectedPods: 0,
    };
  },
  validate: ({ spec }) => validateSpec(spec ?? {}),
  validateStatus: ({ status = {} }) => [
    ...(status.conditions ?? []).flatMap((condition, i) =>
      validateCondition(condition, `status.conditions[${i}]`),
    ),
    ...COUNTS.flatMap((figure) => notNegative(status[figure], `status.${figure}`)),
  ],
});

function validateSpec(spec: PodDisruptionBudgetSpec): FieldError[] {
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy } = spec;
  const both = minAvailable !== undefined && maxUnavailable !== undefined;
  const why = 'minAvailable and maxUnavailable cannot be both set';
  return [
    ...(both ? [invalidValue('spec', spec, why)] : []),
    ...countOrPercent(minAvailable, 'spec.minAvailable'),
    ...atMostAll(minAvailable, 'spec.minAvailable'),
    ...countOrPercent(maxUnavailable, 'spec.maxUnavailable'),
    ...atMostAll(maxUnavailable, 'spec.maxUnavailable'),
    ...validateLabelSelector(selector, 'spec.selector'),
    ...oneOf(
      unhealthyPodEvictionPolicy,
      ['AlwaysAllow', 'IfHealthyBudget'],
      'spec.unhealthyPodEvictionPolicy',
    ),
  ];
}

function validateCondition(condition: Partial<Condition>, path: string): FieldError[] {
  const { type, status, observedGeneration, lastTransitionTime, reason } = condition;
  return [
    ...mustObey(qualifiedName, type, `${path}.type`),
    ...requiredOneOf(status, ['True', 'False', 'Unknown'], `${path}.status`),
    ...notNegative(observedGeneration, `${path}.observedGeneration`),
    ...(lastTransitionTime ? [] : [required(`${path}.lastTransitionTime`, 'must be set')]),
    ...(reason ? [] : [required(`${path}.reason`)]),
  ];
}
