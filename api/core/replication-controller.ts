// ReplicationControllers: what ReplicaSets were before. Stored and shown; no controller yet.
import { replicaCounts } from '../apps/replica-columns.ts';
import { replicaScale } from '../apps/replica-scale.ts';
import {
  validateAlwaysRestarts,
  validateReplicaStatus,
  validateTemplateFits,
} from '../apps/workload-validation.ts';
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { required } from '../field-error.ts';
import type { ReplicationController, ReplicationControllerSpec } from '../generated/types.ts';
import { ReplicationControllers } from '../kinds.ts';
import { ageColumn, containerColumns, mapText, nameColumn, wide } from '../meta/columns.ts';
import { selectorFromMap } from '../meta/labels.ts';
import { notNegative } from '../meta/numbers.ts';
import { defaultPodTemplate } from './pod-template-defaults.ts';
import { validatePodTemplate } from './pod-template-validation.ts';
import { podNameWarnings, templateWarnings } from './pod-warnings.ts';

/** What ReplicationControllers are. */
export const replicationControllerDefinition = defineResource<ReplicationController>({
  ref: ReplicationControllers,
  unattended: 'no controller of this cluster acts on ReplicationControllers yet: no pods are made',
  singular: 'replicationcontroller',
  listKind: 'ReplicationControllerList',
  shortNames: ['rc'],
  categories: ['all'],
  schemaName: 'io.k8s.api.core.v1.ReplicationController',
  verbs: ALL_VERBS,
  hasStatus: true,
  hasGeneration: true,
  orphansByDefault: {},
  scale: replicaScale(({ spec }) => selectorFromMap(spec?.selector).text),
  subresources: [],
  columns: [
    nameColumn,
    ...replicaCounts,
    ageColumn,
    ...containerColumns<ReplicationController>(({ spec }) => spec?.template),
    wide('Selector', 'The labels of the pods.', ({ spec }) => mapText(spec?.selector)),
  ],
  selectableFields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  defaults({ spec, metadata }) {
    if (!spec) return;
    spec.replicas ??= 1;
    const { labels } = spec.template?.metadata ?? {};
    if (labels && isEmpty(spec.selector)) spec.selector = { ...labels };
    if (labels && isEmpty(metadata.labels)) metadata.labels = { ...labels };
    defaultPodTemplate(spec.template);
  },
  prepareForCreate(controller) {
    controller.status = { replicas: 0 };
  },
  validate: ({ spec }) => validateSpec(spec ?? {}),
  warnings: ({ metadata, spec }) => [
    ...podNameWarnings(metadata.name),
    ...templateWarnings(spec?.template, 'spec.template'),
  ],
  validateStatus: ({ status }) => validateReplicaStatus(status ?? { replicas: 0 }),
});

const isEmpty = (map: Readonly<Record<string, string>> | undefined): boolean =>
  Object.keys(map ?? {}).length === 0;

function validateSpec(spec: ReplicationControllerSpec): FieldError[] {
  const { selector, template, replicas, minReadySeconds } = spec;
  return [
    ...notNegative(minReadySeconds, 'spec.minReadySeconds'),
    ...(isEmpty(selector) ? [required('spec.selector')] : []),
    ...notNegative(replicas, 'spec.replicas'),
    ...(template === undefined
      ? [required('spec.template')]
      : [
          ...validateTemplateFits({ selector: { matchLabels: selector ?? {} }, template }),
          ...validatePodTemplate(template, 'spec.template'),
          ...validateAlwaysRestarts(template, 'ReplicationController'),
        ]),
  ];
}
