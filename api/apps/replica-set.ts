// ReplicaSets: so many pods of one template, no more and no fewer.
import { defaultPodTemplate } from '../core/pod-template-defaults.ts';
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { ReplicaSet } from '../generated/types.ts';
import { ReplicaSets } from '../kinds.ts';
import { ageColumn, nameColumn, workloadColumns } from '../meta/columns.ts';
import { labelSelectorText } from '../meta/labels.ts';
import { replicaCounts } from './replica-columns.ts';
import { replicaScale } from './replica-scale.ts';
import {
  validateReplicaStatus,
  validateSelectorKept,
  validateWorkload,
} from './workload-validation.ts';
import { podNameWarnings, templateWarnings } from '../core/pod-warnings.ts';

/** What ReplicaSets are. */
export const replicaSetDefinition = defineResource<ReplicaSet>({
  ref: ReplicaSets,
  singular: 'replicaset',
  listKind: 'ReplicaSetList',
  shortNames: ['rs'],
  categories: ['all'],
  schemaName: 'io.k8s.api.apps.v1.ReplicaSet',
  verbs: ALL_VERBS,
  hasStatus: true,
  hasGeneration: true,
  scale: replicaScale((set) => labelSelectorText(set.spec?.selector)),
  subresources: [],
  columns: [
    nameColumn,
    ...replicaCounts,
    ageColumn,
    ...workloadColumns<ReplicaSet>((set) => set.spec),
  ],
  selectableFields: { 'status.replicas': (set) => String(set.status?.replicas ?? 0) },
  defaults: ({ spec }) => {
    if (!spec) return;
    spec.replicas ??= 1;
    defaultPodTemplate(spec.template);
  },
  prepareForCreate(set) {
    set.status = { replicas: 0 };
  },
  validate: ({ spec }, old) => [
    ...validateWorkload(spec ?? {}, 'ReplicaSet'),
    ...(old ? validateSelectorKept(spec ?? {}, old.spec ?? {}) : []),
  ],
  warnings: ({ metadata, spec }) => [
    ...podNameWarnings(metadata.name),
    ...templateWarnings(spec?.template, 'spec.template'),
  ],
  validateStatus: ({ status }) => validateReplicaStatus(status ?? { replicas: 0 }),
});
