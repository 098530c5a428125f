// Control groups v1: one tree per controller or set of controllers, wherever the host has mounted them.
import { join } from 'node:path';
import { childGroups, keyedValue, processesBelow, removeTree } from './cgroup-tree.ts';
import type { CgroupDetails, CgroupLimits, Cgroups, CgroupUsage } from './cgroups.ts';
import type { MountEntry, System } from './system.ts';

/** Controllers whose limits or figures we use; others are left to runc. */
const USED = ['cpu', 'cpuacct', 'memory', 'pids'] as const;
type Used = (typeof USED)[number];

/** Groups on a host with v1 hierarchies. */
export function createCgroupsV1(system: System, mounts: readonly MountEntry[]): Cgroups {
  const trees = mounts.filter((mount) => mount.type === 'cgroup' || mount.type === 'cgroup2');
  const points = [...new Set(trees.map((mount) => mount.mountPoint))];
  const pointOf = new Map<Used, string>();
  for (const mount of trees)
    for (const name of USED)
      if (mount.options.split(',').includes(name)) pointOf.set(name, mount.mountPoint);

  const file = (controller: Used, path: string, name: string): string | undefined => {
    const point = pointOf.get(controller);
    // Not normalised: it is done for each container each second.
    return point === undefined ? undefined : `${point}${path}/${name}`;
  };
  const read = (controller: Used, path: string, name: string) => {
    const full = file(controller, path, name);
    return full === undefined ? undefined : system.read(full);
  };
  const processes = (path: string) => {
    const point = pointOf.get('pids') ?? pointOf.get('memory') ?? points[0];
    return point === undefined ? [] : processesBelow(system, join(point, path));
  };
  return {
    version: 1,
    make: (path) => {
      for (const point of new Set(pointOf.values())) system.makeDirectory(join(point, path));
    },
    setLimits: (path, limits) => {
      for (const [controller, name, value] of settingsOf(limits)) {
        const full = file(controller, path, name);
        if (full !== undefined) system.write(full, value);
      }
    },
    usage: (path, before) => usageOf((controller, name) => read(controller, path, name), before),
    details: (path) => detailsOf((controller, name) => read(controller, path, name)),
    oomKills: (path) => keyedValue(read('memory', path, 'memory.oom_control'), 'oom_kill') ?? 0,
    processes,
    killAll: (path) => {
      for (const pid of processes(path)) system.kill(pid, 'SIGKILL');
    },
    remove: (path) => {
      for (const point of points) removeTree(system, join(point, path));
    },
    children: (path) =>
      [...new Set(points.flatMap((point) => childGroups(system, join(point, path))))].filter(
        (name) => points.some((point) => system.exists(join(point, path, name, 'cgroup.procs'))),
      ),
    limitsSwap: (path) => {
      const full = file('memory', path, 'memory.memsw.limit_in_bytes');
      return full !== undefined && system.exists(full);
    },
  };
}

/** No limit, as v1 writes it for memory and for the quota. */
const NO_LIMIT = '-1';

function settingsOf(limits: CgroupLimits): [Used, string, string][] {
  const settings: [Used, string, string | undefined][] = [
    ['cpu', 'cpu.shares', limits.cpuShares?.toString()],
    [
      'cpu',
      'cpu.cfs_period_us',
      limits.cpuQuotaUs && limits.cpuPeriodUs ? `${limits.cpuPeriodUs}` : undefined,
    ],
    ['cpu', 'cpu.cfs_quota_us', limits.cpuQuotaUs?.toString() ?? NO_LIMIT],
    ['memory', 'memory.limit_in_bytes', limits.memoryLimitBytes?.toString() ?? NO_LIMIT],
    ['pids', 'pids.max', limits.pidsLimit?.toString() ?? 'max'],
  ];
  return settings.flatMap(([controller, name, value]) =>
    value === undefined ? [] : [[controller, name, value]],
  );
}

function usageOf(
  read: (controller: Used, name: string) => string | undefined,
  before: CgroupUsage | undefined,
): CgroupUsage | undefined {
  const cpu = read('cpuacct', 'cpuacct.usage');
  if (cpu === undefined) return undefined;
  const cpuUsageNs = BigInt(cpu.trim());
  if (before?.cpuUsageNs === cpuUsageNs) return before;
  const memory = read('memory', 'memory.usage_in_bytes');
  if (memory === undefined) return undefined;
  const usage = Number(memory);
  const inactive = keyedValue(read('memory', 'memory.stat'), 'total_inactive_file') ?? 0;
  return {
    cpuUsageNs,
    memoryUsageBytes: usage,
    memoryWorkingSetBytes: Math.max(0, usage - inactive),
    pids: Number(read('pids', 'pids.current') ?? 0),
  };
}

/** Clock ticks are hundredths of a second on Linux. */
const NS_PER_TICK = 10_000_000n;

function detailsOf(
  read: (controller: Used, name: string) => string | undefined,
): CgroupDetails | undefined {
  const memory = read('memory', 'memory.stat');
  if (memory === undefined) return undefined;
  const stat = (key: string) => keyedValue(memory, `total_${key}`) ?? keyedValue(memory, key) ?? 0;
  const cpu = read('cpu', 'cpu.stat');
  const times = read('cpuacct', 'cpuacct.stat');
  const ticks = (key: string) => {
    const value = keyedValue(times, key);
    return value === undefined ? undefined : BigInt(value) * NS_PER_TICK;
  };
  const throttled = keyedValue(cpu, 'throttled_time');
  return {
    cpuUserNs: ticks('user'),
    cpuSystemNs: ticks('system'),
    cpuPeriods: keyedValue(cpu, 'nr_periods'),
    cpuThrottledPeriods: keyedValue(cpu, 'nr_throttled'),
    cpuThrottledNs: throttled === undefined ? undefined : BigInt(throttled),
    memoryRssBytes: stat('rss'),
    memoryCacheBytes: stat('cache'),
    memoryMappedBytes: stat('mapped_file'),
    memorySwapBytes: stat('swap'),
    pageFaults: stat('pgfault'),
    majorPageFaults: stat('pgmajfault'),
  };
}
