// Control groups, v1 and v2, behind one interface: groups of our own above those that runc makes.
// Invariants: hierarchies are found in mountinfo, never assumed; every verb may be repeated. The v2 half is tested against a fake
// tree only: no host with v2 limits was at hand, so it is unproven there.
import { createCgroupsV1 } from './cgroups-v1.ts';
import { createCgroupsV2 } from './cgroups-v2.ts';
import type { System } from './system.ts';

/** Limits of a group; undefined fields are left as they are. */
export interface CgroupLimits {
  readonly cpuShares?: number | undefined;
  readonly cpuQuotaUs?: number | undefined;
  readonly cpuPeriodUs?: number | undefined;
  readonly memoryLimitBytes?: number | undefined;
  readonly pidsLimit?: number | undefined;
}

/** Use of a group and all below it. */
export interface CgroupUsage {
  readonly cpuUsageNs: bigint;
  readonly memoryUsageBytes: number;
  /** Usage without inactive file cache: what cannot be given back at once. */
  readonly memoryWorkingSetBytes: number;
  readonly pids: number;
}

/** More of a group's use than is looked at all the time; what a hierarchy does not tell is left out. */
export interface CgroupDetails {
  readonly cpuUserNs: bigint | undefined;
  readonly cpuSystemNs: bigint | undefined;
  /** Of the quota's periods: how many there were, in how many it waited, and for how long. */
  readonly cpuPeriods: number | undefined;
  readonly cpuThrottledPeriods: number | undefined;
  readonly cpuThrottledNs: bigint | undefined;
  readonly memoryRssBytes: number;
  readonly memoryCacheBytes: number;
  readonly memoryMappedBytes: number;
  readonly memorySwapBytes: number;
  readonly pageFaults: number;
  readonly majorPageFaults: number;
}

/** Groups by absolute path below the root of each hierarchy, such as `/pinnace-x/pod1`. */
export interface Cgroups {
  readonly version: 1 | 2;
  /** Makes a group and its parents, with the controllers that limits need. */
  make(path: string): void;
  setLimits(path: string, limits: CgroupLimits): void;
  /**
   * Undefined when the group is gone. `before`, what it used at an earlier time, is answered again where nothing of the group has run
   * since: that is one file to read rather than four.
   */
  usage(path: string, before?: CgroupUsage): CgroupUsage | undefined;
  /** Undefined when the group is gone. */
  details(path: string): CgroupDetails | undefined;
  /** How often the kernel killed in this group for want of memory. */
  oomKills(path: string): number;
  /** Process ids in the group and all below it. */
  processes(path: string): readonly number[];
  /** Sends SIGKILL to each process in the group and below it. */
  killAll(path: string): void;
  /** Removes the group and all below it in every hierarchy; throws EBUSY while processes are left. */
  remove(path: string): void;
  /** Names of the groups directly below, in any hierarchy. */
  children(path: string): readonly string[];
  /** Whether a limit on swap may be set for groups below an existing one. */
  limitsSwap(path: string): boolean;
}

/** Groups of this host: v2 when it is the only one or carries the memory controller, v1 otherwise. */
export function createCgroups(system: System): Cgroups {
  const mounts = system.mounts();
  const unified = mounts.find((mount) => mount.type === 'cgroup2');
  const memoryIsV1 = mounts.some(
    (mount) => mount.type === 'cgroup' && mount.options.split(',').includes('memory'),
  );
  if (unified && !memoryIsV1) return createCgroupsV2(system, unified.mountPoint);
  return createCgroupsV1(system, mounts);
}
