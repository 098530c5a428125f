// The use of a host that has no kernel: nothing is in use but what is played.
// Invariant: what is played stays until something else is.
import type { Pod } from '../../../api/generated/types.ts';
import {
  containerNamesOf,
  type FileSystemUsage,
  type HostUsage,
  ownVolumesOf,
  type PodDiskUsage,
} from '../host-usage.ts';

/** What is played. Whatever is left out is as if nothing were in use. */
export interface PlayedUsage {
  readonly memoryAvailableBytes?: number;
  readonly disk?: Partial<Pick<FileSystemUsage, 'availableBytes' | 'inodesFree'>>;
  readonly processes?: { readonly most: number; readonly running: number };
  /** What pods have written, in either unit. */
  readonly podDisk?: (pod: Pod, unit: 'bytes' | 'inodes') => Partial<PodDiskUsage>;
}

const INODES = 1_000_000;

/** The use. */
export class MemoryUsage implements HostUsage {
  readonly #facts: { readonly memoryBytes: number; readonly storageBytes: number };
  #played: PlayedUsage = {};

  constructor(facts: { readonly memoryBytes: number; readonly storageBytes: number }) {
    this.#facts = facts;
  }

  /** From now on it is so. */
  play(usage: PlayedUsage): void {
    this.#played = usage;
  }

  fileSystem(): FileSystemUsage {
    const { storageBytes } = this.#facts;
    return {
      capacityBytes: storageBytes,
      availableBytes: storageBytes,
      inodes: INODES,
      inodesFree: INODES,
      ...this.#played.disk,
    };
  }

  memory(): { capacityBytes: number; availableBytes: number } {
    const { memoryBytes } = this.#facts;
    const { memoryAvailableBytes = memoryBytes } = this.#played;
    return { capacityBytes: memoryBytes, availableBytes: memoryAvailableBytes };
  }

  processes(): { readonly most: number; readonly running: number } | undefined {
    return this.#played.processes;
  }

  of(pod: Pod, unit: 'bytes' | 'inodes'): Promise<PodDiskUsage> {
    const none = (names: readonly string[]) => names.map((name) => [name, 0] as const);
    const played = this.#played.podDisk?.(pod, unit) ?? {};
    return Promise.resolve({
      volumes: new Map([...none(ownVolumesOf(pod)), ...(played.volumes ?? [])]),
      logs: new Map([...none(containerNamesOf(pod)), ...(played.logs ?? [])]),
    });
  }
}
