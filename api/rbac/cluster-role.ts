// ClusterRoles: what may be done to which resources, in the whole cluster, or wherever a RoleBinding refers to it.
import { ALL_VERBS, defineResource } from '../definition.ts';
import { type FieldError, required } from '../field-error.ts';
import type { AggregationRule, ClusterRole } from '../generated/types.ts';
import { ClusterRoles } from '../kinds.ts';
import { createdAtColumn, nameColumn } from '../meta/columns.ts';
import { pathSegmentName } from '../meta/names.ts';
import { validateLabelSelector } from '../meta/validate-labels.ts';
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
  validate: (role) => [
    ...validateRules(role.rules, false),
    ...(role.aggregationRule ? validateAggregation(role.aggregationRule) : []),
  ],
});

function validateAggregation({ clusterRoleSelectors = [] }: AggregationRule): FieldError[] {
  const path = 'aggregationRule.clusterRoleSelectors';
  if (clusterRoleSelectors.length === 0)
    return [
      required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil'),
    ];
  return clusterRoleSelectors.flatMap((selector, i) =>
    validateLabelSelector(selector, `${path}[${i}]`),
  );
}
