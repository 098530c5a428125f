// RoleBinding: grants a Role or ClusterRole to subjects, within one namespace.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { RoleBinding } from '../generated/types.ts';
import { RoleBindings } from '../kinds.ts';
import { pathSegmentName } from '../meta/names.ts';
import { bindingColumns, defaultBinding, validateBinding } from './binding-rules.ts';

/** What RoleBindings are. */
export const roleBindingDefinition = defineResource<RoleBinding>({
  ref: RoleBindings,
  singular: 'rolebinding',
  listKind: 'RoleBindingList',
  shortNames: [],
  categories: [],
  schemaName: 'io.k8s.api.rbac.v1.RoleBinding',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: false,
  createdByPut: true,
  subresources: [],
  columns: bindingColumns,
  selectableFields: {},
  validateName: pathSegmentName,
  defaults: defaultBinding,
  validate: (binding, old) => validateBinding(binding, old, ['Role', 'ClusterRole']),
});
