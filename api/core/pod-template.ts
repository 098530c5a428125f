// PodTemplates: a pod to be, kept by itself.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { PodTemplate } from '../generated/types.ts';
import { PodTemplates } from '../kinds.ts';
import { always, containerColumns, mapText, nameColumn, text } from '../meta/columns.ts';
import { defaultPodTemplate } from './pod-template-defaults.ts';
import { validatePodTemplate } from './pod-template-validation.ts';
import { templateWarnings } from './pod-warnings.ts';

/** What PodTemplates are. */
export const podTemplateDefinition = defineResource<PodTemplate>({
  ref: PodTemplates,
  singular: 'podtemplate',
  listKind: 'PodTemplateList',
  shortNames: [],
  categories: [],
  schemaName: 'io.k8s.api.core.v1.PodTemplate',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: true,
  returnsDeleted: true,
  subresources: [],
  columns: [
    nameColumn,
    ...containerColumns<PodTemplate>(({ template }) => template).map(always),
    text('Pod Labels', 'The labels of the pod.', ({ template }) =>
      mapText(template?.metadata?.labels),
    ),
  ],
  selectableFields: {},
  defaults: ({ template }) => defaultPodTemplate(template),
  validate: ({ template }) => validatePodTemplate(template, 'template'),
  warnings: ({ template }) => templateWarnings(template, 'template'),
});
