// From a sandbox of the agent to what CRI is told. Pure.
// Invariant: whatever is made carries the cluster's label, and only what carries it is ever touched: others may use the same runtime.
import type { LinuxResources, SandboxConfig } from '../runtime.ts';
import {
  NAMESPACE_MODE,
  type PodSandboxConfigMessage,
  PROFILE,
  type ResourcesMessage,
} from './messages.ts';

/** Says whose a sandbox or a container is: the cluster's id, and the node's where a host has several. */
export const OWNER_LABEL = 'pinnace.io/owner';
/** Labels by which other tools tell pods and containers, as upstream's agent writes them. */
export const POD_LABELS = {
  name: 'io.kubernetes.pod.name',
  namespace: 'io.kubernetes.pod.namespace',
  uid: 'io.kubernetes.pod.uid',
  container: 'io.kubernetes.container.name',
} as const;

/** What a sandbox is made from besides its configuration. */
export interface SandboxPlace {
  readonly owner: string;
  readonly cgroupParent: string;
}

/** The sandbox as CRI is told. */
export function sandboxMessage(
  config: SandboxConfig,
  place: SandboxPlace,
): PodSandboxConfigMessage {
  const { name, podUid: uid, namespace, attempt } = config;
  return {
    metadata: { name, uid, namespace, attempt },
    hostname: config.hostNetwork ? '' : config.hostname,
    // Each container says where its log lies; paths are put behind this one.
    logDirectory: '/',
    dns: dnsOf(config.resolvConf),
    labels: { ...config.labels, ...podLabels(config), [OWNER_LABEL]: place.owner },
    linux: {
      cgroupParent: place.cgroupParent,
      sysctls: config.sysctls,
      resources: resourcesMessage(config.resources),
      securityContext: {
        namespaces: namespacesOf(config),
        privileged: config.privileged ?? false,
        seccomp: { type: PROFILE.runtimeDefault },
      },
    },
  };
}

/** What tells a pod's things. */
export function podLabels({ name, namespace, podUid }: SandboxConfig): Record<string, string> {
  return {
    [POD_LABELS.name]: name,
    [POD_LABELS.namespace]: namespace,
    [POD_LABELS.uid]: podUid,
  };
}

/** Whose namespaces a pod's members see; `targetId` is the container whose processes one of them looks into. */
export function namespacesOf(
  config: SandboxConfig,
  targetId?: string,
): NonNullable<
  NonNullable<NonNullable<PodSandboxConfigMessage['linux']>['securityContext']>['namespaces']
> {
  const { pod, container, node, target } = NAMESPACE_MODE;
  const own = config.shareProcessNamespace ? pod : container;
  const mappings = config.userNamespace && [
    { hostId: config.userNamespace.hostId, containerId: 0, length: config.userNamespace.size },
  ];
  return {
    network: config.hostNetwork ? node : pod,
    pid: targetId === undefined ? (config.hostPid ? node : own) : target,
    ipc: config.hostIpc ? node : pod,
    ...(targetId !== undefined && { targetId }),
    ...(mappings && { userns: { mode: pod, uids: mappings, gids: mappings } }),
  };
}

/** Limits as CRI has them; what is left out is left as it is. */
export function resourcesMessage(resources: LinuxResources): ResourcesMessage {
  const { cpuShares, cpuQuotaUs, cpuPeriodUs, memoryLimitBytes, oomScoreAdj } = resources;
  const { cpusetCpus, cpusetMems } = resources;
  return {
    ...(cpuShares !== undefined && { cpuShares }),
    ...(cpuQuotaUs !== undefined && { cpuQuota: cpuQuotaUs }),
    ...(cpuPeriodUs !== undefined && { cpuPeriod: cpuPeriodUs }),
    // Swap is closed, as it is where upstream's agent is not told otherwise.
    ...(memoryLimitBytes !== undefined && {
      memoryLimitBytes,
      memorySwapLimitBytes: memoryLimitBytes,
    }),
    ...(oomScoreAdj !== undefined && { oomScoreAdj }),
    ...(cpusetCpus !== undefined && { cpusetCpus }),
    ...(cpusetMems !== undefined && { cpusetMems }),
  };
}

/** The parts of a resolv.conf, which runtimes write anew from them. */
export function dnsOf(resolvConf: string): {
  servers: string[];
  searches: string[];
  options: string[];
} {
  const words = resolvConf.split('\n').map((line) => line.trim().split(/\s+/));
  const all = (key: string) =>
    words.filter(([first]) => first === key).flatMap((line) => line.slice(1));
  return { servers: all('nameserver'), searches: all('search'), options: all('options') };
}
