// Use of this host: /proc, the root control group, statfs(2), and du(1) for what pods have written.
// Invariant: memory is counted as upstream counts it, so that file cache that can be given back at once is free.
import { statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Pod } from '../../api/generated/types.ts';
import { DirectorySizes } from '../../system/directory-sizes.ts';
import type { System } from '../../system/system.ts';
import type { PodLogs } from '../logs/pod-logs.ts';
import type { VolumeFiles } from '../volumes/volume-files.ts';
import {
  containerNamesOf,
  type FileSystemUsage,
  type HostUsage,
  ownVolumesOf,
  type PodDiskUsage,
} from './host-usage.ts';

/** What it needs. */
export interface LinuxUsageOptions {
  readonly system: System;
  readonly dataDir: string;
  /** Where pods' volumes and logs lie. */
  readonly host: {
    readonly volumes: Pick<VolumeFiles, 'pathOf'>;
    readonly logs: Pick<PodLogs, 'pathOf'>;
  };
}

/** The use. */
export class LinuxUsage implements HostUsage {
  readonly #options: LinuxUsageOptions;
  readonly #sizes: DirectorySizes;
  #memoryGroup: string | undefined;

  constructor(options: LinuxUsageOptions) {
    this.#options = options;
    this.#sizes = new DirectorySizes(options.system);
  }

  fileSystem(): FileSystemUsage {
    const { bsize, blocks, bavail, files, ffree } = statfsSync(this.#options.dataDir);
    return {
      capacityBytes: blocks * bsize,
      availableBytes: bavail * bsize,
      inodes: files,
      inodesFree: ffree,
    };
  }

  memory(): { capacityBytes: number; availableBytes: number } {
    const meminfo = this.#options.system.read('/proc/meminfo') ?? '';
    const capacityBytes = kilobytes(meminfo, 'MemTotal');
    const { used, idle } = this.#groupMemory() ?? {
      used: capacityBytes - kilobytes(meminfo, 'MemFree'),
      idle: kilobytes(meminfo, 'Inactive(file)'),
    };
    const workingSet = Math.max(0, used - idle);
    return { capacityBytes, availableBytes: Math.max(0, capacityBytes - workingSet) };
  }

  processes(): { most: number; running: number } | undefined {
    const { system } = this.#options;
    const number = (path: string) => Number(system.read(path)?.trim() ?? NaN);
    const most = Math.min(
      number('/proc/sys/kernel/pid_max'),
      number('/proc/sys/kernel/threads-max'),
    );
    const running = Number(/\d+\/(\d+)/.exec(system.read('/proc/loadavg') ?? '')?.[1] ?? NaN);
    return Number.isNaN(most + running) ? undefined : { most, running };
  }

  async of(pod: Pod, unit: 'bytes' | 'inodes'): Promise<PodDiskUsage> {
    const { volumes, logs } = this.#options.host;
    const podUid = pod.metadata.uid ?? '';
    const sized = async (named: readonly (readonly [string, string])[]) => {
      const sizes = named.map(async ([name, path]) => [name, await this.#sizes.of(path, unit)]);
      const known = (await Promise.all(sizes)) as [string, number | undefined][];
      return new Map(known.filter((each): each is [string, number] => each[1] !== undefined));
    };
    const [ofVolumes, ofLogs] = await Promise.all([
      sized(ownVolumesOf(pod).map((volume) => [volume, volumes.pathOf({ podUid, volume })])),
      sized(containerNamesOf(pod).map((name) => [name, dirname(logs.pathOf(pod, name, 0))])),
    ]);
    return { volumes: ofVolumes, logs: ofLogs };
  }

  /** Of the root group, which v1 tells; v2 leaves it to /proc/meminfo. */
  #groupMemory(): { used: number; idle: number } | undefined {
    const { system } = this.#options;
    this.#memoryGroup ??=
      system
        .mounts()
        .find(({ type, options }) => type === 'cgroup' && options.split(',').includes('memory'))
        ?.mountPoint ?? '';
    if (this.#memoryGroup === '') return undefined;
    const used = Number(system.read(join(this.#memoryGroup, 'memory.usage_in_bytes')) ?? NaN);
    const stat = system.read(join(this.#memoryGroup, 'memory.stat')) ?? '';
    const idle = Number(/^total_inactive_file (\d+)$/m.exec(stat)?.[1] ?? NaN);
    return Number.isNaN(used + idle) ? undefined : { used, idle };
  }
}

const kilobytes = (meminfo: string, name: string): number => {
  const line = meminfo.split('\n').find((each) => each.startsWith(`${name}:`)) ?? '';
  return Number(/(\d+) kB$/.exec(line)?.[1] ?? 0) * 1024;
};
