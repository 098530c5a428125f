// Which fields are quantities (`500m`, `1Gi`): the client package says only that they are strings.
// From the API reference; each entry is checked to exist when the schemas are written.

const RESOURCE = ['v1', 'v1beta1', 'v1beta2'].flatMap((version) =>
  [
    'CapacityRequestPolicy.default',
    'CapacityRequestPolicy.validValues',
    'CapacityRequestPolicyRange.max',
    'CapacityRequestPolicyRange.min',
    'CapacityRequestPolicyRange.step',
    'CapacityRequirements.requests',
    'Counter.value',
    'DeviceCapacity.value',
    'DeviceRequestAllocationResult.consumedCapacity',
    'NodeAllocatableResourceMapping.allocationMultiplier',
  ].map((field) => `io.k8s.api.resource.${version}.${field}`),
);

const CORE = [
  'ContainerStatus.allocatedResources',
  'EmptyDirVolumeSource.sizeLimit',
  'LimitRangeItem.default',
  'LimitRangeItem.defaultRequest',
  'LimitRangeItem.max',
  'LimitRangeItem.maxLimitRequestRatio',
  'LimitRangeItem.min',
  'NodeAllocatableResourceClaimStatus.resources',
  'NodeStatus.allocatable',
  'NodeStatus.capacity',
  'PersistentVolumeClaimStatus.allocatedResources',
  'PersistentVolumeClaimStatus.capacity',
  'PersistentVolumeSpec.capacity',
  'PodSpec.overhead',
  'PodStatus.allocatedResources',
  'ResourceFieldSelector.divisor',
  'ResourceQuotaSpec.hard',
  'ResourceQuotaStatus.hard',
  'ResourceQuotaStatus.used',
  'ResourceRequirements.limits',
  'ResourceRequirements.requests',
  'VolumeResourceRequirements.limits',
  'VolumeResourceRequirements.requests',
].map((field) => `io.k8s.api.core.v1.${field}`);

const AUTOSCALING = [
  'HPAScalingRules.tolerance',
  'MetricTarget.averageValue',
  'MetricTarget.value',
  'MetricValueStatus.averageValue',
  'MetricValueStatus.value',
].map((field) => `io.k8s.api.autoscaling.v2.${field}`);

/** `<schema name>.<field>` of every quantity, or of every list or map of quantities. */
export const QUANTITY_FIELDS: ReadonlySet<string> = new Set([
  ...CORE,
  ...AUTOSCALING,
  ...RESOURCE,
  'io.k8s.api.node.v1.Overhead.podFixed',
  'io.k8s.api.storage.v1.CSIStorageCapacity.capacity',
  'io.k8s.api.storage.v1.CSIStorageCapacity.maximumVolumeSize',
]);
