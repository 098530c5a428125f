// Namespaces: rooms for names. One that is deleted stays, Terminating, until the namespace controller
// has emptied it and takes `kubernetes` off spec.finalizers.
import { ALL_VERBS, defineResource } from '../definition.ts';
import { invalidValue } from '../field-error.ts';
import type { Namespace } from '../generated/types.ts';
import { Namespaces } from '../kinds.ts';
import { ageColumn, nameColumn, text } from '../meta/columns.ts';
import { dnsLabel, qualifiedName } from '../meta/names.ts';

/** The label that always says a namespace's name, for selectors. */
export const NAMESPACE_NAME_LABEL = 'kubernetes.io/metadata.name';

/** What namespaces are. */
export const namespaceDefinition = defineResource<Namespace>({
  ref: Namespaces,
  singular: 'namespace',
  listKind: 'NamespaceList',
  shortNames: ['ns'],
  categories: [],
  schemaName: 'io.k8s.api.core.v1.Namespace',
  verbs: ALL_VERBS.filter((verb) => verb !== 'deletecollection'),
  hasStatus: true,
  hasGeneration: false,
  subresources: [{ name: 'finalize', kind: 'Namespace', verbs: ['update'] }],
  columns: [
    nameColumn,
    text('Status', 'Active, or Terminating.', (namespace) => namespace.status?.phase ?? ''),
    ageColumn,
  ],
  selectableFields: { 'status.phase': (namespace) => namespace.status?.phase ?? '' },
  validateName: dnsLabel,
  defaults: labelWithName,
  prepareForCreate(namespace) {
    labelWithName(namespace);
    namespace.spec ??= {};
    const finalizers = namespace.spec.finalizers ?? [];
    namespace.spec.finalizers = [...new Set([...finalizers, 'kubernetes'])];
    namespace.status = { phase: 'Active' };
  },
  prepareForUpdate(namespace, old) {
    // Only /finalize changes what holds a namespace.
    namespace.spec = old.spec;
  },
  validate: (namespace) =>
    (namespace.spec?.finalizers ?? []).flatMap((finalizer) => {
      const why = qualifiedName(finalizer);
      return why === undefined ? [] : [invalidValue('spec.finalizers', finalizer, why)];
    }),
});

function labelWithName({ metadata }: Namespace): void {
  if (metadata.name)
    metadata.labels = { ...metadata.labels, [NAMESPACE_NAME_LABEL]: metadata.name };
}
