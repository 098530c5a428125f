// Bindings, which give pods their nodes. Never stored: what is posted here is done to the pod that it names.
// Deprecated beside pods/NAME/binding, which does the same.
import { defineResource } from '../definition.ts';
import type { Binding } from '../generated/types.ts';
import { Bindings } from '../kinds.ts';

/** What Bindings are. */
export const bindingDefinition = defineResource<Binding>({
  ref: Bindings,
  singular: 'binding',
  listKind: 'BindingList',
  shortNames: [],
  categories: [],
  schemaName: 'io.k8s.api.core.v1.Binding',
  verbs: ['create'],
  hasStatus: false,
  hasGeneration: false,
  subresources: [],
  columns: [],
  selectableFields: {},
});
