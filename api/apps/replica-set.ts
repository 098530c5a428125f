// ReplicaSets: so many pods of one template, no more and no fewer.
import { defaultPodTemplate } from '../core/pod-template-defaults.ts';
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { invalidValue } from '../field-error.ts';
import type { ReplicaSet } from '../generated/types.ts';
import { ReplicaSets } from '../kinds.ts';
import { ageColumn, count, nameColumn, workloadColumns } from '../meta/columns.ts';
import { labelSelectorText } from '../meta/labels.ts';
import { notNegative } from '../meta/numbers.ts';
import { validateSelectorKept, validateWorkload } from './workload-validation.ts';

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
  scale: {
    specReplicas: (set) => set.spec?.replicas ?? 1,
    statusReplicas: (set) => set.status?.replicas ?? 0,
    selector: (set) => labelSelectorText(set.spec?.selector),
    withReplicas: (set, replicas) => (set.spec ? { ...set, spec: { ...set.spec, replicas } } : set),
  },
  subresources: [],
  columns: [
    nameColumn,
    count('Desired', 'Pods that are wanted.', ({ spec }) => spec?.replicas ?? 1),
    count('Current', 'Pods that there are.', ({ status }) => status?.replicas ?? 0),
    count('Ready', 'Pods that are ready.', ({ status }) => status?.readyReplicas ?? 0),
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
  validateStatus,
});

function validateStatus({ status }: ReplicaSet): FieldError[] {
  const figures = ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'] as const;
  const all = status?.replicas ?? 0;
  return [
    ...notNegative(all, 'status.replicas'),
    ...figures.flatMap((figure) => {
      const value = status?.[figure] ?? 0;
      const errors = notNegative(value, `status.${figure}`);
      if (value <= all) return errors;
      const why = 'cannot be greater than status.replicas';
      return [...errors, invalidValue(`status.${figure}`, value, why)];
    }),
    ...notNegative(status?.observedGeneration, 'status.observedGeneration'),
  ];
}
