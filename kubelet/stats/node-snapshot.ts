// All figures of a node and its pods at one moment, gathered when somebody asks: what the summary and the pages of metrics are made from.
// Invariants: asking costs what the question needs (disks are walked only for those who ask for them, and for all of them at most
// once a minute); what is not known is left out, never guessed.
import type { Container, Pod } from '../../api/generated/types.ts';
import type { NodeSample } from '../../api/metrics/sample.ts';
import type { Clock } from '../../base/clock.ts';
import type { FileSystemUsage, HostUsage } from '../host/host-usage.ts';
import type { LinkCounts, PodNetwork } from '../pod-network.ts';
import type {
  ContainerDetails,
  ContainerRuntime,
  ContainerStats,
  ContainerStatus,
  ImageStore,
  ImageUsage,
} from '../runtime/runtime.ts';
import type { DiskFigures, PodDisk } from './disk-figures.ts';

/** A running container. */
export interface ContainerFigures {
  readonly name: string;
  readonly spec: Container | undefined;
  readonly status: ContainerStatus;
  readonly stats: ContainerStats;
  readonly details: ContainerDetails;
  readonly cpuNanoCores: number | undefined;
}

/** A pod that has running containers. */
export interface PodFigures {
  readonly pod: Pod;
  readonly containers: readonly ContainerFigures[];
  readonly link: LinkCounts | undefined;
  readonly disk: PodDisk | undefined;
}

/** The node. */
export interface NodeSnapshot {
  readonly nodeName: string;
  readonly nowMs: number;
  readonly bootMs: number | undefined;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly node: ReturnType<ContainerRuntime['nodeStats']>;
  readonly nodeCpuNanoCores: number | undefined;
  readonly memoryAvailableBytes: number;
  readonly processes: { readonly most: number; readonly running: number } | undefined;
  readonly fileSystem: FileSystemUsage;
  readonly imageFs: ImageUsage | undefined;
  readonly links: readonly LinkCounts[];
  readonly pods: readonly PodFigures[];
}

/** Where figures come from. */
export interface SnapshotDoors {
  readonly nodeName: string;
  readonly clock: Clock;
  readonly runtime: ContainerRuntime;
  readonly images: ImageStore;
  readonly network: PodNetwork;
  readonly usage: HostUsage;
  readonly disks: DiskFigures;
  readonly facts: { readonly cpus: number; readonly memoryBytes: number; readonly bootMs?: number };
  /** Pods with their statuses as this node knows them. */
  readonly pods: () => readonly Pod[];
  /** The newest rates. */
  readonly sample: () => NodeSample | undefined;
}

/** Gathers them; `disks`: what pods have written too. */
export async function takeSnapshot(
  doors: SnapshotDoors,
  { disks }: { readonly disks: boolean },
): Promise<NodeSnapshot> {
  const { runtime, images, usage, clock, nodeName, facts } = doors;
  const [stats, statuses, details, imageFs] = await Promise.all([
    runtime.stats(),
    runtime.listContainers(),
    runtime.details?.() ?? new Map<string, ContainerDetails>(),
    images.usage?.(),
  ]);
  const sample = doors.sample();
  const pods = doors.pods();
  const running = statuses.filter(({ state }) => state === 'running');
  const written = disks ? await doors.disks.of(pods, running) : undefined;
  const links = doors.network.figures?.();
  return {
    nodeName,
    nowMs: clock.now(),
    bootMs: facts.bootMs,
    cpus: facts.cpus,
    memoryBytes: facts.memoryBytes,
    node: runtime.nodeStats(),
    nodeCpuNanoCores: sample?.node.cpuNanoCores,
    memoryAvailableBytes: usage.memory().availableBytes,
    processes: usage.processes(),
    fileSystem: usage.fileSystem(),
    imageFs,
    links: links?.host ?? [],
    pods: podFigures({
      pods,
      stats,
      statuses: new Map(running.map((status) => [status.id, status])),
      details,
      rates: ratesOf(sample),
      links: links?.pods ?? new Map(),
      written,
    }),
  };
}

interface Gathered {
  readonly pods: readonly Pod[];
  readonly stats: readonly ContainerStats[];
  readonly statuses: ReadonlyMap<string, ContainerStatus>;
  readonly details: ReadonlyMap<string, ContainerDetails>;
  /** Nanocores by pod's uid and container's name. */
  readonly rates: ReadonlyMap<string, number>;
  readonly links: ReadonlyMap<string, LinkCounts>;
  readonly written: ReadonlyMap<string, PodDisk> | undefined;
}

function podFigures(all: Gathered): PodFigures[] {
  const byPod = Map.groupBy(all.stats, ({ podUid }) => podUid);
  return all.pods.flatMap((pod) => {
    const uid = pod.metadata.uid ?? '';
    const own = byPod.get(uid);
    if (!own) return [];
    const specs = containersIn(pod);
    const containers = own.flatMap((stats): ContainerFigures[] => {
      const status = all.statuses.get(stats.containerId);
      if (!status) return [];
      const { name } = stats;
      return [
        {
          name,
          spec: specs.find((each) => each.name === name),
          status,
          stats,
          details: all.details.get(stats.containerId) ?? {},
          cpuNanoCores: all.rates.get(rateKey(uid, name)),
        },
      ];
    });
    return [{ pod, containers, link: all.links.get(uid), disk: all.written?.get(uid) }];
  });
}

const rateKey = (podUid: string, container: string): string => `${podUid}/${container}`;

function ratesOf(sample: NodeSample | undefined): ReadonlyMap<string, number> {
  const rates = (sample?.pods ?? []).flatMap(({ uid, containers }) =>
    containers.map(({ name, cpuNanoCores }) => [rateKey(uid, name), cpuNanoCores] as const),
  );
  return new Map(rates);
}

function containersIn({ spec }: Pod): Container[] {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = spec ?? {};
  return [...containers, ...initContainers, ...(ephemeralContainers as Container[])];
}
