// Field numbers of networking, storage, devices and what runs a cluster. How to read a row: ../protobuf-fields.ts.
// Invariant: data only.
import type { MessageRows } from '../protobuf-fields.ts';

/** meta/v1: what is in every object. */
export const META_ROWS: MessageRows = {
  Condition: 'type status observedGeneration lastTransitionTime reason message',
  DeleteOptions:
    'gracePeriodSeconds? preconditions orphanDependents? propagationPolicy? dryRun ' +
    'ignoreStoreReadErrorWithClusterBreakingPotential?',
  FieldSelectorRequirement: 'key operator values',
  LabelSelector: 'matchLabels matchExpressions',
  LabelSelectorRequirement: 'key operator values',
  ManagedFieldsEntry: 'manager operation apiVersion time - fieldsType fieldsV1 subresource',
  ObjectMeta:
    'name generateName namespace selfLink uid resourceVersion generation creationTimestamp ' +
    'deletionTimestamp deletionGracePeriodSeconds? labels annotations ownerReferences ' +
    'finalizers - - managedFields',
  OwnerReference: 'kind - name uid apiVersion controller? blockOwnerDeletion?',
  Preconditions: 'uid? resourceVersion?',
};

/** coordination.k8s.io/v1. */
export const COORDINATION_ROWS: MessageRows = {
  Lease: 'metadata spec',
  LeaseSpec:
    'holderIdentity? leaseDurationSeconds? acquireTime renewTime leaseTransitions? strategy? ' +
    'preferredHolder?',
};

/** discovery.k8s.io/v1. */
export const DISCOVERY_ROWS: MessageRows = {
  Endpoint: 'addresses conditions hostname? targetRef deprecatedTopology nodeName? zone? hints',
  EndpointConditions: 'ready? serving? terminating?',
  EndpointHints: 'forZones forNodes',
  EndpointPort: 'name? protocol? port? appProtocol?',
  EndpointSlice: 'metadata endpoints ports addressType',
  ForNode: 'name',
  ForZone: 'name',
};

/** events.k8s.io/v1. */
export const EVENTS_ROWS: MessageRows = {
  Event:
    'metadata eventTime series reportingController reportingInstance action reason regarding ' +
    'related note type deprecatedSource deprecatedFirstTimestamp deprecatedLastTimestamp ' +
    'deprecatedCount',
  EventSeries: 'count lastObservedTime',
};

/** networking.k8s.io/v1. */
export const NETWORKING_ROWS: MessageRows = {
  HTTPIngressPath: 'path backend pathType?',
  HTTPIngressRuleValue: 'paths',
  IPAddress: 'metadata spec',
  IPAddressSpec: 'parentRef',
  IPBlock: 'cidr except',
  Ingress: 'metadata spec status',
  IngressBackend: '- - resource service',
  IngressClass: 'metadata spec',
  IngressClassParametersReference: 'apiGroup? kind name scope? namespace?',
  IngressClassSpec: 'controller parameters',
  IngressLoadBalancerIngress: 'ip hostname - ports',
  IngressLoadBalancerStatus: 'ingress',
  IngressPortStatus: 'port protocol error?',
  IngressRule: 'host +IngressRuleValue',
  IngressRuleValue: 'http',
  IngressServiceBackend: 'name port',
  IngressSpec: 'defaultBackend tls rules ingressClassName?',
  IngressStatus: 'loadBalancer',
  IngressTLS: 'hosts secretName',
  NetworkPolicy: 'metadata spec',
  NetworkPolicyEgressRule: 'ports to',
  NetworkPolicyIngressRule: 'ports from',
  NetworkPolicyPeer: 'podSelector namespaceSelector ipBlock',
  NetworkPolicyPort: 'protocol? port? endPort?',
  NetworkPolicySpec: 'podSelector ingress egress policyTypes',
  ParentReference: 'group resource namespace name',
  ServiceBackendPort: 'name number',
  ServiceCIDR: 'metadata spec status',
  ServiceCIDRSpec: 'cidrs',
  ServiceCIDRStatus: 'conditions',
};

/** node.k8s.io/v1. */
export const NODE_ROWS: MessageRows = {
  Overhead: 'podFixed',
  RuntimeClass: 'metadata handler overhead scheduling',
  Scheduling: 'nodeSelector tolerations',
};

/** storage.k8s.io/v1. */
export const STORAGE_ROWS: MessageRows = {
  CSIDriver: 'metadata spec',
  CSIDriverSpec:
    'attachRequired? podInfoOnMount? volumeLifecycleModes storageCapacity? fsGroupPolicy? ' +
    'tokenRequests requiresRepublish? seLinuxMount? nodeAllocatableUpdatePeriodSeconds? ' +
    'serviceAccountTokenInSecrets? preventPodSchedulingIfMissing?',
  CSINode: 'metadata spec',
  CSINodeDriver: 'name nodeID topologyKeys allocatable',
  CSINodeSpec: 'drivers',
  CSIStorageCapacity: 'metadata nodeTopology storageClassName capacity maximumVolumeSize',
  StorageClass:
    'metadata provisioner parameters reclaimPolicy? mountOptions allowVolumeExpansion? ' +
    'volumeBindingMode? allowedTopologies',
  TokenRequest: 'audience expirationSeconds?',
  VolumeAttachment: 'metadata spec status',
  VolumeAttachmentSource: 'persistentVolumeName? inlineVolumeSpec',
  VolumeAttachmentSpec: 'attacher source nodeName',
  VolumeAttachmentStatus: 'attached attachmentMetadata attachError detachError',
  VolumeAttributesClass: 'metadata driverName parameters',
  VolumeError: 'time message errorCode?',
  VolumeNodeResources: 'count?',
};

/** resource.k8s.io/v1. */
export const RESOURCE_ROWS: MessageRows = {
  AllocatedDeviceStatus: 'driver pool device conditions data networkData shareID?',
  AllocationResult: 'devices - nodeSelector - allocationTimestamp',
  CELDeviceSelector: 'expression',
  CapacityRequestPolicy: 'default - validValues validRange',
  CapacityRequestPolicyRange: 'min max step',
  CapacityRequirements: 'requests',
  Counter: 'value',
  CounterSet: 'name counters',
  Device:
    'name attributes capacity consumesCounters nodeName? nodeSelector allNodes? taints ' +
    'bindsToNode? bindingConditions bindingFailureConditions allowMultipleAllocations? ' +
    'nodeAllocatableResourceMappings',
  DeviceAllocationConfiguration: 'source requests +DeviceConfiguration',
  DeviceAllocationResult: 'results config',
  DeviceAttribute: '- int? bool? string? version? ints bools strings versions',
  DeviceCapacity: 'value requestPolicy',
  DeviceClaim: 'requests constraints config',
  DeviceClaimConfiguration: 'requests +DeviceConfiguration',
  DeviceClass: 'metadata spec',
  DeviceClassConfiguration: '+DeviceConfiguration',
  DeviceClassSpec: 'selectors config - extendedResourceName?',
  DeviceConfiguration: 'opaque',
  DeviceConstraint: 'requests matchAttribute? distinctAttribute?',
  DeviceCounterConsumption: 'counterSet counters',
  DeviceRequest: 'name exactly firstAvailable',
  DeviceRequestAllocationResult:
    'request driver pool device adminAccess? tolerations bindingConditions ' +
    'bindingFailureConditions shareID? consumedCapacity',
  DeviceSelector: 'cel',
  DeviceSubRequest: 'name deviceClassName selectors allocationMode count tolerations capacity',
  DeviceTaint: 'key value effect timeAdded',
  DeviceToleration: 'key operator value effect tolerationSeconds?',
  ExactDeviceRequest:
    'deviceClassName selectors allocationMode count adminAccess? tolerations capacity',
  NetworkDeviceData: 'interfaceName ips hardwareAddress',
  NodeAllocatableResourceMapping: 'capacityKey? allocationMultiplier',
  OpaqueDeviceConfiguration: 'driver parameters',
  ResourceClaim: 'metadata spec status',
  ResourceClaimConsumerReference: 'apiGroup - resource name uid',
  ResourceClaimSpec: 'devices',
  ResourceClaimStatus: 'allocation reservedFor - devices',
  ResourceClaimTemplate: 'metadata spec',
  ResourceClaimTemplateSpec: 'metadata spec',
  ResourcePool: 'name generation resourceSliceCount',
  ResourceSlice: 'metadata spec',
  ResourceSliceSpec:
    'driver pool nodeName? nodeSelector allNodes? devices perDeviceNodeSelection? ' +
    'sharedCounters',
};

/** apiregistration.k8s.io/v1. */
export const APIREGISTRATION_ROWS: MessageRows = {
  APIService: 'metadata spec status',
  APIServiceCondition: 'type status lastTransitionTime reason message',
  APIServiceSpec:
    'service group version insecureSkipTLSVerify caBundle - groupPriorityMinimum ' +
    'versionPriority',
  APIServiceStatus: 'conditions',
  ServiceReference: 'namespace name port?',
};
