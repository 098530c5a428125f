// What a Kubernetes of level v1.36 serves by default, from its public API reference: every generally available resource.
// Invariant: rows stand in the order of `kubectl api-resources`; what we lack of a row is named in it.

/** A resource of the level. */
export interface UpstreamResource {
  readonly name: string;
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly verbs: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly string[];
  /** Why we do not serve it. */
  readonly lacking?: string;
}

const WHOLE = 'create delete deletecollection get list patch update watch';
const NO_COLLECTION = 'create delete get list patch update watch';

/** `name shortName,… Kind scope categories`, a verb list where it is not the whole, subresources, what is lacking. */
interface Row {
  readonly is: string;
  readonly short?: string;
  readonly verbs?: string;
  readonly categories?: string;
  readonly subresources?: string;
  readonly lacking?: string;
}

const all = 'all';
const extensions = 'api-extensions';
const scaled = 'scale status';
const status = 'status';

const CORE: readonly Row[] = [
  { is: 'bindings Binding ns', verbs: 'create' },
  {
    is: 'componentstatuses ComponentStatus cluster',
    short: 'cs',
    verbs: 'get list',
  },
  { is: 'configmaps ConfigMap ns', short: 'cm' },
  { is: 'endpoints Endpoints ns', short: 'ep' },
  { is: 'events Event ns', short: 'ev' },
  { is: 'limitranges LimitRange ns', short: 'limits' },
  {
    is: 'namespaces Namespace cluster',
    short: 'ns',
    verbs: NO_COLLECTION,
    subresources: 'finalize status',
  },
  { is: 'nodes Node cluster', short: 'no', subresources: 'proxy status' },
  { is: 'persistentvolumeclaims PersistentVolumeClaim ns', short: 'pvc', subresources: status },
  {
    is: 'persistentvolumes PersistentVolume cluster',
    short: 'pv',
    subresources: status,
  },
  {
    is: 'pods Pod ns',
    short: 'po',
    categories: all,
    subresources:
      'attach binding ephemeralcontainers eviction exec log portforward proxy resize status',
  },
  { is: 'podtemplates PodTemplate ns' },
  {
    is: 'replicationcontrollers ReplicationController ns',
    short: 'rc',
    categories: all,
    subresources: scaled,
  },
  { is: 'resourcequotas ResourceQuota ns', short: 'quota', subresources: status },
  { is: 'secrets Secret ns' },
  { is: 'serviceaccounts ServiceAccount ns', short: 'sa', subresources: 'token' },
  { is: 'services Service ns', short: 'svc', categories: all, subresources: 'proxy status' },
];

/** Groups with their version, in the order of their names. */
const GROUPS: readonly (readonly [group: string, version: string, rows: readonly Row[]])[] = [
  ['', 'v1', CORE],
  [
    'admissionregistration.k8s.io',
    'v1',
    [
      { is: 'mutatingadmissionpolicies MutatingAdmissionPolicy cluster', categories: extensions },
      {
        is: 'mutatingadmissionpolicybindings MutatingAdmissionPolicyBinding cluster',
        categories: extensions,
      },
      {
        is: 'mutatingwebhookconfigurations MutatingWebhookConfiguration cluster',
        categories: extensions,
      },
      {
        is: 'validatingadmissionpolicies ValidatingAdmissionPolicy cluster',
        categories: extensions,
        subresources: status,
      },
      {
        is: 'validatingadmissionpolicybindings ValidatingAdmissionPolicyBinding cluster',
        categories: extensions,
      },
      {
        is: 'validatingwebhookconfigurations ValidatingWebhookConfiguration cluster',
        categories: extensions,
      },
    ],
  ],
  [
    'apiextensions.k8s.io',
    'v1',
    [
      {
        is: 'customresourcedefinitions CustomResourceDefinition cluster',
        short: 'crd,crds',
        categories: extensions,
        subresources: status,
      },
    ],
  ],
  [
    'apiregistration.k8s.io',
    'v1',
    [
      {
        is: 'apiservices APIService cluster',
        categories: extensions,
        subresources: status,
      },
    ],
  ],
  [
    'apps',
    'v1',
    [
      { is: 'controllerrevisions ControllerRevision ns' },
      { is: 'daemonsets DaemonSet ns', short: 'ds', categories: all, subresources: status },
      { is: 'deployments Deployment ns', short: 'deploy', categories: all, subresources: scaled },
      { is: 'replicasets ReplicaSet ns', short: 'rs', categories: all, subresources: scaled },
      { is: 'statefulsets StatefulSet ns', short: 'sts', categories: all, subresources: scaled },
    ],
  ],
  [
    'authentication.k8s.io',
    'v1',
    [
      { is: 'selfsubjectreviews SelfSubjectReview cluster', verbs: 'create' },
      { is: 'tokenreviews TokenReview cluster', verbs: 'create' },
    ],
  ],
  [
    'authorization.k8s.io',
    'v1',
    [
      { is: 'localsubjectaccessreviews LocalSubjectAccessReview ns', verbs: 'create' },
      { is: 'selfsubjectaccessreviews SelfSubjectAccessReview cluster', verbs: 'create' },
      { is: 'selfsubjectrulesreviews SelfSubjectRulesReview cluster', verbs: 'create' },
      { is: 'subjectaccessreviews SubjectAccessReview cluster', verbs: 'create' },
    ],
  ],
  [
    'autoscaling',
    'v2',
    [
      {
        is: 'horizontalpodautoscalers HorizontalPodAutoscaler ns',
        short: 'hpa',
        categories: all,
        subresources: status,
      },
    ],
  ],
  [
    'batch',
    'v1',
    [
      { is: 'cronjobs CronJob ns', short: 'cj', categories: all, subresources: status },
      { is: 'jobs Job ns', categories: all, subresources: status },
    ],
  ],
  [
    'certificates.k8s.io',
    'v1',
    [
      {
        is: 'certificatesigningrequests CertificateSigningRequest cluster',
        short: 'csr',
        subresources: 'approval status',
      },
    ],
  ],
  ['coordination.k8s.io', 'v1', [{ is: 'leases Lease ns' }]],
  ['discovery.k8s.io', 'v1', [{ is: 'endpointslices EndpointSlice ns' }]],
  ['events.k8s.io', 'v1', [{ is: 'events Event ns', short: 'ev' }]],
  [
    'flowcontrol.apiserver.k8s.io',
    'v1',
    [
      { is: 'flowschemas FlowSchema cluster', subresources: status },
      {
        is: 'prioritylevelconfigurations PriorityLevelConfiguration cluster',
        subresources: status,
      },
    ],
  ],
  [
    'networking.k8s.io',
    'v1',
    [
      { is: 'ingressclasses IngressClass cluster' },
      { is: 'ingresses Ingress ns', short: 'ing', subresources: status },
      { is: 'ipaddresses IPAddress cluster', short: 'ip' },
      { is: 'networkpolicies NetworkPolicy ns', short: 'netpol' },
      { is: 'servicecidrs ServiceCIDR cluster', subresources: status },
    ],
  ],
  ['node.k8s.io', 'v1', [{ is: 'runtimeclasses RuntimeClass cluster' }]],
  [
    'policy',
    'v1',
    [{ is: 'poddisruptionbudgets PodDisruptionBudget ns', short: 'pdb', subresources: status }],
  ],
  [
    'rbac.authorization.k8s.io',
    'v1',
    [
      { is: 'clusterrolebindings ClusterRoleBinding cluster' },
      { is: 'clusterroles ClusterRole cluster' },
      { is: 'rolebindings RoleBinding ns' },
      { is: 'roles Role ns' },
    ],
  ],
  [
    'resource.k8s.io',
    'v1',
    [
      { is: 'deviceclasses DeviceClass cluster' },
      { is: 'resourceclaims ResourceClaim ns', subresources: status },
      { is: 'resourceclaimtemplates ResourceClaimTemplate ns' },
      { is: 'resourceslices ResourceSlice cluster' },
    ],
  ],
  ['scheduling.k8s.io', 'v1', [{ is: 'priorityclasses PriorityClass cluster', short: 'pc' }]],
  [
    'storage.k8s.io',
    'v1',
    [
      { is: 'csidrivers CSIDriver cluster' },
      { is: 'csinodes CSINode cluster' },
      { is: 'csistoragecapacities CSIStorageCapacity ns' },
      { is: 'storageclasses StorageClass cluster', short: 'sc' },
      { is: 'volumeattachments VolumeAttachment cluster', subresources: status },
      { is: 'volumeattributesclasses VolumeAttributesClass cluster', short: 'vac' },
    ],
  ],
];

const words = (text: string | undefined): string[] => (text ? text.split(/[ ,]/) : []);

/** All of them. */
export const upstreamResources: readonly UpstreamResource[] = GROUPS.flatMap(
  ([group, version, rows]) =>
    rows.map((row): UpstreamResource => {
      const [name = '', kind = '', scope] = words(row.is);
      return {
        name,
        kind,
        group,
        version,
        namespaced: scope === 'ns',
        shortNames: words(row.short),
        verbs: words(row.verbs ?? WHOLE),
        categories: words(row.categories),
        subresources: words(row.subresources),
        ...(row.lacking === undefined ? {} : { lacking: row.lacking }),
      };
    }),
);
