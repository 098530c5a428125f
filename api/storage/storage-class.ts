// StorageClasses: how volumes of a class are made. Stored and shown; nothing makes volumes by them yet.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { duplicate, forbiddenField, required } from '../field-error.ts';
import type {
  StorageClass,
  TopologySelectorLabelRequirement,
  TopologySelectorTerm,
} from '../generated/types.ts';
import { StorageClasses } from '../kinds.ts';
import { ageColumn, defaultMarkedName, text } from '../meta/columns.ts';
import { sameMeaning } from '../meta/deep-equal.ts';
import { obeys, unchanged } from '../meta/field-rules.ts';
import { qualifiedName } from '../meta/names.ts';
import { oneOf } from '../meta/numbers.ts';
import { repeats } from '../meta/repeats.ts';
import { validateParameters, validateProvisioner } from './storage-rules.ts';

/** What StorageClasses are. */
export const storageClassDefinition = defineResource<StorageClass>({
  ref: StorageClasses,
  singular: 'storageclass',
  listKind: 'StorageClassList',
  shortNames: ['sc'],
  categories: [],
  schemaName: 'io.k8s.api.storage.v1.StorageClass',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: false,
  returnsDeleted: true,
  subresources: [],
  columns: [
    defaultMarkedName(
      'storageclass.kubernetes.io/is-default-class',
      'storageclass.beta.kubernetes.io/is-default-class',
    ),
    text('Provisioner', 'What makes its volumes.', ({ provisioner }) => provisioner ?? ''),
    text(
      'ReclaimPolicy',
      'What becomes of a volume that is given back.',
      (one) => one.reclaimPolicy ?? 'Delete',
    ),
    text(
      'VolumeBindingMode',
      'When a volume is made.',
      (one) => one.volumeBindingMode ?? 'Immediate',
    ),
    {
      ...text('AllowVolumeExpansion', 'Whether its volumes may grow.', () => ''),
      value: ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false,
    },
    ageColumn,
  ],
  selectableFields: {},
  defaults(one) {
    one.reclaimPolicy ??= 'Delete';
    one.volumeBindingMode ??= 'Immediate';
  },
  validate: (one, old) => [
    ...validateProvisioner(one.provisioner, 'provisioner'),
    ...validateParameters(one.parameters ?? {}, 'parameters'),
    ...oneOf(one.reclaimPolicy, ['Delete', 'Retain'], 'reclaimPolicy'),
    ...oneOf(one.volumeBindingMode, ['Immediate', 'WaitForFirstConsumer'], 'volumeBindingMode'),
    ...validateTopologies(one.allowedTopologies ?? []),
    ...(old === undefined ? [] : validateKept(one, old)),
  ],
});

function validateKept(now: StorageClass, before: StorageClass): FieldError[] {
  const kept = ['parameters', 'provisioner', 'reclaimPolicy'] as const;
  return [
    ...kept
      .filter((field) => !sameMeaning(now[field], before[field]))
      .map((field) => forbiddenField(field, `updates to ${field} are forbidden.`)),
    ...unchanged(now.volumeBindingMode, before.volumeBindingMode, 'volumeBindingMode'),
  ];
}

function validateTopologies(terms: readonly TopologySelectorTerm[]): FieldError[] {
  const repeated = repeats(terms.map(textOfTerm));
  return terms.flatMap(({ matchLabelExpressions = [] }, i) => {
    const path = `allowedTopologies[${i}]`;
    const keys = repeats(matchLabelExpressions.map(({ key }) => key));
    const errors = matchLabelExpressions.flatMap((requirement, j) => {
      const at = `${path}.matchLabelExpressions[${j}]`;
      const twice = keys.has(j) ? [duplicate(`${at}.key`, '')] : [];
      return [...validateRequirement(requirement, at), ...twice];
    });
    return repeated.has(i) ? [...errors, duplicate(`${path}.matchLabelExpressions`, '')] : errors;
  });
}

/** The same for terms that say the same. */
function textOfTerm({ matchLabelExpressions = [] }: TopologySelectorTerm): string {
  return JSON.stringify(matchLabelExpressions.map(({ key, values }) => [key, values]));
}

function validateRequirement(
  { key = '', values = [] }: Partial<TopologySelectorLabelRequirement>,
  path: string,
): FieldError[] {
  const repeated = repeats(values);
  return [
    ...(values.length === 0 ? [required(`${path}.values`)] : []),
    ...values.flatMap((value, i) =>
      repeated.has(i) ? [duplicate(`${path}.values[${i}]`, value)] : [],
    ),
    ...obeys(qualifiedName, key, `${path}.key`),
  ];
}
