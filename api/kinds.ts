// Every built-in kind this server has, as KindRefs: how clients and controllers name them.
// The rules of each kind stand in api/<group>/<kind>.ts; scheme.ts joins the two.
import type {
  APIService,
  CertificateSigningRequest,
  ClusterRole,
  ClusterRoleBinding,
  Binding,
  ComponentStatus,
  ConfigMap,
  ControllerRevision,
  CronJob,
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  CustomResourceDefinition,
  DaemonSet,
  Deployment,
  DeviceClass,
  Endpoints as EndpointsObject,
  EndpointSlice,
  Event,
  FlowSchema,
  HorizontalPodAutoscalerV2,
  Ingress,
  IngressClass,
  IPAddress,
  Job,
  Lease,
  LimitRange,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhookConfiguration,
  Namespace,
  NetworkPolicy,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  PodTemplate,
  PriorityClass,
  PriorityLevelConfiguration,
  ReplicaSet,
  ReplicationController,
  ResourceClaimTemplate,
  ResourceQuota,
  ResourceResourceClaim,
  ResourceSlice,
  Role,
  RoleBinding,
  RuntimeClass,
  Secret,
  Service,
  ServiceAccount,
  ServiceCIDR,
  StatefulSet,
  StorageClass,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
  VolumeAttachment,
  VolumeAttributesClass,
} from './generated/types.ts';
import type { KindRef } from './kind-ref.ts';
import type { KubeObject } from './meta/object.ts';

/** What a KindRef says besides its group and version. */
type Row = readonly [kind: string, plural: string, scope: 'namespaced' | 'cluster'];

const at =
  (group: string, version: string) =>
  <T extends KubeObject>([kind, plural, scope]: Row): KindRef<T> => ({
    group,
    version,
    kind,
    plural,
    namespaced: scope === 'namespaced',
  });

const core = at('', 'v1');
const apps = at('apps', 'v1');
const batch = at('batch', 'v1');
const networking = at('networking.k8s.io', 'v1');
const storage = at('storage.k8s.io', 'v1');
const admission = at('admissionregistration.k8s.io', 'v1');
const resource = at('resource.k8s.io', 'v1');
const flowcontrol = at('flowcontrol.apiserver.k8s.io', 'v1');
const rbac = at('rbac.authorization.k8s.io', 'v1');

export const Namespaces = core<Namespace>(['Namespace', 'namespaces', 'cluster']);
export const Nodes = core<Node>(['Node', 'nodes', 'cluster']);
export const Pods = core<Pod>(['Pod', 'pods', 'namespaced']);
export const Services = core<Service>(['Service', 'services', 'namespaced']);
export const Endpoints = core<EndpointsObject>(['Endpoints', 'endpoints', 'namespaced']);
export const ConfigMaps = core<ConfigMap>(['ConfigMap', 'configmaps', 'namespaced']);
export const Secrets = core<Secret>(['Secret', 'secrets', 'namespaced']);
export const ServiceAccounts = core<ServiceAccount>([
  'ServiceAccount',
  'serviceaccounts',
  'namespaced',
]);
export const Events = core<Event>(['Event', 'events', 'namespaced']);
export const PersistentVolumes = core<PersistentVolume>([
  'PersistentVolume',
  'persistentvolumes',
  'cluster',
]);
export const PersistentVolumeClaims = core<PersistentVolumeClaim>([
  'PersistentVolumeClaim',
  'persistentvolumeclaims',
  'namespaced',
]);
export const ReplicationControllers = core<ReplicationController>([
  'ReplicationController',
  'replicationcontrollers',
  'namespaced',
]);
export const PodTemplates = core<PodTemplate>(['PodTemplate', 'podtemplates', 'namespaced']);
export const LimitRanges = core<LimitRange>(['LimitRange', 'limitranges', 'namespaced']);
export const ResourceQuotas = core<ResourceQuota>([
  'ResourceQuota',
  'resourcequotas',
  'namespaced',
]);
export const Bindings = core<Binding>(['Binding', 'bindings', 'namespaced']);
export const ComponentStatuses = core<ComponentStatus>([
  'ComponentStatus',
  'componentstatuses',
  'cluster',
]);
export const Deployments = apps<Deployment>(['Deployment', 'deployments', 'namespaced']);
export const ReplicaSets = apps<ReplicaSet>(['ReplicaSet', 'replicasets', 'namespaced']);
export const StatefulSets = apps<StatefulSet>(['StatefulSet', 'statefulsets', 'namespaced']);
export const DaemonSets = apps<DaemonSet>(['DaemonSet', 'daemonsets', 'namespaced']);
export const ControllerRevisions = apps<ControllerRevision>([
  'ControllerRevision',
  'controllerrevisions',
  'namespaced',
]);
export const Jobs = batch<Job>(['Job', 'jobs', 'namespaced']);
export const CronJobs = batch<CronJob>(['CronJob', 'cronjobs', 'namespaced']);
export const PodDisruptionBudgets = at(
  'policy',
  'v1',
)<PodDisruptionBudget>(['PodDisruptionBudget', 'poddisruptionbudgets', 'namespaced']);
export const HorizontalPodAutoscalers = at(
  'autoscaling',
  'v2',
)<HorizontalPodAutoscalerV2>(['HorizontalPodAutoscaler', 'horizontalpodautoscalers', 'namespaced']);
export const EndpointSlices = at(
  'discovery.k8s.io',
  'v1',
)<EndpointSlice>(['EndpointSlice', 'endpointslices', 'namespaced']);
export const Leases = at('coordination.k8s.io', 'v1')<Lease>(['Lease', 'leases', 'namespaced']);
export const Ingresses = networking<Ingress>(['Ingress', 'ingresses', 'namespaced']);
export const IngressClasses = networking<IngressClass>([
  'IngressClass',
  'ingressclasses',
  'cluster',
]);
export const NetworkPolicies = networking<NetworkPolicy>([
  'NetworkPolicy',
  'networkpolicies',
  'namespaced',
]);
export const IPAddresses = networking<IPAddress>(['IPAddress', 'ipaddresses', 'cluster']);
export const ServiceCIDRs = networking<ServiceCIDR>(['ServiceCIDR', 'servicecidrs', 'cluster']);
export const StorageClasses = storage<StorageClass>(['StorageClass', 'storageclasses', 'cluster']);
export const CSIDrivers = storage<CSIDriver>(['CSIDriver', 'csidrivers', 'cluster']);
export const CSINodes = storage<CSINode>(['CSINode', 'csinodes', 'cluster']);
export const CSIStorageCapacities = storage<CSIStorageCapacity>([
  'CSIStorageCapacity',
  'csistoragecapacities',
  'namespaced',
]);
export const VolumeAttachments = storage<VolumeAttachment>([
  'VolumeAttachment',
  'volumeattachments',
  'cluster',
]);
export const VolumeAttributesClasses = storage<VolumeAttributesClass>([
  'VolumeAttributesClass',
  'volumeattributesclasses',
  'cluster',
]);
export const RuntimeClasses = at(
  'node.k8s.io',
  'v1',
)<RuntimeClass>(['RuntimeClass', 'runtimeclasses', 'cluster']);
export const CertificateSigningRequests = at(
  'certificates.k8s.io',
  'v1',
)<CertificateSigningRequest>([
  'CertificateSigningRequest',
  'certificatesigningrequests',
  'cluster',
]);
export const ValidatingWebhookConfigurations = admission<ValidatingWebhookConfiguration>([
  'ValidatingWebhookConfiguration',
  'validatingwebhookconfigurations',
  'cluster',
]);
export const MutatingWebhookConfigurations = admission<MutatingWebhookConfiguration>([
  'MutatingWebhookConfiguration',
  'mutatingwebhookconfigurations',
  'cluster',
]);
export const ValidatingAdmissionPolicies = admission<ValidatingAdmissionPolicy>([
  'ValidatingAdmissionPolicy',
  'validatingadmissionpolicies',
  'cluster',
]);
export const ValidatingAdmissionPolicyBindings = admission<ValidatingAdmissionPolicyBinding>([
  'ValidatingAdmissionPolicyBinding',
  'validatingadmissionpolicybindings',
  'cluster',
]);
export const MutatingAdmissionPolicies = admission<MutatingAdmissionPolicy>([
  'MutatingAdmissionPolicy',
  'mutatingadmissionpolicies',
  'cluster',
]);
export const MutatingAdmissionPolicyBindings = admission<MutatingAdmissionPolicyBinding>([
  'MutatingAdmissionPolicyBinding',
  'mutatingadmissionpolicybindings',
  'cluster',
]);
export const ResourceClaims = resource<ResourceResourceClaim>([
  'ResourceClaim',
  'resourceclaims',
  'namespaced',
]);
export const ResourceClaimTemplates = resource<ResourceClaimTemplate>([
  'ResourceClaimTemplate',
  'resourceclaimtemplates',
  'namespaced',
]);
export const DeviceClasses = resource<DeviceClass>(['DeviceClass', 'deviceclasses', 'cluster']);
export const ResourceSlices = resource<ResourceSlice>([
  'ResourceSlice',
  'resourceslices',
  'cluster',
]);
export const FlowSchemas = flowcontrol<FlowSchema>(['FlowSchema', 'flowschemas', 'cluster']);
export const PriorityLevelConfigurations = flowcontrol<PriorityLevelConfiguration>([
  'PriorityLevelConfiguration',
  'prioritylevelconfigurations',
  'cluster',
]);
export const CustomResourceDefinitions = at(
  'apiextensions.k8s.io',
  'v1',
)<CustomResourceDefinition>(['CustomResourceDefinition', 'customresourcedefinitions', 'cluster']);
export const APIServices = at(
  'apiregistration.k8s.io',
  'v1',
)<APIService>(['APIService', 'apiservices', 'cluster']);
export const PriorityClasses = at(
  'scheduling.k8s.io',
  'v1',
)<PriorityClass>(['PriorityClass', 'priorityclasses', 'cluster']);
export const Roles = rbac<Role>(['Role', 'roles', 'namespaced']);
export const RoleBindings = rbac<RoleBinding>(['RoleBinding', 'rolebindings', 'namespaced']);
export const ClusterRoles = rbac<ClusterRole>(['ClusterRole', 'clusterroles', 'cluster']);
export const ClusterRoleBindings = rbac<ClusterRoleBinding>([
  'ClusterRoleBinding',
  'clusterrolebindings',
  'cluster',
]);

/** Figures of a container over a window; metrics.k8s.io has no class in the client package. */
export interface ContainerMetrics {
  name: string;
  usage: { cpu: string; memory: string };
}

/** metrics.k8s.io PodMetrics: kept in memory, watchable, never on disk. */
export interface PodMetrics extends KubeObject {
  timestamp: string;
  window: string;
  containers: ContainerMetrics[];
}

/** metrics.k8s.io NodeMetrics. */
export interface NodeMetrics extends KubeObject {
  timestamp: string;
  window: string;
  usage: { cpu: string; memory: string };
}

/** The resource is `pods` in its group, as upstream serves it. */
export const PodMetricsKind = at(
  'metrics.k8s.io',
  'v1beta1',
)<PodMetrics>(['PodMetrics', 'pods', 'namespaced']);
export const NodeMetricsKind = at(
  'metrics.k8s.io',
  'v1beta1',
)<NodeMetrics>(['NodeMetrics', 'nodes', 'cluster']);
