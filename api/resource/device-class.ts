// DeviceClasses: which devices belong together, and how they are configured. Stored and shown; nothing acts on them yet.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { DeviceClass } from '../generated/types.ts';
import { DeviceClasses } from '../kinds.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { obeys } from '../meta/field-rules.ts';
import { qualifiedName } from '../meta/names.ts';
import { validateConfigurations, validateSelectors } from './claim-validation.ts';

/** What DeviceClasses are. */
export const deviceClassDefinition = defineResource<DeviceClass>({
  ref: DeviceClasses,
  singular: 'deviceclass',
  listKind: 'DeviceClassList',
  shortNames: [],
  categories: [],
  schemaName: 'io.k8s.api.resource.v1.DeviceClass',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: true,
  returnsDeleted: true,
  subresources: [],
  columns: [nameColumn, ageColumn],
  selectableFields: {},
  validate: ({ spec = {} }: Partial<DeviceClass>) => [
    ...validateSelectors(spec.selectors ?? [], 'spec.selectors'),
    ...validateConfigurations(spec.config ?? [], 'spec.config'),
    ...obeys(extendedResource, spec.extendedResourceName, 'spec.extendedResourceName'),
  ],
});

/** A resource of no domain of Kubernetes' own. */
function extendedResource(name: string): string | undefined {
  const [domain = ''] = name.split('/');
  const foreign = name.includes('/') && !domain.endsWith('kubernetes.io');
  const plain = !name.startsWith('requests.');
  return foreign && plain ? qualifiedName(name) : 'must be a valid extended resource name';
}
