// Roles that every cluster has for programs that come with others: Kubernetes' documentation ("Using RBAC Authorization",
// "Certificates and Certificate Signing Requests") names them, and manifests of such programs bind them without making them.
// Invariant: nobody here has them but by a binding; ours are in bootstrap.ts.
import type { ClusterRole, ClusterRoleBinding } from '../generated/types.ts';
import { allow, binding, READ, REPORTING_EVENTS, role } from './bootstrap-parts.ts';

const LOOK = ['list', 'watch'];
const REQUESTS = 'certificates.k8s.io:certificatesigningrequests';

/** Who may say yes to requests for certificates of a signer. */
const approver = (signer: string): ClusterRole =>
  role(`system:certificates.k8s.io:${signer}-approver`, [
    {
      verbs: ['approve'],
      apiGroups: ['certificates.k8s.io'],
      resources: ['signers'],
      resourceNames: [`kubernetes.io/${signer}`],
    },
  ]);

/** ClusterRoles to make at start where they are missing. */
export const helperClusterRoles: readonly ClusterRole[] = [
  ...[
    'kube-apiserver-client',
    'kube-apiserver-client-kubelet',
    'kubelet-serving',
    'legacy-unknown',
  ].map(approver),
  // A node that asks for its first certificate, and for the next one.
  ...['nodeclient', 'selfnodeclient'].map((which) =>
    role(
      `system:certificates.k8s.io:certificatesigningrequests:${which}`,
      allow(['create'], `${REQUESTS}/${which}`),
    ),
  ),
  role('system:node-bootstrapper', allow([...READ, 'create'], REQUESTS)),
  role('system:node-problem-detector', [
    ...allow(['get'], 'nodes'),
    ...allow(['patch'], 'nodes/status'),
    REPORTING_EVENTS,
  ]),
  role('system:node-proxier', [
    ...allow(
      LOOK,
      'endpoints',
      'services',
      'discovery.k8s.io:endpointslices',
      'networking.k8s.io:servicecidrs',
    ),
    ...allow(READ, 'nodes'),
    REPORTING_EVENTS,
  ]),
  role('system:kube-aggregator', allow(READ, 'endpoints', 'services')),
  role('system:kube-dns', allow(LOOK, 'endpoints', 'services')),
  role('system:persistent-volume-provisioner', [
    ...allow([...READ, 'create', 'delete'], 'persistentvolumes'),
    ...allow([...READ, 'update'], 'persistentvolumeclaims'),
    ...allow(READ, 'storage.k8s.io:storageclasses'),
    ...allow(['watch'], 'events'),
    REPORTING_EVENTS,
  ]),
  role('system:volume-scheduler', [
    ...allow([...READ, 'patch', 'update'], 'persistentvolumeclaims', 'persistentvolumes'),
    ...allow(READ, 'storage.k8s.io:storageclasses'),
  ]),
];

/** Their bindings to users that are known by name. */
export const helperClusterRoleBindings: readonly ClusterRoleBinding[] = [
  binding('system:node-proxier', 'User', 'system:kube-proxy'),
  binding('system:volume-scheduler', 'User', 'system:kube-scheduler'),
];
