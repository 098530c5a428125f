// CustomResourceDefinitions: kinds that users add. What the server makes of a stored one is apiserver/extensions' work.
// Invariant: the versions that objects may be stored in are listed in status from the start, and only grow by a new storage version.
import { ALL_VERBS, defineResource, WRITABLE_METADATA } from '../definition.ts';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionStatus,
} from '../generated/types.ts';
import { CustomResourceDefinitions } from '../kinds.ts';
import { createdAtColumn, nameColumn } from '../meta/columns.ts';
import { formatWarnings } from './format-warnings.ts';
import { validateDefinition, validateDefinitionStatus } from './definition-validation.ts';

const DEFAULT_WEBHOOK_PORT = 443;

/** What CustomResourceDefinitions are. */
export const customResourceDefinitionDefinition = defineResource<CustomResourceDefinition>({
  ref: CustomResourceDefinitions,
  singular: 'customresourcedefinition',
  listKind: 'CustomResourceDefinitionList',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  schemaName: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
  verbs: ALL_VERBS,
  hasStatus: true,
  keptByStatus: WRITABLE_METADATA,
  hasGeneration: true,
  putNeedsVersion: true,
  subresources: [],
  finalizersOnDelete: ['customresourcecleanup.apiextensions.k8s.io'],
  columns: [nameColumn, createdAtColumn],
  selectableFields: {},
  defaults({ spec }: Partial<CustomResourceDefinition>) {
    if (!spec) return;
    const { names } = spec as Partial<CustomResourceDefinitionSpec>;
    if (names) defaultNames(names);
    spec.conversion ??= { strategy: 'None' };
    const service = spec.conversion.webhook?.clientConfig?.service;
    if (service) service.port ??= DEFAULT_WEBHOOK_PORT;
  },
  prepareForCreate(definition) {
    definition.status = { ...statusOf(), storedVersions: storageVersions(definition.spec) };
  },
  prepareForUpdate(definition) {
    const status = { ...statusOf(), ...definition.status };
    const known = status.storedVersions ?? [];
    const added = storageVersions(definition.spec).filter((name) => !known.includes(name));
    definition.status = { ...status, storedVersions: [...known, ...added] };
  },
  validate: validateDefinition,
  validateStatus: validateDefinitionStatus,
  warnings: formatWarnings,
});

/** Names that the writer may leave out. */
export function defaultNames(names: CustomResourceDefinitionNames): void {
  if (!names.kind) return;
  names.singular ||= names.kind.toLowerCase();
  names.listKind ||= `${names.kind}List`;
}

/** A status that says nothing yet: names are required in it, so they are there and empty. */
function statusOf(): CustomResourceDefinitionStatus {
  return { acceptedNames: { kind: '', plural: '' }, conditions: [], storedVersions: [] };
}

function storageVersions({ versions = [] }: Partial<CustomResourceDefinitionSpec> = {}): string[] {
  return versions.filter(({ storage }) => storage).map(({ name }) => name);
}
