// Takes the figures that evictions rest on from host, images and runtime.
// Invariant: what cannot be told is left out, and then nothing is decided on it.
import type { Pod } from '../../api/generated/types.ts';
import { containerNamesOf, type HostUsage, type PodDiskUsage } from '../host/host-usage.ts';
import type { ContainerRuntime, ContainerStats, ImageStore } from '../runtime/runtime.ts';
import type { DiskAmount, PodUse } from './pod-usage.ts';
import type { Signal } from './signals.ts';
import type { Observation, Observations } from './thresholds.ts';

/** Where figures come from. */
export interface FigureDoors {
  readonly usage: HostUsage;
  readonly images: Pick<ImageStore, 'usage'>;
  readonly runtime: Pick<ContainerRuntime, 'stats' | 'listContainers' | 'writableLayers'>;
}

/** A look at the whole node. */
export interface NodeLook {
  readonly observations: Observations;
  /** Do images lie on a file system of their own? */
  readonly hasImageFs: boolean;
}

/** Looks at the node. */
export async function lookAtNode({ usage, images }: FigureDoors): Promise<NodeLook> {
  const disk = usage.fileSystem();
  const imageDisk = await images.usage?.();
  const memory = usage.memory();
  const processes = usage.processes();
  const signals: [Signal, Observation | undefined][] = [
    ['memory.available', { available: memory.availableBytes, capacity: memory.capacityBytes }],
    ['nodefs.available', bytesOf(disk)],
    ['nodefs.inodesFree', inodesOf(disk)],
    ['imagefs.available', bytesOf(imageDisk ?? disk)],
    ['imagefs.inodesFree', inodesOf(imageDisk ?? disk)],
    [
      'pid.available',
      processes && { available: processes.most - processes.running, capacity: processes.most },
    ],
  ];
  return {
    observations: new Map(
      signals.filter((each): each is [Signal, Observation] => each[1] !== undefined),
    ),
    hasImageFs: imageDisk !== undefined && !isSameDisk(imageDisk, disk),
  };
}

interface Disk {
  readonly capacityBytes: number;
  readonly availableBytes: number;
  readonly inodes: number;
  readonly inodesFree: number;
}

const bytesOf = ({ availableBytes, capacityBytes }: Disk): Observation => ({
  available: availableBytes,
  capacity: capacityBytes,
});

/** Some file systems count no inodes. */
const inodesOf = ({ inodesFree, inodes }: Disk): Observation | undefined =>
  inodes > 0 ? { available: inodesFree, capacity: inodes } : undefined;

/** Two disks of the same size to the byte are one. */
const isSameDisk = (a: Disk, b: Disk): boolean =>
  a.capacityBytes === b.capacityBytes && a.inodes === b.inodes;

/** What each of the pods uses; with `disks`, what they have written too, which takes a walk. */
export async function lookAtPods(
  pods: readonly Pod[],
  doors: FigureDoors,
  disks: { readonly bytes: boolean; readonly inodes: boolean },
): Promise<ReadonlyMap<Pod, PodUse>> {
  const { runtime, usage } = doors;
  const stats = Map.groupBy(await runtime.stats(), ({ podUid }) => podUid);
  const units = (['bytes', 'inodes'] as const).filter((unit) => disks[unit]);
  const written = await Promise.all(
    units.map(async (unit) => ({
      unit,
      layers: await layersOf(pods, runtime, unit),
      pods: await Promise.all(pods.map((pod) => usage.of(pod, unit))),
    })),
  );
  return new Map(
    pods.map((pod, i) => {
      const own = stats.get(pod.metadata.uid ?? '') ?? [];
      const disk = written.flatMap(({ unit, layers, pods: each }) => {
        const one = each[i];
        return one ? [{ unit, layers, ...one }] : [];
      });
      return [pod, useOf(pod, own, disk)];
    }),
  );
}

interface Written extends PodDiskUsage {
  readonly unit: 'bytes' | 'inodes';
  /** By pod's uid and container's name. */
  readonly layers: ReadonlyMap<string, number>;
}

/** The writable layers of the pods' newest containers, by the pod's uid and their name. */
async function layersOf(
  pods: readonly Pod[],
  runtime: FigureDoors['runtime'],
  unit: 'bytes' | 'inodes',
): Promise<ReadonlyMap<string, number>> {
  const uids = new Set(pods.map(({ metadata }) => metadata.uid));
  const newest = new Map<string, { id: string; attempt: number }>();
  for (const { id, podUid, name, attempt } of await runtime.listContainers()) {
    const key = `${podUid}/${name}`;
    if (uids.has(podUid) && attempt >= (newest.get(key)?.attempt ?? 0))
      newest.set(key, { id, attempt });
  }
  const ids = Array.from(newest.values(), ({ id }) => id);
  const sizes = await runtime.writableLayers?.(ids, unit);
  return new Map(Array.from(newest, ([key, { id }]) => [key, sizes?.get(id) ?? 0]));
}

function useOf(pod: Pod, stats: readonly ContainerStats[], written: readonly Written[]): PodUse {
  const amount = (pick: (each: Written) => number | undefined): DiskAmount => {
    const of = (unit: string) => {
      const one = written.find((each) => each.unit === unit);
      return (one && pick(one)) ?? 0;
    };
    return { bytes: of('bytes'), inodes: of('inodes') };
  };
  const volumes = new Set(written.flatMap((each) => [...each.volumes.keys()]));
  return {
    memoryBytes: stats.reduce((sum, each) => sum + each.memoryWorkingSetBytes, 0),
    processes: stats.reduce((sum, each) => sum + each.pids, 0),
    containers: containerNamesOf(pod).map((name) => ({
      name,
      memoryBytes: stats.find((each) => each.name === name)?.memoryWorkingSetBytes ?? 0,
      logs: amount(({ logs }) => logs.get(name)),
      root: amount(({ layers }) => layers.get(`${pod.metadata.uid}/${name}`)),
    })),
    volumes: new Map(
      Array.from(volumes, (name) => [name, amount((each) => each.volumes.get(name))]),
    ),
  };
}
