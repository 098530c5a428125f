// Who may read how the API server is recognized: kube-system/extension-apiserver-authentication, which aggregated API servers need.
// Names are those that Kubernetes' documentation fixes.
import type { Role, RoleBinding } from '../generated/types.ts';
import { RBAC_GROUP } from './binding-rules.ts';
import { AUTOUPDATE } from './reconcile.ts';

/** The ConfigMap's name; it is in kube-system. */
export const AUTHENTICATION_CONFIG = 'extension-apiserver-authentication';

const READER = `${AUTHENTICATION_CONFIG}-reader`;
const MARKS = {
  namespace: 'kube-system',
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
  annotations: { [AUTOUPDATE]: 'true' },
};

/** The role that is bound to the ServiceAccount of an aggregated API server. */
export const authenticationReader: Role = {
  apiVersion: `${RBAC_GROUP}/v1`,
  kind: 'Role',
  metadata: { name: READER, ...MARKS },
  rules: [
    {
      verbs: ['get', 'list', 'watch'],
      apiGroups: [''],
      resources: ['configmaps'],
      resourceNames: [AUTHENTICATION_CONFIG],
    },
  ],
};

/** Its binding to the cluster's own parts. */
export const authenticationReaderBinding: RoleBinding = {
  apiVersion: `${RBAC_GROUP}/v1`,
  kind: 'RoleBinding',
  metadata: { name: `system::${READER}`, ...MARKS },
  roleRef: { apiGroup: RBAC_GROUP, kind: 'Role', name: READER },
  subjects: ['system:kube-controller-manager', 'system:kube-scheduler'].map((name) => ({
    apiGroup: RBAC_GROUP,
    kind: 'User',
    name,
  })),
};
