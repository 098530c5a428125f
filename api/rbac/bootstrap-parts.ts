// What the roles and bindings that every cluster starts with are made of. Pure.
import type { ClusterRole, ClusterRoleBinding, PolicyRule } from '../generated/types.ts';
import { RBAC_GROUP } from './binding-rules.ts';
import { AUTOUPDATE } from './reconcile.ts';

/** The verbs of who looks on. */
export const READ: readonly string[] = ['get', 'list', 'watch'];

/** Writing events, in either of their groups. */
export const REPORTING_EVENTS: PolicyRule = {
  verbs: ['create', 'patch', 'update'],
  apiGroups: ['', 'events.k8s.io'],
  resources: ['events'],
};

/** Verbs on resources of the core group, or of another where it is named before a colon: `apps:deployments`. */
export function allow(verbs: readonly string[], ...resources: readonly string[]): PolicyRule[] {
  const groups = new Map<string, string[]>();
  for (const written of resources) {
    const [group, resource] = written.includes(':')
      ? (written.split(':') as [string, string])
      : ['', written];
    groups.set(group, [...(groups.get(group) ?? []), resource]);
  }
  return [...groups].map(([group, names]) => ({
    verbs: [...verbs],
    apiGroups: [group],
    resources: names,
  }));
}

/** Reading paths that are no resources. */
export function paths(...nonResourceURLs: string[]): PolicyRule {
  return { verbs: ['get'], nonResourceURLs };
}

const MARKS = {
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
  annotations: { [AUTOUPDATE]: 'true' },
};

/** A ClusterRole of every cluster; a start puts its rules back (see reconcile.ts). */
export function role(
  name: string,
  rules: PolicyRule[],
  labels: Readonly<Record<string, string>> = {},
): ClusterRole {
  return {
    apiVersion: `${RBAC_GROUP}/v1`,
    kind: 'ClusterRole',
    metadata: { name, ...MARKS, labels: { ...MARKS.labels, ...labels } },
    rules,
  };
}

/** A ClusterRoleBinding of the role's name, to users or groups. */
export function binding(
  roleName: string,
  kind: 'Group' | 'User',
  ...names: string[]
): ClusterRoleBinding {
  return {
    apiVersion: `${RBAC_GROUP}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: roleName, ...MARKS },
    roleRef: { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name: roleName },
    subjects: names.map((name) => ({ apiGroup: RBAC_GROUP, kind, name })),
  };
}
