// GET /stats/summary: figures of node and pods in the form of upstream's stats/v1alpha1. Pure.
import { toWhole, tryParseQuantity } from '../../api/meta/quantity.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { FileSystemUsage } from '../host/host-usage.ts';
import type { LinkCounts } from '../pod-network.ts';
import type { PodDisk } from './disk-figures.ts';
import type { ContainerFigures, NodeSnapshot, PodFigures } from './node-snapshot.ts';

/** The document; `only`: processor and memory, and nothing else, as ?only_cpu_and_memory=true asks. */
export function statsSummary(at: NodeSnapshot, only: boolean): object {
  return { node: nodeSummary(at, only), pods: at.pods.map((pod) => podSummary(pod, at, only)) };
}

function nodeSummary(at: NodeSnapshot, only: boolean): object {
  const { nodeName, node, bootMs, processes } = at;
  const time = formatTime(node.timestampMs);
  return {
    nodeName,
    ...(bootMs !== undefined && { startTime: formatTime(bootMs) }),
    systemContainers: [podsSummary(at)],
    cpu: {
      time,
      usageNanoCores: at.nodeCpuNanoCores,
      usageCoreNanoSeconds: Number(node.cpuUsageNs),
    },
    memory: {
      time,
      availableBytes: at.memoryAvailableBytes,
      usageBytes: at.memoryBytes - at.memoryAvailableBytes,
      workingSetBytes: node.memoryWorkingSetBytes,
    },
    ...(!only && {
      network: networkSummary(time, at.links),
      fs: fileSystemSummary(time, at.fileSystem),
      runtime: { ...imageFsSummary(time, at) },
      ...(processes && {
        rlimit: { time, maxpid: processes.most, curproc: processes.running },
      }),
    }),
  };
}

/** All pods together, as upstream's `pods` container has them. */
function podsSummary({ pods, node }: NodeSnapshot): object {
  const time = formatTime(node.timestampMs);
  const all = pods.flatMap(({ containers }) => containers);
  return { name: 'pods', ...useOf(all, time) };
}

function podSummary(figures: PodFigures, at: NodeSnapshot, only: boolean): object {
  const { pod, containers, link, disk } = figures;
  const { name, namespace, uid } = pod.metadata;
  const time = formatTime(at.node.timestampMs);
  return {
    podRef: { name, namespace, uid },
    startTime: pod.status?.startTime,
    containers: containers.map((each) => containerSummary(each, disk, { at, only })),
    ...useOf(containers, time),
    ...(!only && {
      ...(link && { network: networkSummary(time, [link]) }),
      ...diskSummary(figures, at),
    }),
    process_stats: { process_count: sum(containers, ({ stats }) => stats.pids) },
  };
}

function useOf(containers: readonly ContainerFigures[], time: string): object {
  const rated = containers.filter(({ cpuNanoCores }) => cpuNanoCores !== undefined);
  return {
    cpu: {
      time,
      ...(rated.length > 0 && { usageNanoCores: sum(rated, (each) => each.cpuNanoCores ?? 0) }),
      usageCoreNanoSeconds: sum(containers, ({ stats }) => Number(stats.cpuUsageNs)),
    },
    memory: {
      time,
      usageBytes: sum(containers, ({ stats }) => stats.memoryUsageBytes),
      workingSetBytes: sum(containers, ({ stats }) => stats.memoryWorkingSetBytes),
      ...faultsOf(containers),
    },
  };
}

/** Where one of them does not tell, their sum is not told. */
function faultsOf(containers: readonly ContainerFigures[]): object {
  if (containers.some(({ details }) => details.memoryRssBytes === undefined)) return {};
  return {
    rssBytes: sum(containers, ({ details }) => details.memoryRssBytes ?? 0),
    pageFaults: sum(containers, ({ details }) => details.pageFaults ?? 0),
    majorPageFaults: sum(containers, ({ details }) => details.majorPageFaults ?? 0),
  };
}

function containerSummary(
  container: ContainerFigures,
  disk: PodDisk | undefined,
  { at, only }: { readonly at: NodeSnapshot; readonly only: boolean },
): object {
  const { name, status, stats, details, cpuNanoCores } = container;
  const time = formatTime(stats.timestampMs);
  return {
    name,
    startTime: formatTime(status.startedAtMs ?? status.createdAtMs),
    cpu: {
      time,
      ...(cpuNanoCores !== undefined && { usageNanoCores: cpuNanoCores }),
      usageCoreNanoSeconds: Number(stats.cpuUsageNs),
    },
    memory: {
      time,
      ...limitLeft(container),
      usageBytes: stats.memoryUsageBytes,
      workingSetBytes: stats.memoryWorkingSetBytes,
      ...faultsOf([container]),
    },
    ...(details.memorySwapBytes !== undefined && {
      swap: { time, swapUsageBytes: details.memorySwapBytes },
    }),
    ...(!only && {
      rootfs: fileSystemSummary(time, at.imageFs ?? at.fileSystem, disk?.layers.get(status.id)),
      logs: fileSystemSummary(time, at.fileSystem, disk?.logs.get(name)),
    }),
  };
}

/** What a limit leaves of memory; nothing where there is none. */
function limitLeft({ spec, stats }: ContainerFigures): object {
  const limit = tryParseQuantity(String(spec?.resources?.limits?.['memory'] ?? ''));
  if (!limit) return {};
  return { availableBytes: Math.max(0, toWhole(limit) - stats.memoryWorkingSetBytes) };
}

function diskSummary({ disk, pod }: PodFigures, { fileSystem }: NodeSnapshot): object {
  if (!disk) return {};
  const time = formatTime(disk.atMs);
  const total = (amounts: Iterable<number>) => [...amounts].reduce((all, each) => all + each, 0);
  const used =
    total(disk.volumes.values()) + total(disk.logs.values()) + total(disk.layers.values());
  return {
    volume: (pod.spec?.volumes ?? []).flatMap(({ name }) => {
      const bytes = disk.volumes.get(name);
      return bytes === undefined ? [] : [{ ...fileSystemSummary(time, fileSystem, bytes), name }];
    }),
    'ephemeral-storage': fileSystemSummary(time, fileSystem, used),
  };
}

/** A file system and how much of it is used: by all unless told. */
function fileSystemSummary(time: string, fs: FileSystemUsage, usedBytes?: number): object {
  const { availableBytes, capacityBytes, inodes, inodesFree } = fs;
  return {
    time,
    availableBytes,
    capacityBytes,
    usedBytes: usedBytes ?? capacityBytes - availableBytes,
    inodesFree,
    inodes,
    ...(usedBytes === undefined && { inodesUsed: inodes - inodesFree }),
  };
}

function imageFsSummary(time: string, { imageFs }: NodeSnapshot): object {
  if (!imageFs) return {};
  const images = {
    ...fileSystemSummary(time, imageFs, imageFs.usedBytes),
    inodesUsed: imageFs.inodesUsed,
  };
  return { imageFs: images, containerFs: fileSystemSummary(time, imageFs) };
}

/** The first link, the node's default one, stands for all; upstream's is the one that is called eth0, and none where there is none. */
function networkSummary(time: string, links: readonly LinkCounts[]): object {
  const shown = links.map(({ name, rxBytes, rxErrors, txBytes, txErrors }) => ({
    name,
    rxBytes,
    rxErrors,
    txBytes,
    txErrors,
  }));
  return { time, ...shown[0], interfaces: shown };
}

const sum = <T>(all: readonly T[], of: (each: T) => number): number =>
  all.reduce((total, each) => total + of(each), 0);
