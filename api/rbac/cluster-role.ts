// ClusterRoles: what may be done to which resources, in the whole cluster, or wherever a RoleBinding refers to it.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { ClusterRole } from '../generated/types.ts';
import { ClusterRoles } from '../kinds.ts';
import { createdAtColumn, nameColumn } from '../meta/columns.ts';
import { pathSegmentName } from '../meta/names.ts';
import { validateRules } from './rule-validation.ts';

/** What ClusterRoles are. */
export const clusterRoleDefinition = defineResource<ClusterRole>({
  ref: ClusterRoles,
  singular: 'clusterrole',
  listKind: 'ClusterRoleList',
  shortNames: [],
  categories: [],
  schemaName: 'io.k8s.api.rbac.v1.ClusterRole',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: false,
  createdByPut: true,
  subresources: [],
  columns: [nameColumn, createdAtColumn],
  selectableFields: {},
  validateName: pathSegmentName,
  validate: (role) => validateRules(role.rules, false),
});
