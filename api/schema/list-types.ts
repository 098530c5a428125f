// What the client package does not carry: how lists and maps merge. Written from the API reference.
// Invariant: every row names a field that exists; a list without a row is replaced as a whole.
import { table } from '../../base/table.ts';
import { invariant } from '../../base/invariant.ts';
import type { Schema } from './schema.ts';

const CORE = 'io.k8s.api.core.v1';
const APPS = 'io.k8s.api.apps.v1';
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const BATCH = 'io.k8s.api.batch.v1';
const POLICY = 'io.k8s.api.policy.v1';
const ADMISSION = 'io.k8s.api.admissionregistration.v1';
const RESOURCE = 'io.k8s.api.resource.v1';
const PACKAGES = [
  ADMISSION,
  APPS,
  CORE,
  META,
  'io.k8s.api.authentication.v1',
  'io.k8s.api.authorization.v1',
  'io.k8s.api.autoscaling.v2',
  BATCH,
  'io.k8s.api.certificates.v1',
  'io.k8s.api.discovery.v1',
  'io.k8s.api.events.v1',
  'io.k8s.api.flowcontrol.v1',
  'io.k8s.api.networking.v1',
  'io.k8s.api.node.v1',
  POLICY,
  'io.k8s.api.rbac.v1',
  RESOURCE,
  'io.k8s.api.scheduling.v1',
  'io.k8s.api.storage.v1',
];

/** Lists whose items have an identity. The first key is also the one patches merge by. */
const MAP_LISTS: Readonly<Record<string, readonly string[]>> = table({
  ...conditionsOf(CORE, [
    'ComponentStatus',
    'NamespaceStatus',
    'NodeStatus',
    'PersistentVolumeClaimStatus',
    'PodStatus',
    'ReplicationControllerStatus',
    'ServiceStatus',
  ]),
  ...conditionsOf(APPS, [
    'DaemonSetStatus',
    'DeploymentStatus',
    'ReplicaSetStatus',
    'StatefulSetStatus',
  ]),
  ...conditionsOf('io.k8s.api.autoscaling.v2', ['HorizontalPodAutoscalerStatus']),
  [`${ADMISSION}.MutatingAdmissionPolicySpec.matchConditions`]: ['name'],
  [`${ADMISSION}.MutatingWebhook.matchConditions`]: ['name'],
  [`${ADMISSION}.ValidatingWebhook.matchConditions`]: ['name'],
  [`${ADMISSION}.ValidatingAdmissionPolicySpec.matchConditions`]: ['name'],
  [`${ADMISSION}.ValidatingAdmissionPolicySpec.variables`]: ['name'],
  [`${ADMISSION}.MutatingWebhookConfiguration.webhooks`]: ['name'],
  [`${ADMISSION}.ValidatingWebhookConfiguration.webhooks`]: ['name'],
  ...conditionsOf('io.k8s.api.flowcontrol.v1', [
    'FlowSchemaStatus',
    'PriorityLevelConfigurationStatus',
  ]),
  ...conditionsOf('io.k8s.api.networking.v1', ['ServiceCIDRStatus']),
  ...conditionsOf(BATCH, ['JobStatus']),
  ...conditionsOf(POLICY, ['PodDisruptionBudgetStatus']),
  ...containerLists('Container'),
  ...containerLists('EphemeralContainer'),
  [`${CORE}.ContainerStatus.allocatedResourcesStatus`]: ['name'],
  [`${CORE}.ContainerStatus.volumeMounts`]: ['mountPath'],
  [`${CORE}.NodeStatus.addresses`]: ['type'],
  [`${CORE}.PodSpec.containers`]: ['name'],
  [`${CORE}.PodSpec.ephemeralContainers`]: ['name'],
  [`${CORE}.PodSpec.hostAliases`]: ['ip'],
  [`${CORE}.PodSpec.imagePullSecrets`]: ['name'],
  [`${CORE}.PodSpec.initContainers`]: ['name'],
  [`${CORE}.PodSpec.resourceClaims`]: ['name'],
  [`${CORE}.PodSpec.schedulingGates`]: ['name'],
  [`${CORE}.PodSpec.topologySpreadConstraints`]: ['topologyKey', 'whenUnsatisfiable'],
  [`${CORE}.PodSpec.volumes`]: ['name'],
  [`${CORE}.PodStatus.hostIPs`]: ['ip'],
  [`${CORE}.PodStatus.podIPs`]: ['ip'],
  [`${CORE}.PodStatus.resourceClaimStatuses`]: ['name'],
  [`${CORE}.ServiceAccount.secrets`]: ['name'],
  [`${CORE}.ServiceSpec.ports`]: ['port', 'protocol'],
  [`${RESOURCE}.ResourceClaimStatus.reservedFor`]: ['uid'],
  [`${META}.ObjectMeta.ownerReferences`]: ['uid'],
  'io.k8s.api.storage.v1.CSINodeSpec.drivers': ['name'],
});

/** Upstream's lists that patches merge by key and server-side apply takes as one value. */
const MERGED_ATOMIC_LISTS = [`${BATCH}.JobStatus.conditions`, `${CORE}.PodStatus.hostIPs`];

/** Identities that only server-side apply knows; other patches replace these lists. */
const APPLY_ONLY_MAP_LISTS: Readonly<Record<string, readonly string[]>> = table({
  ...conditionsOf(ADMISSION, ['ValidatingAdmissionPolicyStatus']),
  ...conditionsOf('io.k8s.api.certificates.v1', ['CertificateSigningRequestStatus']),
  ...conditionsOf(RESOURCE, ['AllocatedDeviceStatus']),
  [`${RESOURCE}.ResourceClaimStatus.devices`]: ['driver', 'device', 'pool', 'shareID'],
  [`${CORE}.ResourceRequirements.claims`]: ['name'],
  [`${CORE}.ResourceStatus.resources`]: ['resourceID'],
});

/** Lists of plain values that hold each value once; `merge` where patches merge them too. */
const SET_LISTS: Readonly<Record<string, 'merge' | 'replace'>> = table({
  [`${ADMISSION}.ValidatingAdmissionPolicyBindingSpec.validationActions`]: 'replace',
  [`${BATCH}.PodFailurePolicyOnExitCodesRequirement.values`]: 'replace',
  [`${BATCH}.UncountedTerminatedPods.failed`]: 'replace',
  [`${BATCH}.UncountedTerminatedPods.succeeded`]: 'replace',
  [`${CORE}.ContainerRestartRuleOnExitCodes.values`]: 'replace',
  [`${CORE}.NodeAllocatableResourceClaimStatus.containers`]: 'replace',
  [`${CORE}.NodeSpec.podCIDRs`]: 'merge',
  [`${META}.ObjectMeta.finalizers`]: 'merge',
  'io.k8s.api.discovery.v1.Endpoint.addresses': 'replace',
  'io.k8s.api.flowcontrol.v1.NonResourcePolicyRule.nonResourceURLs': 'replace',
  'io.k8s.api.flowcontrol.v1.NonResourcePolicyRule.verbs': 'replace',
  'io.k8s.api.flowcontrol.v1.ResourcePolicyRule.apiGroups': 'replace',
  'io.k8s.api.flowcontrol.v1.ResourcePolicyRule.namespaces': 'replace',
  'io.k8s.api.flowcontrol.v1.ResourcePolicyRule.resources': 'replace',
  'io.k8s.api.flowcontrol.v1.ResourcePolicyRule.verbs': 'replace',
  'io.k8s.api.storage.v1.CSIDriverSpec.volumeLifecycleModes': 'replace',
});

/** Exceptions to the strategy that the tables above give. */
const STRATEGIES: Readonly<Record<string, string>> = table({
  [`${APPS}.DeploymentSpec.strategy`]: 'retainKeys',
  [`${CORE}.PodSpec.resourceClaims`]: 'merge,retainKeys',
  [`${CORE}.PodSpec.volumes`]: 'merge,retainKeys',
  [`${CORE}.PodStatus.resourceClaimStatuses`]: 'merge,retainKeys',
  [`${POLICY}.PodDisruptionBudgetSpec.selector`]: 'replace',
});

/** Types and fields whose maps are one value to server-side apply. */
const ATOMIC_TYPES = [
  `${ADMISSION}.MatchResources`,
  `${ADMISSION}.NamedRuleWithOperations`,
  `${ADMISSION}.ParamKind`,
  `${ADMISSION}.ParamRef`,
  `${META}.LabelSelector`,
  `${META}.OwnerReference`,
  'io.k8s.api.discovery.v1.EndpointPort',
  'io.k8s.api.rbac.v1.RoleRef',
  'io.k8s.api.rbac.v1.Subject',
  ...[
    'ConfigMapKeySelector',
    'EndpointAddress',
    'EndpointPort',
    'FileKeySelector',
    'LocalObjectReference',
    'NodeSelector',
    'NodeSelectorTerm',
    'ObjectFieldSelector',
    'ObjectReference',
    'ResourceFieldSelector',
    'ScopeSelector',
    'SecretKeySelector',
    'SecretReference',
    'TopologySelectorTerm',
    'TypedLocalObjectReference',
  ].map((kind) => `${CORE}.${kind}`),
];
const ATOMIC_FIELDS = [
  'io.k8s.api.node.v1.Scheduling.nodeSelector',
  `${CORE}.PodSpec.nodeSelector`,
  `${CORE}.ReplicationControllerSpec.selector`,
  `${CORE}.ServiceSpec.selector`,
];

/** Maps that are merged key by key though their type is one value elsewhere, or says nothing of it. */
const GRANULAR_FIELDS = [
  `${CORE}.PersistentVolumeClaimStatus.allocatedResourceStatuses`,
  `${CORE}.PersistentVolumeSpec.claimRef`,
];

function conditionsOf(where: string, kinds: readonly string[]): Record<string, readonly string[]> {
  return Object.fromEntries(kinds.map((kind) => [`${where}.${kind}.conditions`, ['type']]));
}

function containerLists(kind: string): Record<string, readonly string[]> {
  return {
    [`${CORE}.${kind}.env`]: ['name'],
    [`${CORE}.${kind}.ports`]: ['containerPort', 'protocol'],
    [`${CORE}.${kind}.volumeDevices`]: ['devicePath'],
    [`${CORE}.${kind}.volumeMounts`]: ['mountPath'],
  };
}

type Extensions = Pick<
  Schema,
  | 'x-kubernetes-list-map-keys'
  | 'x-kubernetes-list-type'
  | 'x-kubernetes-map-type'
  | 'x-kubernetes-patch-merge-key'
  | 'x-kubernetes-patch-strategy'
>;

/** How the list, map or reference at that field merges. */
function extensionsOf(field: string, schema: Schema): Extensions {
  const strategy = STRATEGIES[field];
  const extra = strategy === undefined ? {} : { 'x-kubernetes-patch-strategy': strategy };
  if (ATOMIC_FIELDS.includes(field)) return { ...extra, 'x-kubernetes-map-type': 'atomic' };
  if (GRANULAR_FIELDS.includes(field)) return { ...extra, 'x-kubernetes-map-type': 'granular' };
  return schema.type === 'array' ? { ...listExtensions(field), ...extra } : extra;
}

function listExtensions(field: string): Extensions {
  const keys = MAP_LISTS[field] ?? APPLY_ONLY_MAP_LISTS[field];
  if (MERGED_ATOMIC_LISTS.includes(field)) {
    return { 'x-kubernetes-list-type': 'atomic', ...mergedBy(keys?.[0]) };
  }
  if (keys !== undefined) {
    const [mergeKey] = field in MAP_LISTS ? keys : [];
    return {
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': keys,
      ...mergedBy(mergeKey),
    };
  }
  const set = SET_LISTS[field];
  if (set === undefined) return { 'x-kubernetes-list-type': 'atomic' };
  return {
    'x-kubernetes-list-type': 'set',
    ...(set === 'merge' ? { 'x-kubernetes-patch-strategy': 'merge' } : {}),
  };
}

function mergedBy(key: string | undefined): Extensions {
  if (key === undefined) return {};
  return { 'x-kubernetes-patch-merge-key': key, 'x-kubernetes-patch-strategy': 'merge' };
}

/**
 * The schemas completed; those of packages without rows stay as they are. Throws on a row that fits
 * nothing.
 */
export function addListTypes(schemas: Readonly<Record<string, Schema>>): Record<string, Schema> {
  const met = new Set<string>();
  const completed: Record<string, Schema> = { ...schemas };
  for (const [name, schema] of Object.entries(schemas)) {
    if (!PACKAGES.includes(name.slice(0, name.lastIndexOf('.')))) continue;
    met.add(name);
    const properties = Object.entries(schema.properties ?? {}).map(([key, value]) => {
      const field = `${name}.${key}`;
      met.add(field);
      // The items of a list kind are not a field that anybody patches.
      const extensions = name.endsWith('List') ? {} : extensionsOf(field, value);
      if (Object.keys(extensions).length === 0) return [key, value] as const;
      // Beside a $ref other keywords do not count, so the reference moves into allOf.
      return [key, { ...(value.$ref ? { allOf: [value] } : value), ...extensions }] as const;
    });
    completed[name] = {
      ...schema,
      ...(schema.properties ? { properties: Object.fromEntries(properties) } : {}),
      ...(ATOMIC_TYPES.includes(name) ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    };
  }
  for (const row of rows()) invariant(met.has(row), `list type of an unknown field: ${row}`);
  return completed;
}

function rows(): string[] {
  const tables = [MAP_LISTS, APPLY_ONLY_MAP_LISTS, SET_LISTS, STRATEGIES];
  return [...tables.flatMap(Object.keys), ...ATOMIC_TYPES, ...ATOMIC_FIELDS, ...GRANULAR_FIELDS];
}
