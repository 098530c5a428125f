// ResourceQuotas: how much a namespace may hold of what. Status says how much that is now.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { ResourceQuota } from '../generated/types.ts';
import { ResourceQuotas } from '../kinds.ts';
import { ageColumn, nameColumn, text } from '../meta/columns.ts';
import { canonicalResources } from './pod-template-defaults.ts';
import { validateQuota, validateQuotaStatus } from './quota-validation.ts';

/** What ResourceQuotas are. */
export const resourceQuotaDefinition = defineResource<ResourceQuota>({
  ref: ResourceQuotas,
  singular: 'resourcequota',
  listKind: 'ResourceQuotaList',
  shortNames: ['quota'],
  categories: [],
  schemaName: 'io.k8s.api.core.v1.ResourceQuota',
  verbs: ALL_VERBS,
  hasStatus: true,
  hasGeneration: false,
  returnsDeleted: true,
  subresources: [],
  columns: [
    nameColumn,
    text('Request', 'What is asked for, of what may be.', (quota) => usageText(quota, false)),
    text('Limit', 'What is limited to, of what may be.', (quota) => usageText(quota, true)),
    ageColumn,
  ],
  selectableFields: {},
  defaults({ spec, status }) {
    canonicalResources(spec?.hard);
    canonicalResources(status?.hard);
    canonicalResources(status?.used);
  },
  prepareForCreate(quota) {
    quota.status = {};
  },
  validate: validateQuota,
  validateStatus: validateQuotaStatus,
});

/** `cpu: 1/2, pods: 0/3`, by name; limits have a column of their own. */
function usageText({ status }: ResourceQuota, limits: boolean): string {
  return Object.entries(status?.hard ?? {})
    .filter(([name]) => name.startsWith('limits.') === limits)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, hard]) => `${name}: ${status?.used?.[name] ?? '0'}/${hard}`)
    .join(', ');
}
