// What of a host is in use: the figures that evictions, and those who ask for the node's summary, rest on.
// Invariants: figures of the whole host cost little; what has to be walked is walked elsewhere, and may be unknown.
import type { Pod } from '../../api/generated/types.ts';

/** A file system. */
export interface FileSystemUsage {
  readonly capacityBytes: number;
  readonly availableBytes: number;
  readonly inodes: number;
  readonly inodesFree: number;
}

/** What a pod has on the node's file system, besides what its containers write into their own. */
export interface PodDiskUsage {
  /** Volumes of type emptyDir on disks, by name. */
  readonly volumes: ReadonlyMap<string, number>;
  /** Logs by container name, those of former attempts and rotated ones among them. */
  readonly logs: ReadonlyMap<string, number>;
}

/** Use of a host. */
export interface HostUsage {
  /** The file system that pods' volumes and logs lie on. */
  fileSystem(): FileSystemUsage;
  /** Memory that pods and everybody else may still have: what there is less the working set of all. */
  memory(): { readonly capacityBytes: number; readonly availableBytes: number };
  /** Processes and threads there may be, and are; undefined where there is no kernel to ask. */
  processes(): { readonly most: number; readonly running: number } | undefined;
  /** Walks what a pod has; what could not be walked is left out. Never rejects. */
  of(pod: Pod, unit: 'bytes' | 'inodes'): Promise<PodDiskUsage>;
}

/** The names of a pod's volumes that are its own and take room on disks. */
export const ownVolumesOf = ({ spec }: Pod): string[] =>
  (spec?.volumes ?? []).flatMap(({ name, emptyDir }) =>
    emptyDir && (emptyDir.medium ?? '') === '' ? [name] : [],
  );

/** The names of a pod's containers, of all three kinds. */
export const containerNamesOf = ({ spec }: Pod): string[] =>
  [
    ...(spec?.initContainers ?? []),
    ...(spec?.containers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ].map(({ name }) => name);
