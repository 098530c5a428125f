// The Node object that the agent keeps: what the node is, has and says of itself. Pure.
// Invariant: fields of others (taints, unschedulable, foreign labels and conditions) are never touched.
import type { Node, NodeCondition, NodeStatus, Taint } from '../../api/generated/types.ts';
import { setCondition } from '../../api/meta/conditions.ts';
import { canonicalQuantity } from '../../api/meta/quantity.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { Pressure } from '../eviction/thresholds.ts';
import type { ImageInfo, RuntimeFeatures } from '../runtime/runtime.ts';
import type { NodeFacts } from '../pods/worker-parts.ts';
import type { HostFacts } from './host-facts.ts';

/** What the object is made from. */
export interface NodeObjectFacts {
  readonly name: string;
  readonly ip: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Of a new Node. */
  readonly taints: readonly Taint[];
  readonly podCidr: string;
  readonly serverPort: number | undefined;
  readonly host: HostFacts;
  readonly node: NodeFacts;
  readonly runtimeVersion: string;
  readonly agentVersion: string;
  readonly images: readonly ImageInfo[];
  /** Undefined where the runtime cannot say. */
  readonly features: RuntimeFeatures | undefined;
  /** Why the node cannot run pods; undefined when it can. */
  readonly problem: string | undefined;
  /** What the node is short of. */
  readonly pressures: readonly Pressure[];
  readonly nowMs: number;
}

/** Images named in a Node at most, the largest first, as upstream. */
const MAX_IMAGES = 50;
const MAX_IMAGE_NAMES = 5;
const KIBI = 1024;

/** Labels that every node has. */
export function nodeLabels({
  host,
  name,
  labels,
}: {
  readonly host: HostFacts;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
}): Record<string, string> {
  return {
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': host.architecture,
    'beta.kubernetes.io/os': 'linux',
    'beta.kubernetes.io/arch': host.architecture,
    ...labels,
  };
}

/** A new Node. Pods come once its not-ready taint is gone, which is a controller's work. */
export function newNode(facts: NodeObjectFacts): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: facts.name, labels: nodeLabels(facts) },
    spec: { ...ownSpec(facts), ...(facts.taints.length > 0 && { taints: [...facts.taints] }) },
  };
}

/** What of a Node's specification is the agent's, whoever made the Node. */
export function ownSpec({ podCidr }: Pick<NodeObjectFacts, 'podCidr'>): Node['spec'] {
  return { podCIDR: podCidr, podCIDRs: [podCidr] };
}

/** The status, as far as it is this agent's to tell; transition times follow from what was told `before`. */
export function nodeStatus(facts: NodeObjectFacts, before: NodeStatus | undefined): NodeStatus {
  const { host, node } = facts;
  return {
    capacity: { ...resources(node, node), ...extendedOf(node, 'capacity') },
    allocatable: { ...resources(node.allocatable, node), ...extendedOf(node, 'allocatable') },
    conditions: conditions(facts, before?.conditions),
    addresses: [
      { type: 'InternalIP', address: facts.ip },
      { type: 'Hostname', address: facts.name },
    ],
    ...(facts.serverPort === undefined
      ? {}
      : { daemonEndpoints: { kubeletEndpoint: { Port: facts.serverPort } } }),
    nodeInfo: {
      architecture: host.architecture,
      bootID: host.bootId,
      containerRuntimeVersion: facts.runtimeVersion,
      kernelVersion: host.kernelVersion,
      kubeProxyVersion: facts.agentVersion,
      kubeletVersion: facts.agentVersion,
      machineID: host.machineId,
      operatingSystem: 'linux',
      osImage: host.osImage,
      ...(host.swapBytes !== undefined && { swap: { capacity: host.swapBytes } }),
      systemUUID: host.systemUuid,
    },
    images: facts.images
      .toSorted((a, b) => b.sizeBytes - a.sizeBytes)
      .slice(0, MAX_IMAGES)
      .map(({ names, repoDigests, id, sizeBytes }) => {
        const all = [...repoDigests, ...names];
        return { names: all.length > 0 ? all.slice(0, MAX_IMAGE_NAMES) : [id], sizeBytes };
      }),
    ...featuresOf(facts.features),
  };
}

/** What the one handler of this runtime can do; '' is its name, as of any default one. */
function featuresOf(features: RuntimeFeatures | undefined): NodeStatus {
  if (!features) return {};
  const { userNamespaces, recursiveReadOnlyMounts, supplementalGroupsPolicy } = features;
  return {
    runtimeHandlers: [{ name: '', features: { recursiveReadOnlyMounts, userNamespaces } }],
    features: { supplementalGroupsPolicy },
  };
}

function resources(
  { cpuMillis, memoryBytes, storageBytes }: NodeFacts['allocatable'],
  { maxPods, hugePages = {} }: NodeFacts,
): Record<string, string> {
  // As the API writes them, so that what it has compares equal and is not told again.
  const rows = Object.entries(hugePages).map(
    ([name, bytes]) => [name, canonicalQuantity(`${bytes / KIBI}Ki`)] as const,
  );
  return {
    cpu: canonicalQuantity(`${cpuMillis}m`),
    memory: canonicalQuantity(`${Math.floor(memoryBytes / KIBI)}Ki`),
    pods: String(maxPods),
    'ephemeral-storage': canonicalQuantity(`${Math.floor(storageBytes / KIBI)}Ki`),
    ...Object.fromEntries(rows),
  };
}

const extendedOf = ({ extended }: NodeFacts, which: 'capacity' | 'allocatable') =>
  Object.fromEntries(
    Object.entries(extended?.() ?? {}).map(([name, amounts]) => [name, String(amounts[which])]),
  );

type Told = readonly [reason: string, message: string];

/** By pressure: what is told of it, and of its absence. */
const PRESSURES: readonly (readonly [Pressure, Told, Told])[] = [
  [
    'MemoryPressure',
    ['KubeletHasInsufficientMemory', 'kubelet has insufficient memory available'],
    ['KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ],
  [
    'DiskPressure',
    ['KubeletHasDiskPressure', 'kubelet has disk pressure'],
    ['KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  ],
  [
    'PIDPressure',
    ['KubeletHasInsufficientPID', 'kubelet has insufficient PID available'],
    ['KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
  ],
];

function conditions(
  { problem, pressures, nowMs }: NodeObjectFacts,
  before: readonly NodeCondition[] | undefined,
): NodeCondition[] {
  const lastHeartbeatTime = formatTime(nowMs);
  const own: NodeCondition[] = PRESSURES.map(([type, bad, fine]) => {
    const [reason, message] = pressures.includes(type) ? bad : fine;
    const status = pressures.includes(type) ? 'True' : 'False';
    return { type, status, reason, message, lastHeartbeatTime };
  });
  own.push({
    type: 'Ready',
    status: problem === undefined ? 'True' : 'False',
    reason: problem === undefined ? 'KubeletReady' : 'KubeletNotReady',
    message: problem ?? 'kubelet is posting ready status',
    lastHeartbeatTime,
  });
  return own.flatMap((condition) => {
    const known = before?.filter(({ type }) => type === condition.type);
    return setCondition(known, condition, nowMs);
  });
}
