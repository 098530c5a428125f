// ResourceClaimTemplates: claims that are to be made for each pod that names the template. Nothing makes any yet.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { ResourceClaimTemplate } from '../generated/types.ts';
import { ResourceClaimTemplates } from '../kinds.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { unchanged } from '../meta/field-rules.ts';
import { validateLabels } from '../meta/validate-labels.ts';
import { validateAnnotations } from '../meta/validate-meta.ts';
import { defaultDeviceClaim, validateDeviceClaim } from './claim-validation.ts';

/** What ResourceClaimTemplates are. */
export const resourceClaimTemplateDefinition = defineResource<ResourceClaimTemplate>({
  ref: ResourceClaimTemplates,
  singular: 'resourceclaimtemplate',
  listKind: 'ResourceClaimTemplateList',
  shortNames: [],
  categories: [],
  schemaName: 'io.k8s.api.resource.v1.ResourceClaimTemplate',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: false,
  returnsDeleted: true,
  subresources: [],
  columns: [nameColumn, ageColumn],
  selectableFields: {},
  defaults: ({ spec }) => defaultDeviceClaim(spec?.spec?.devices ?? {}),
  validate: ({ spec }, old) => [
    ...validateLabels(spec?.metadata?.labels, 'spec.metadata.labels'),
    ...validateAnnotations(spec?.metadata?.annotations, 'spec.metadata.annotations'),
    ...validateDeviceClaim(spec?.spec?.devices ?? {}, 'spec.spec.devices'),
    ...(old === undefined ? [] : unchanged(spec, old.spec, 'spec')),
  ],
});
