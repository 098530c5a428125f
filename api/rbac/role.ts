// Roles: what may be done to which resources, within one namespace.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { Role } from '../generated/types.ts';
import { Roles } from '../kinds.ts';
import { createdAtColumn, nameColumn } from '../meta/columns.ts';
import { pathSegmentName } from '../meta/names.ts';
import { validateRules } from './rule-validation.ts';

/** What Roles are. */
export const roleDefinition = defineResource<Role>({
  ref: Roles,
  singular: 'role',
  listKind: 'RoleList',
  shortNames: [],
  categories: [],
  schemaName: 'io.k8s.api.rbac.v1.Role',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: false,
  createdByPut: true,
  subresources: [],
  columns: [nameColumn, createdAtColumn],
  selectableFields: {},
  validateName: pathSegmentName,
  validate: (role) => validateRules(role.rules, true),
});
