// The roles and bindings that every cluster starts with: for admins, for people by degree, for our own parts.
// Names are those that Kubernetes' documentation fixes; what each may do is written for the kinds we have.
import type { ClusterRole, ClusterRoleBinding, PolicyRule } from '../generated/types.ts';
import { aggregatedRules } from './aggregate.ts';
import { RBAC_GROUP } from './binding-rules.ts';
import { helperClusterRoleBindings, helperClusterRoles } from './bootstrap-helpers.ts';
import { allow, binding, paths, READ, REPORTING_EVENTS, role } from './bootstrap-parts.ts';
import { SUPERUSERS } from './evaluate.ts';

const WRITE = ['create', 'delete', 'deletecollection', 'patch', 'update'];

const ISSUER = [
  '/.well-known/openid-configuration',
  '/.well-known/openid-configuration/',
  '/openid/v1/jwks',
  '/openid/v1/jwks/',
];
const HEALTH = ['/healthz', '/livez', '/readyz', '/version', '/version/'];
const MONITORED = [
  ...['/healthz', '/livez', '/readyz'].flatMap((path) => [path, `${path}/*`]),
  '/metrics',
  '/metrics/slis',
];

/** Workloads, and what they need, as the people of a namespace write them. */
const WRITTEN_WORKLOADS = [
  'persistentvolumeclaims',
  'replicationcontrollers',
  'replicationcontrollers/scale',
  'apps:daemonsets',
  'apps:deployments',
  'apps:deployments/scale',
  'apps:replicasets',
  'apps:replicasets/scale',
  'apps:statefulsets',
  'apps:statefulsets/scale',
  'autoscaling:horizontalpodautoscalers',
  'batch:cronjobs',
  'batch:jobs',
  'policy:poddisruptionbudgets',
];

/** What the cluster says of them, and how it bounds them. */
const SEEN_OF_WORKLOADS = [
  'limitranges',
  'persistentvolumeclaims/status',
  'replicationcontrollers/status',
  'resourcequotas',
  'resourcequotas/status',
  'apps:controllerrevisions',
  'apps:daemonsets/status',
  'apps:deployments/status',
  'apps:replicasets/status',
  'apps:statefulsets/status',
  'autoscaling:horizontalpodautoscalers/status',
  'batch:cronjobs/status',
  'batch:jobs/status',
  'policy:poddisruptionbudgets/status',
];

const VIEW: PolicyRule[] = [
  ...allow(
    READ,
    'bindings',
    'configmaps',
    'endpoints',
    'events',
    'namespaces',
    'namespaces/status',
    'pods',
    'pods/log',
    'pods/status',
    'serviceaccounts',
    'services',
    'services/status',
    ...WRITTEN_WORKLOADS,
    ...SEEN_OF_WORKLOADS,
    'discovery.k8s.io:endpointslices',
    'networking.k8s.io:ingresses',
    'networking.k8s.io:ingresses/status',
    'networking.k8s.io:networkpolicies',
    'resource.k8s.io:resourceclaims',
    'resource.k8s.io:resourceclaims/status',
    'resource.k8s.io:resourceclaimtemplates',
    'metrics.k8s.io:pods',
    'metrics.k8s.io:nodes',
  ),
];

const EDIT: PolicyRule[] = [
  ...allow(
    READ,
    'pods/attach',
    'pods/exec',
    'pods/portforward',
    'pods/proxy',
    'secrets',
    'services/proxy',
    'coordination.k8s.io:leases',
  ),
  ...allow(
    WRITE,
    'configmaps',
    'endpoints',
    'pods',
    'pods/attach',
    'pods/exec',
    'pods/portforward',
    'pods/proxy',
    'secrets',
    'serviceaccounts',
    'services',
    'services/proxy',
    ...WRITTEN_WORKLOADS,
    'coordination.k8s.io:leases',
    'networking.k8s.io:ingresses',
    'networking.k8s.io:networkpolicies',
    'resource.k8s.io:resourceclaims',
    'resource.k8s.io:resourceclaimtemplates',
  ),
  ...allow(['create'], 'pods/eviction', 'serviceaccounts/token'),
  ...allow(['impersonate'], 'serviceaccounts'),
  ...allow(['create', 'patch', 'update'], 'events'),
];

const ADMIN: PolicyRule[] = [
  ...allow(
    [...READ, ...WRITE],
    'rbac.authorization.k8s.io:roles',
    'rbac.authorization.k8s.io:rolebindings',
  ),
  ...allow(['create'], 'authorization.k8s.io:localsubjectaccessreviews'),
];

/** Events and leases, which each of our parts writes. */
const REPORTING: PolicyRule[] = [
  REPORTING_EVENTS,
  ...allow([...READ, 'create', 'delete', 'patch', 'update'], 'coordination.k8s.io:leases'),
];

const NODE: PolicyRule[] = [
  ...REPORTING,
  ...allow([...READ, 'create', 'delete', 'patch', 'update'], 'nodes'),
  ...allow(['patch', 'update'], 'nodes/status', 'pods/status'),
  ...allow([...READ, 'create', 'delete'], 'pods'),
  ...allow(['create'], 'pods/eviction', 'metrics.k8s.io:nodes/samples'),
  ...allow(['create'], 'serviceaccounts/token'),
  ...allow(
    ['create'],
    'authentication.k8s.io:tokenreviews',
    'authorization.k8s.io:subjectaccessreviews',
  ),
  ...allow(
    READ,
    'configmaps',
    'endpoints',
    'namespaces',
    'persistentvolumeclaims',
    'persistentvolumes',
    'secrets',
    'serviceaccounts',
    'services',
    'discovery.k8s.io:endpointslices',
  ),
];

const ASKED_OF_NODES = ['configz', 'healthz', 'log', 'metrics', 'pods', 'proxy', 'stats'].map(
  (subresource) => `nodes/${subresource}`,
);

const SCHEDULER: PolicyRule[] = [
  ...REPORTING,
  ...allow([...READ, 'delete', 'patch', 'update'], 'pods'),
  ...allow(['patch', 'update'], 'pods/status'),
  ...allow(['create'], 'bindings', 'pods/binding'),
  ...allow([...READ, 'patch', 'update'], 'persistentvolumeclaims', 'persistentvolumes'),
  ...allow(
    READ,
    'namespaces',
    'nodes',
    'replicationcontrollers',
    'services',
    'storage.k8s.io:storageclasses',
    'apps:replicasets',
    'apps:statefulsets',
    'policy:poddisruptionbudgets',
  ),
  // For its own port, as upstream's: who may see its figures.
  ...allow(
    ['create'],
    'authentication.k8s.io:tokenreviews',
    'authorization.k8s.io:subjectaccessreviews',
  ),
];

/** One identity for all built-in controllers. The garbage collector and the namespace controller may end anything. */
const CONTROLLERS: PolicyRule[] = [
  ...REPORTING,
  { verbs: [...READ, ...WRITE.filter((v) => v !== 'create')], apiGroups: ['*'], resources: ['*'] },
  ...allow(
    ['create'],
    'configmaps',
    'endpoints',
    'namespaces',
    'persistentvolumeclaims',
    'pods',
    'pods/eviction',
    'secrets',
    'serviceaccounts',
    'serviceaccounts/token',
    'apps:controllerrevisions',
    'apps:replicasets',
    'batch:jobs',
    'discovery.k8s.io:endpointslices',
    'networking.k8s.io:ipaddresses',
    'authentication.k8s.io:tokenreviews',
    'authorization.k8s.io:subjectaccessreviews',
  ),
  // Aggregated roles are given what their parts have, whoever wrote those.
  ...allow(['escalate'], 'rbac.authorization.k8s.io:clusterroles'),
  paths('*'),
];

/** The label of roles that become part of another one. */
const partOf = (whole: string) => ({ [`${RBAC_GROUP}/aggregate-to-${whole}`]: 'true' });

/** What people may do by degree; who adds a kind adds a role with such a label. */
const DEGREES: readonly ClusterRole[] = [
  role('system:aggregate-to-view', VIEW, partOf('view')),
  role('system:aggregate-to-edit', EDIT, partOf('edit')),
  role('system:aggregate-to-admin', ADMIN, partOf('admin')),
];

/** A role made of others, with their rules from the start: a server without controllers has them, too. */
function wholeOf(name: string, labels: Readonly<Record<string, string>>, parts: ClusterRole[]) {
  const aggregationRule = { clusterRoleSelectors: [{ matchLabels: partOf(name) }] };
  const whole: ClusterRole = { ...role(name, [], labels), aggregationRule };
  return { ...whole, rules: aggregatedRules(whole, parts) };
}

const VIEWER = wholeOf('view', partOf('edit'), [...DEGREES]);
const EDITOR = wholeOf('edit', partOf('admin'), [...DEGREES, VIEWER]);
const NAMESPACE_ADMIN = wholeOf('admin', {}, [...DEGREES, VIEWER, EDITOR]);

/** ClusterRoles to make at start where they are missing. */
export const bootstrapClusterRoles: readonly ClusterRole[] = [
  role('cluster-admin', [
    { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
    { verbs: ['*'], nonResourceURLs: ['*'] },
  ]),
  NAMESPACE_ADMIN,
  EDITOR,
  VIEWER,
  ...DEGREES,
  role('system:discovery', [
    paths('/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*', ...HEALTH),
  ]),
  role('system:basic-user', [
    ...allow(
      ['create'],
      'authorization.k8s.io:selfsubjectaccessreviews',
      'authorization.k8s.io:selfsubjectrulesreviews',
      'authentication.k8s.io:selfsubjectreviews',
    ),
  ]),
  // For API servers behind this one, which ask it who somebody is and what they may do.
  role('system:auth-delegator', [
    ...allow(
      ['create'],
      'authentication.k8s.io:tokenreviews',
      'authorization.k8s.io:subjectaccessreviews',
    ),
  ]),
  // All that a node's own server can be asked; KEP-2862's finer names among it.
  role('system:kubelet-api-admin', [
    ...allow([...READ, 'proxy'], 'nodes'),
    ...allow(['*'], ...ASKED_OF_NODES),
  ]),
  role('system:public-info-viewer', [paths(...HEALTH)]),
  role('system:monitoring', [paths(...MONITORED)]),
  role('system:service-account-issuer-discovery', [paths(...ISSUER)]),
  role('system:node', NODE),
  role('system:kube-scheduler', SCHEDULER),
  role('system:kube-controller-manager', CONTROLLERS),
  ...helperClusterRoles,
];

/** Their bindings. */
export const bootstrapClusterRoleBindings: readonly ClusterRoleBinding[] = [
  binding('cluster-admin', 'Group', SUPERUSERS),
  binding('system:discovery', 'Group', 'system:authenticated'),
  binding('system:basic-user', 'Group', 'system:authenticated'),
  binding('system:public-info-viewer', 'Group', 'system:authenticated', 'system:unauthenticated'),
  binding('system:monitoring', 'Group', 'system:monitoring'),
  binding('system:service-account-issuer-discovery', 'Group', 'system:serviceaccounts'),
  binding('system:node', 'Group', 'system:nodes'),
  binding('system:kube-scheduler', 'User', 'system:kube-scheduler'),
  binding('system:kube-controller-manager', 'User', 'system:kube-controller-manager'),
  ...helperClusterRoleBindings,
];
