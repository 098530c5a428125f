// Field numbers of the messages that kubectl's typed commands send (`create`, `autoscale`, `auth`,
// `drain`). The n-th word is the field with number n; `-` is a number without a field. A `?` at the
// end keeps a zero or false (the field is a pointer: unset and zero differ); a `!` at the end is
// read past, as writers may not set it; a `^` at the end is the first field of a message of its
// own there, which JSON leaves out. Types come from the schemas. A message or number that is not
// here is refused, never dropped.

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const CORE = 'io.k8s.api.core.v1';
const HPA = 'io.k8s.api.autoscaling.v2';
const BATCH = 'io.k8s.api.batch.v1';
const POLICY = 'io.k8s.api.policy.v1';
const RBAC = 'io.k8s.api.rbac.v1';
const AUTHZ = 'io.k8s.api.authorization.v1';
const AUTHN = 'io.k8s.api.authentication.v1';
const OBJECT = 'metadata spec status!';

const META_FIELDS = {
  [`${META}.ObjectMeta`]:
    'name generateName namespace selfLink uid resourceVersion generation creationTimestamp ' +
    'deletionTimestamp deletionGracePeriodSeconds? labels annotations ownerReferences finalizers ' +
    '- - managedFields!',
  [`${META}.OwnerReference`]: 'kind - name uid apiVersion controller? blockOwnerDeletion?',
  [`${META}.LabelSelector`]: 'matchLabels matchExpressions',
  [`${META}.LabelSelectorRequirement`]: 'key operator values',
  [`${META}.DeleteOptions`]:
    'gracePeriodSeconds? preconditions orphanDependents? propagationPolicy dryRun ' +
    'ignoreStoreReadErrorWithClusterBreakingPotential?',
  [`${META}.Preconditions`]: 'uid resourceVersion',
};

const CORE_FIELDS = {
  [`${CORE}.Namespace`]: OBJECT,
  [`${CORE}.NamespaceSpec`]: 'finalizers',
  [`${CORE}.ConfigMap`]: 'metadata data binaryData immutable?',
  [`${CORE}.Secret`]: 'metadata data type stringData immutable?',
  [`${CORE}.ServiceAccount`]: 'metadata secrets imagePullSecrets automountServiceAccountToken?',
  [`${CORE}.LocalObjectReference`]: 'name',
  [`${CORE}.ObjectReference`]: 'kind namespace name uid apiVersion resourceVersion fieldPath',
  [`${CORE}.Service`]: OBJECT,
  [`${CORE}.ServiceSpec`]:
    'ports selector clusterIP type externalIPs - sessionAffinity loadBalancerIP ' +
    'loadBalancerSourceRanges externalName externalTrafficPolicy healthCheckNodePort ' +
    'publishNotReadyAddresses sessionAffinityConfig - - ipFamilyPolicy clusterIPs ipFamilies ' +
    'allocateLoadBalancerNodePorts? loadBalancerClass internalTrafficPolicy trafficDistribution',
  [`${CORE}.ServicePort`]: 'name protocol port targetPort nodePort appProtocol',
  [`${CORE}.SessionAffinityConfig`]: 'clientIP',
  [`${CORE}.ClientIPConfig`]: 'timeoutSeconds?',
  [`${CORE}.PodTemplateSpec`]: 'metadata spec',
  [`${CORE}.PodSpec`]:
    'volumes containers restartPolicy terminationGracePeriodSeconds? activeDeadlineSeconds? ' +
    'dnsPolicy nodeSelector serviceAccountName serviceAccount nodeName hostNetwork ' +
    'hostPID hostIPC ' +
    'securityContext imagePullSecrets hostname subdomain affinity schedulerName initContainers ' +
    'automountServiceAccountToken? tolerations hostAliases priorityClassName priority? dnsConfig ' +
    'shareProcessNamespace? readinessGates runtimeClassName enableServiceLinks? preemptionPolicy ' +
    'overhead topologySpreadConstraints ephemeralContainers setHostnameAsFQDN? os hostUsers? ' +
    'schedulingGates resourceClaims resources hostnameOverride',
  [`${CORE}.Container`]:
    'name image command args workingDir ports env resources volumeMounts livenessProbe ' +
    'readinessProbe lifecycle terminationMessagePath imagePullPolicy securityContext stdin ' +
    'stdinOnce tty envFrom terminationMessagePolicy volumeDevices startupProbe ' +
    'resizePolicy restartPolicy',
  [`${CORE}.ContainerPort`]: 'name hostPort containerPort protocol hostIP',
  [`${CORE}.EnvVar`]: 'name value valueFrom',
  [`${CORE}.ResourceRequirements`]: 'limits requests claims',
};

const WORKLOAD_FIELDS = {
  'io.k8s.api.apps.v1.Deployment': OBJECT,
  'io.k8s.api.apps.v1.DeploymentSpec':
    'replicas? selector template strategy minReadySeconds revisionHistoryLimit? paused - ' +
    'progressDeadlineSeconds?',
  'io.k8s.api.apps.v1.DeploymentStrategy': 'type rollingUpdate',
  'io.k8s.api.apps.v1.RollingUpdateDeployment': 'maxUnavailable maxSurge',
  [`${BATCH}.Job`]: OBJECT,
  [`${BATCH}.JobSpec`]:
    'parallelism? completions? activeDeadlineSeconds? selector manualSelector? template ' +
    'backoffLimit? ttlSecondsAfterFinished? completionMode suspend? podFailurePolicy ' +
    'backoffLimitPerIndex? maxFailedIndexes? podReplacementPolicy managedBy successPolicy',
  [`${BATCH}.CronJob`]: OBJECT,
  [`${BATCH}.CronJobSpec`]:
    'schedule startingDeadlineSeconds? concurrencyPolicy suspend? jobTemplate ' +
    'successfulJobsHistoryLimit? failedJobsHistoryLimit? timeZone',
  [`${BATCH}.JobTemplateSpec`]: 'metadata spec',
  [`${POLICY}.Eviction`]: 'metadata deleteOptions',
  [`${POLICY}.PodDisruptionBudget`]: OBJECT,
  [`${POLICY}.PodDisruptionBudgetSpec`]:
    'minAvailable selector maxUnavailable unhealthyPodEvictionPolicy',
  [`${CORE}.ResourceQuota`]: OBJECT,
  [`${CORE}.ResourceQuotaSpec`]: 'hard scopes scopeSelector',
  [`${CORE}.ScopeSelector`]: 'matchExpressions',
  [`${CORE}.ScopedResourceSelectorRequirement`]: 'scopeName operator values',
};

const AUTOSCALING_FIELDS = {
  'io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler': OBJECT,
  'io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec':
    'scaleTargetRef minReplicas? maxReplicas targetCPUUtilizationPercentage?',
  'io.k8s.api.autoscaling.v1.CrossVersionObjectReference': 'kind name apiVersion',
  [`${HPA}.HorizontalPodAutoscaler`]: OBJECT,
  [`${HPA}.HorizontalPodAutoscalerSpec`]:
    'scaleTargetRef minReplicas? maxReplicas metrics behavior',
  [`${HPA}.CrossVersionObjectReference`]: 'kind name apiVersion',
  [`${HPA}.MetricSpec`]: 'type object pods resource external - containerResource',
  [`${HPA}.ObjectMetricSource`]: 'describedObject target metric',
  [`${HPA}.PodsMetricSource`]: 'metric target',
  [`${HPA}.ResourceMetricSource`]: 'name target',
  [`${HPA}.ExternalMetricSource`]: 'metric target',
  [`${HPA}.ContainerResourceMetricSource`]: 'name target container',
  [`${HPA}.MetricIdentifier`]: 'name selector',
  [`${HPA}.MetricTarget`]: 'type value averageValue averageUtilization?',
  [`${HPA}.HorizontalPodAutoscalerBehavior`]: 'scaleUp scaleDown',
  [`${HPA}.HPAScalingRules`]: 'selectPolicy policies stabilizationWindowSeconds? tolerance',
  [`${HPA}.HPAScalingPolicy`]: 'type value periodSeconds',
};

const ACCESS_FIELDS = {
  [`${RBAC}.Role`]: 'metadata rules',
  [`${RBAC}.ClusterRole`]: 'metadata rules aggregationRule',
  [`${RBAC}.AggregationRule`]: 'clusterRoleSelectors',
  [`${RBAC}.PolicyRule`]: 'verbs apiGroups resources resourceNames nonResourceURLs',
  [`${RBAC}.RoleBinding`]: 'metadata subjects roleRef',
  [`${RBAC}.ClusterRoleBinding`]: 'metadata subjects roleRef',
  [`${RBAC}.Subject`]: 'kind apiGroup name namespace',
  [`${RBAC}.RoleRef`]: 'apiGroup kind name',
  [`${AUTHZ}.SelfSubjectAccessReview`]: OBJECT,
  [`${AUTHZ}.SelfSubjectAccessReviewSpec`]: 'resourceAttributes nonResourceAttributes',
  [`${AUTHZ}.ResourceAttributes`]: 'namespace verb group version resource subresource name',
  [`${AUTHZ}.NonResourceAttributes`]: 'path verb',
  [`${AUTHZ}.SelfSubjectRulesReview`]: OBJECT,
  [`${AUTHZ}.SelfSubjectRulesReviewSpec`]: 'namespace',
  [`${AUTHN}.SelfSubjectReview`]: 'metadata status!',
  [`${AUTHN}.TokenRequest`]: OBJECT,
  [`${AUTHN}.TokenRequestSpec`]: 'audiences - boundObjectRef expirationSeconds?',
  [`${AUTHN}.BoundObjectReference`]: 'kind apiVersion name uid',
};

const NETWORKING = 'io.k8s.api.networking.v1';
const CERTIFICATES = 'io.k8s.api.certificates.v1';

const OTHER_FIELDS = {
  'io.k8s.api.scheduling.v1.PriorityClass':
    'metadata value globalDefault description preemptionPolicy',
  [`${NETWORKING}.Ingress`]: OBJECT,
  [`${NETWORKING}.IngressSpec`]: 'defaultBackend tls rules ingressClassName',
  [`${NETWORKING}.IngressTLS`]: 'hosts secretName',
  [`${NETWORKING}.IngressRule`]: 'host http^',
  [`${NETWORKING}.HTTPIngressRuleValue`]: 'paths',
  [`${NETWORKING}.HTTPIngressPath`]: 'path backend pathType',
  [`${NETWORKING}.IngressBackend`]: '- - resource service',
  [`${NETWORKING}.IngressServiceBackend`]: 'name port',
  [`${NETWORKING}.ServiceBackendPort`]: 'name number',
  [`${CORE}.TypedLocalObjectReference`]: 'apiGroup kind name',
  [`${CERTIFICATES}.CertificateSigningRequest`]: 'metadata spec status',
  [`${CERTIFICATES}.CertificateSigningRequestSpec`]:
    'request username uid groups usages extra! signerName expirationSeconds?',
  [`${CERTIFICATES}.CertificateSigningRequestStatus`]: 'conditions certificate',
  [`${CERTIFICATES}.CertificateSigningRequestCondition`]:
    'type reason message lastUpdateTime lastTransitionTime status',
};

const ROWS: Readonly<Record<string, string>> = {
  ...META_FIELDS,
  ...CORE_FIELDS,
  ...WORKLOAD_FIELDS,
  ...AUTOSCALING_FIELDS,
  ...ACCESS_FIELDS,
  ...OTHER_FIELDS,
};

/** One field of a message. */
export interface ProtobufField {
  readonly name: string;
  /** Zero and false mean something other than absence. */
  readonly keepsZero: boolean;
  readonly skipped: boolean;
  /** Stands as field 1 in a message of its own. */
  readonly wrapped: boolean;
}

/** The field with that number in the message of that schema, if it is known here. */
export function protobufField(schemaName: string, number: number): ProtobufField | undefined {
  const word = ROWS[schemaName]?.split(' ')[number - 1];
  if (word === undefined || word === '-') return undefined;
  return {
    name: nameOf(word),
    keepsZero: word.endsWith('?'),
    skipped: word.endsWith('!'),
    wrapped: word.endsWith('^'),
  };
}

const nameOf = (word: string): string => word.replace(/[?!^]$/, '');

/** `<schema name>.<field>` of every field that has a number here. */
export function protobufFieldNames(): string[] {
  return Object.entries(ROWS).flatMap(([schemaName, words]) =>
    words
      .split(' ')
      .filter((word) => word !== '-')
      .map((word) => `${schemaName}.${nameOf(word)}`),
  );
}
