// Deployments: a template, how many pods of it, and how to go from one template to the next.
import { defaultPodTemplate } from '../core/pod-template-defaults.ts';
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue } from '../field-error.ts';
import type { Deployment, DeploymentSpec, DeploymentStrategy } from '../generated/types.ts';
import { Deployments } from '../kinds.ts';
import { ageColumn, count, nameColumn, workloadColumns } from '../meta/columns.ts';
import { labelSelectorText } from '../meta/labels.ts';
import { atMostAll, countOrPercent, isNone, notNegative, requiredOneOf } from '../meta/numbers.ts';
import { readyOfWanted } from './replica-columns.ts';
import { replicaScale } from './replica-scale.ts';
import {
  availableWithinReady,
  collisionsKept,
  countsNotNegative,
  countsWithinReplicas,
  validateSelectorKept,
  validateWorkload,
} from './workload-validation.ts';
import { podNameWarnings, templateWarnings } from '../core/pod-warnings.ts';

const COUNTS = [
  'observedGeneration',
  'replicas',
  'updatedReplicas',
  'readyReplicas',
  'availableReplicas',
  'unavailableReplicas',
  'collisionCount',
] as const;

/** What Deployments are. */
export const deploymentDefinition = defineResource<Deployment>({
  ref: Deployments,
  singular: 'deployment',
  listKind: 'DeploymentList',
  shortNames: ['deploy'],
  categories: ['all'],
  schemaName: 'io.k8s.api.apps.v1.Deployment',
  verbs: ALL_VERBS,
  hasStatus: true,
  keptByStatus: ['labels'],
  hasGeneration: true,
  scale: replicaScale((deployment) => labelSelectorText(deployment.spec?.selector)),
  subresources: [],
  columns: [
    nameColumn,
    readyOfWanted,
    count(
      'Up-to-date',
      'Pods of the newest template.',
      ({ status }) => status?.updatedReplicas ?? 0,
    ),
    count(
      'Available',
      'Pods that have been ready for long enough.',
      ({ status }) => status?.availableReplicas ?? 0,
    ),
    ageColumn,
    ...workloadColumns<Deployment>((deployment) => deployment.spec),
  ],
  selectableFields: {},
  defaults: ({ spec }) => {
    if (spec) defaultSpec(spec);
  },
  prepareForCreate(deployment) {
    deployment.status = {};
  },
  validate: ({ spec }, old) => [
    ...validateWorkload(spec ?? {}, 'Deployment'),
    ...notNegative(spec?.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
    ...validateDeadline(spec),
    ...validateStrategy(spec?.strategy ?? {}),
    ...(old ? validateSelectorKept(spec ?? {}, old.spec ?? {}) : []),
  ],
  warnings: ({ metadata, spec }) => [
    ...podNameWarnings(metadata.name),
    ...templateWarnings(spec?.template, 'spec.template'),
  ],
  validateStatus: ({ status = {} }, old) => [
    ...countsNotNegative(status, COUNTS),
    ...countsWithinReplicas(status, ['updatedReplicas', 'readyReplicas', 'availableReplicas']),
    ...availableWithinReady(status, 'readyReplicas'),
    ...collisionsKept(status, old.status),
  ],
});

function defaultSpec(spec: DeploymentSpec): void {
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
  spec.strategy ??= {};
  spec.strategy.type ||= 'RollingUpdate';
  if (spec.strategy.type === 'RollingUpdate') {
    spec.strategy.rollingUpdate ??= {};
    spec.strategy.rollingUpdate.maxUnavailable ??= '25%';
    spec.strategy.rollingUpdate.maxSurge ??= '25%';
  }
  defaultPodTemplate(spec.template);
}

function validateDeadline(spec: DeploymentSpec | undefined): FieldError[] {
  const { progressDeadlineSeconds: deadline, minReadySeconds = 0 } = spec ?? {};
  const path = 'spec.progressDeadlineSeconds';
  const errors = notNegative(deadline, path);
  if (deadline === undefined || deadline > minReadySeconds) return errors;
  return [...errors, invalidValue(path, deadline, 'must be greater than minReadySeconds')];
}

function validateStrategy(strategy: DeploymentStrategy): FieldError[] {
  const { type, rollingUpdate } = strategy;
  const errors = requiredOneOf(type, ['Recreate', 'RollingUpdate'], 'spec.strategy.type');
  const path = 'spec.strategy.rollingUpdate';
  if (type === 'Recreate') {
    if (rollingUpdate === undefined) return errors;
    const why = "may not be specified when strategy `type` is 'Recreate'";
    return [...errors, forbiddenField(path, why)];
  }
  const { maxUnavailable, maxSurge } = rollingUpdate ?? {};
  errors.push(
    ...countOrPercent(maxUnavailable, `${path}.maxUnavailable`),
    ...countOrPercent(maxSurge, `${path}.maxSurge`),
  );
  if (isNone(maxUnavailable) && isNone(maxSurge)) {
    const why = 'may not be 0 when `maxSurge` is 0';
    errors.push(invalidValue(`${path}.maxUnavailable`, maxUnavailable, why));
  }
  errors.push(...atMostAll(maxUnavailable, `${path}.maxUnavailable`));
  return errors;
}
