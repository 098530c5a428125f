// ClusterRoleBinding: grants a ClusterRole to subjects, in every namespace and outside of them.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { ClusterRoleBinding } from '../generated/types.ts';
import { ClusterRoleBindings } from '../kinds.ts';
import { pathSegmentName } from '../meta/names.ts';
import { bindingColumns, defaultBinding, validateBinding } from './binding-rules.ts';

/** What ClusterRoleBindings are. */
export const clusterRoleBindingDefinition = defineResource<ClusterRoleBinding>({
  ref: ClusterRoleBindings,
  singular: 'clusterrolebinding',
  listKind: 'ClusterRoleBindingList',
  shortNames: [],
  categories: [],
  schemaName: 'io.k8s.api.rbac.v1.ClusterRoleBinding',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: false,
  createdByPut: true,
  subresources: [],
  columns: bindingColumns,
  selectableFields: {},
  validateName: pathSegmentName,
  defaults: defaultBinding,
  validate: (binding, old) => validateBinding(binding, old, ['ClusterRole']),
});
