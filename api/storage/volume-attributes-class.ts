// VolumeAttributesClasses: what a driver may change of a volume that is there. Stored and shown; nothing acts on them yet.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { forbiddenField, required } from '../field-error.ts';
import type { VolumeAttributesClass } from '../generated/types.ts';
import { VolumeAttributesClasses } from '../kinds.ts';
import { ageColumn, defaultMarkedName, text } from '../meta/columns.ts';
import { sameMeaning } from '../meta/deep-equal.ts';
import { validateParameters, validateProvisioner } from './storage-rules.ts';

/** What VolumeAttributesClasses are. */
export const volumeAttributesClassDefinition = defineResource<VolumeAttributesClass>({
  ref: VolumeAttributesClasses,
  singular: 'volumeattributesclass',
  listKind: 'VolumeAttributesClassList',
  shortNames: ['vac'],
  categories: [],
  schemaName: 'io.k8s.api.storage.v1.VolumeAttributesClass',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: false,
  returnsDeleted: true,
  subresources: [],
  columns: [
    defaultMarkedName('volumeattributesclass.alpha.kubernetes.io/is-default-class'),
    text('DriverName', 'Whose volumes it is about.', (one) => one.driverName ?? ''),
    ageColumn,
  ],
  selectableFields: {},
  validate: ({ driverName, parameters = {} }, old) => [
    ...validateProvisioner(driverName, 'driverName'),
    ...(Object.keys(parameters).length === 0
      ? [required('parameters', 'must contain at least one key/value pair')]
      : validateParameters(parameters, 'parameters')),
    ...(old === undefined ? [] : validateKept({ driverName, parameters }, old)),
  ],
});

type Content = Pick<VolumeAttributesClass, 'driverName' | 'parameters'>;

function validateKept(now: Content, before: Content): FieldError[] {
  return (['driverName', 'parameters'] as const)
    .filter((field) => !sameMeaning(now[field], before[field]))
    .map((field) => forbiddenField(field, `updates to ${field} are forbidden.`));
}
