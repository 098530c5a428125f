// VolumeFiles: where the content of pods' volumes lies. disk-volumes.ts keeps it in directories that containers see by bind
// mounts, host/memory/memory-volumes.ts in this process.
// Invariant: what prepare made of a pod, and nothing else, goes with `remove`.
import type { VolumeFile } from './atomic-directory.ts';
import type { GroupOwnership } from './group-ownership.ts';

/** A volume of a pod. */
export interface VolumeAt {
  readonly podUid: string;
  readonly volume: string;
}

/** What an empty directory is like. */
export interface EmptyDirSpec {
  readonly inMemory: boolean;
  /** 0 for no limit. */
  readonly sizeBytes: number;
  readonly group: number | undefined;
}

/** A part of a volume that one mount of a container shows. */
export interface SubPathAt {
  readonly podUid: string;
  readonly container: string;
  /** Which of the container's mounts. */
  readonly index: number;
  /** Host path of the volume. */
  readonly root: string;
  /** Relative path in it. */
  readonly inside: string;
}

/** What an NFS server exports, and how it is mounted. */
export interface NfsSource {
  readonly server: string;
  readonly path: string;
  readonly readOnly: boolean;
  /** As mount(8) takes them. */
  readonly options: readonly string[];
}

/** The volumes of a node. Paths that are answered are the host's. Each verb may be repeated and comes to the same end. */
export interface VolumeFiles {
  /** An empty directory, made when it is not there; what is in it stays. */
  emptyDir(at: VolumeAt, spec: EmptyDirSpec): string;
  /** A path of the host, checked or made as its type says, once for a volume of a pod. Throws ConfigError, also while the path does not answer. */
  hostPath(path: string, type: string, at: VolumeAt): Promise<string>;
  /** The block device that a path of the host leads to, looked at once for a volume of a pod. Throws ConfigError where it is none. Hosts that have none leave it out. */
  blockDevice?(path: string, at: VolumeAt): Promise<string>;
  /** Resolves when what is at the path can be looked at, whatever it is; throws ConfigError while its file system hangs. */
  answers(podUid: string, path: string): Promise<void>;
  /** Gives a directory, and all in it, to a group, for a volume of a pod, once. Throws ConfigError, also while that goes on. */
  own(at: VolumeAt, path: string, ownership: GroupOwnership): Promise<void>;
  /** A part of an NFS server, mounted for a volume of a pod. Throws ConfigError, also while the server does not answer. Hosts that have none leave it out. */
  nfs?(at: VolumeAt, source: NfsSource): Promise<string>;
  /** The storage that a volume claim stands for, the same for each pod that names it. Hosts that have none leave it out. */
  claim?(namespace: string, name: string): string;
  /** Has it been given files already? */
  hasFiles(at: VolumeAt): boolean;
  /** A directory that shows exactly these files, all at once. Secret ones never reach a disk. */
  write(
    at: VolumeAt,
    files: readonly VolumeFile[],
    how: { readonly secret: boolean; readonly group: number | undefined },
  ): string;
  /** The directory of a volume, whatever is in it. */
  pathOf(at: VolumeAt): string;
  /** A part of a volume as a host path of its own, made where it is missing. Throws ConfigError when it leads out of the volume. */
  subPath(part: SubPathAt): Promise<string>;
  /** Pods that have something here. */
  podUids(): string[];
  /** Removes what is here of a pod; paths of the host are left alone. Quiet when there is nothing. */
  remove(podUid: string): Promise<void>;
}
