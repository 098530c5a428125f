// Field numbers of the kinds of core/v1, without what pods and volumes are made of. How to read a row: ../protobuf-fields.ts.
// Invariant: data only.
import type { MessageRows } from '../protobuf-fields.ts';

/** Kinds of core/v1, and their specs and statuses. */
export const CORE_ROWS: MessageRows = {
  Binding: 'metadata target',
  ClientIPConfig: 'timeoutSeconds?',
  ComponentCondition: 'type status message error',
  ComponentStatus: 'metadata conditions',
  ConfigMap: 'metadata data binaryData immutable?',
  ConfigMapNodeConfigSource: 'namespace name uid resourceVersion kubeletConfigKey',
  ContainerExtendedResourceRequest: 'containerName resourceName requestName',
  ContainerImage: 'names sizeBytes',
  ContainerState: 'waiting running terminated',
  ContainerStateRunning: 'startedAt',
  ContainerStateTerminated: 'exitCode signal reason message startedAt finishedAt containerID',
  ContainerStateWaiting: 'reason message',
  ContainerStatus:
    'name state lastState ready restartCount image imageID containerID started? ' +
    'allocatedResources resources volumeMounts user allocatedResourcesStatus stopSignal?',
  ContainerUser: 'linux',
  DaemonEndpoint: 'Port',
  EndpointAddress: 'ip targetRef hostname nodeName?',
  EndpointPort: 'name port protocol appProtocol?',
  EndpointSubset: 'addresses notReadyAddresses ports',
  Endpoints: 'metadata subsets',
  Event:
    'metadata involvedObject reason message source firstTimestamp lastTimestamp count type ' +
    'eventTime series action related reportingComponent? reportingInstance?',
  EventSeries: 'count lastObservedTime',
  EventSource: 'component host',
  HostIP: 'ip',
  LimitRange: 'metadata spec',
  LimitRangeItem: 'type max min default defaultRequest maxLimitRequestRatio',
  LimitRangeSpec: 'limits',
  LinuxContainerUser: 'uid gid supplementalGroups',
  LoadBalancerIngress: 'ip hostname ipMode? ports',
  LoadBalancerStatus: 'ingress',
  Namespace: 'metadata spec status',
  NamespaceCondition: 'type status - lastTransitionTime reason message',
  NamespaceSpec: 'finalizers',
  NamespaceStatus: 'phase conditions',
  Node: 'metadata spec status',
  NodeAddress: 'type address',
  NodeAllocatableResourceClaimStatus: 'resourceClaimName containers resources',
  NodeCondition: 'type status lastHeartbeatTime lastTransitionTime reason message',
  NodeConfigSource: '- configMap',
  NodeConfigStatus: 'assigned active lastKnownGood error',
  NodeDaemonEndpoints: 'kubeletEndpoint',
  NodeFeatures: 'supplementalGroupsPolicy?',
  NodeRuntimeHandler: 'name? features',
  NodeRuntimeHandlerFeatures: 'recursiveReadOnlyMounts? userNamespaces?',
  NodeSpec: 'podCIDR externalID providerID unschedulable taints configSource podCIDRs',
  NodeStatus:
    'capacity allocatable phase conditions addresses daemonEndpoints nodeInfo images ' +
    'volumesInUse volumesAttached config runtimeHandlers features declaredFeatures',
  NodeSwapStatus: 'capacity?',
  NodeSystemInfo:
    'machineID systemUUID bootID kernelVersion osImage containerRuntimeVersion kubeletVersion ' +
    'kubeProxyVersion operatingSystem architecture swap',
  ObjectReference: 'kind namespace name uid apiVersion resourceVersion fieldPath',
  Pod: 'metadata spec status',
  PodCondition: 'type status lastProbeTime lastTransitionTime reason message observedGeneration',
  PodExtendedResourceClaimStatus: 'requestMappings resourceClaimName',
  PodIP: 'ip',
  PodResourceClaimStatus: 'name resourceClaimName?',
  PodStatus:
    'phase conditions message reason hostIP podIP startTime containerStatuses qosClass ' +
    'initContainerStatuses nominatedNodeName podIPs ephemeralContainerStatuses resize ' +
    'resourceClaimStatuses hostIPs observedGeneration extendedResourceClaimStatus ' +
    'allocatedResources resources nodeAllocatableResourceClaimStatuses',
  PodTemplate: 'metadata template',
  PodTemplateSpec: 'metadata spec',
  PortStatus: 'port protocol error?',
  ReplicationController: 'metadata spec status',
  ReplicationControllerCondition: 'type status lastTransitionTime reason message',
  ReplicationControllerSpec: 'replicas? selector template minReadySeconds',
  ReplicationControllerStatus:
    'replicas fullyLabeledReplicas observedGeneration readyReplicas availableReplicas ' +
    'conditions',
  ResourceHealth: 'resourceID health - - - message?',
  ResourceQuota: 'metadata spec status',
  ResourceQuotaSpec: 'hard scopes scopeSelector',
  ResourceQuotaStatus: 'hard used',
  ResourceStatus: 'name resources',
  ScopeSelector: 'matchExpressions',
  ScopedResourceSelectorRequirement: 'scopeName operator values',
  Secret: 'metadata data type stringData immutable?',
  SecretReference: 'name namespace',
  Service: 'metadata spec status',
  ServiceAccount: 'metadata secrets imagePullSecrets automountServiceAccountToken?',
  ServicePort: 'name protocol port targetPort? nodePort appProtocol?',
  ServiceSpec:
    'ports selector clusterIP type externalIPs - sessionAffinity loadBalancerIP ' +
    'loadBalancerSourceRanges externalName externalTrafficPolicy healthCheckNodePort ' +
    'publishNotReadyAddresses sessionAffinityConfig - - ipFamilyPolicy? clusterIPs ipFamilies ' +
    'allocateLoadBalancerNodePorts? loadBalancerClass? internalTrafficPolicy? ' +
    'trafficDistribution?',
  ServiceStatus: 'loadBalancer conditions',
  SessionAffinityConfig: 'clientIP',
  Taint: 'key value effect timeAdded',
  TopologySelectorLabelRequirement: 'key values',
  TopologySelectorTerm: 'matchLabelExpressions',
};
