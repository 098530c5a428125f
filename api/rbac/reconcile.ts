// Bringing roles and bindings that every cluster has up to date, as Kubernetes' documentation has it ("Auto-reconciliation").
// Pure. Invariant: nothing that users added is taken away, and nothing is touched that they marked as theirs.
import type { ClusterRole, ClusterRoleBinding } from '../generated/types.ts';
import { deepEqual, sameMeaning } from '../meta/deep-equal.ts';
import type { KubeObject } from '../meta/object.ts';
import { uncoveredRules } from './evaluate.ts';

/** `false` leaves an object alone for ever. */
export const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate';

/** The role with what it lacks of `wanted`; itself when it lacks nothing. */
export function reconciledRole(role: ClusterRole, wanted: ClusterRole): ClusterRole {
  if (isProtected(role)) return role;
  const after: ClusterRole = { ...role, metadata: marked(role, wanted) };
  const selectors = wanted.aggregationRule?.clusterRoleSelectors;
  if (selectors) {
    const known = role.aggregationRule?.clusterRoleSelectors ?? [];
    const missing = selectors.filter((each) => !known.some((one) => deepEqual(one, each)));
    // The rules are the aggregation's, and come by themselves.
    after.aggregationRule = { clusterRoleSelectors: [...known, ...missing] };
  } else {
    const missing = uncoveredRules(role.rules ?? [], wanted.rules ?? []);
    if (missing.length > 0) after.rules = [...(role.rules ?? []), ...missing];
  }
  return sameMeaning(after, role) ? role : after;
}

/** The binding with what it lacks of `wanted`; one that leads to another role is put right. */
export function reconciledBinding(
  binding: ClusterRoleBinding,
  wanted: ClusterRoleBinding,
): ClusterRoleBinding {
  if (isProtected(binding)) return binding;
  const subjects = binding.subjects ?? [];
  const missing = (wanted.subjects ?? []).filter(
    (each) => !subjects.some((one) => deepEqual(one, each)),
  );
  const after: ClusterRoleBinding = {
    ...binding,
    metadata: marked(binding, wanted),
    roleRef: wanted.roleRef,
    subjects: [...subjects, ...missing],
  };
  return sameMeaning(after, binding) ? binding : after;
}

function isProtected({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[AUTOUPDATE] === 'false';
}

/** Labels and annotations that are wanted; where both say something, what is there counts. */
function marked(
  { metadata }: KubeObject,
  { metadata: wanted }: KubeObject,
): KubeObject['metadata'] {
  return {
    ...metadata,
    labels: { ...wanted.labels, ...metadata.labels },
    annotations: { ...wanted.annotations, ...metadata.annotations },
  };
}
