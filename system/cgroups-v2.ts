// Control groups v2: one tree; controllers are handed down level by level through cgroup.subtree_control.
// Unproven on a real v2 host: tested against a fake tree.
import { join } from 'node:path';
import { childGroups, keyedValue, processesBelow, removeTree } from './cgroup-tree.ts';
import type { CgroupDetails, CgroupLimits, Cgroups, CgroupUsage } from './cgroups.ts';
import type { System } from './system.ts';

const CONTROLLERS = ['cpu', 'cpuset', 'memory', 'pids'];
const DEFAULT_PERIOD_US = 100_000;

/** Groups on a host with the unified tree mounted at `root`. */
export function createCgroupsV2(system: System, root: string): Cgroups {
  const at = (path: string, name = '') => join(root, path, name);
  const processes = (path: string) => processesBelow(system, at(path));
  return {
    version: 2,
    make: (path) => {
      const parts = path.split('/').filter((part) => part !== '');
      for (let level = 0; level <= parts.length; level++) {
        const directory = at(parts.slice(0, level).join('/'));
        system.makeDirectory(directory);
        handDown(system, directory);
      }
    },
    setLimits: (path, limits) => {
      for (const [name, value] of settingsOf(limits))
        if (system.exists(at(path, name))) system.write(at(path, name), value);
    },
    // Not normalised: it is done for each container each second.
    usage: (path, before) => usageOf((name) => system.read(`${root}${path}/${name}`), before),
    details: (path) => detailsOf((name) => system.read(at(path, name))),
    oomKills: (path) => keyedValue(system.read(at(path, 'memory.events')), 'oom_kill') ?? 0,
    processes,
    killAll: (path) => {
      if (system.exists(at(path, 'cgroup.kill'))) system.write(at(path, 'cgroup.kill'), '1');
      else for (const pid of processes(path)) system.kill(pid, 'SIGKILL');
    },
    remove: (path) => removeTree(system, at(path)),
    children: (path) =>
      childGroups(system, at(path)).filter((name) =>
        system.exists(join(at(path), name, 'cgroup.procs')),
      ),
    limitsSwap: (path) => system.exists(at(path, 'memory.swap.max')),
  };
}

/** Gives the groups below a directory every controller that the directory itself has and we use. */
function handDown(system: System, directory: string): void {
  const present = (system.read(join(directory, 'cgroup.controllers')) ?? '').trim().split(/\s+/);
  const handed = (system.read(join(directory, 'cgroup.subtree_control')) ?? '').trim().split(/\s+/);
  const missing = CONTROLLERS.filter((name) => present.includes(name) && !handed.includes(name));
  if (missing.length === 0) return;
  const text = missing.map((name) => `+${name}`).join(' ');
  system.write(join(directory, 'cgroup.subtree_control'), text);
}

/** Shares (2 to 262,144) as a weight (1 to 10,000): the kernel documentation's two ranges laid over each other. */
export function weightOf(cpuShares: number): number {
  const shares = Math.min(Math.max(cpuShares, 2), 262_144);
  return Math.floor(1 + ((shares - 2) * 9999) / 262_142);
}

function settingsOf(limits: CgroupLimits): [string, string][] {
  const period = limits.cpuPeriodUs ?? DEFAULT_PERIOD_US;
  const settings: [string, string][] = [
    ['cpu.max', `${limits.cpuQuotaUs ?? 'max'} ${period}`],
    ['memory.max', limits.memoryLimitBytes?.toString() ?? 'max'],
    ['pids.max', limits.pidsLimit?.toString() ?? 'max'],
  ];
  if (limits.memoryLimitBytes !== undefined) settings.push(['memory.swap.max', '0']);
  if (limits.cpuShares !== undefined)
    settings.push(['cpu.weight', `${weightOf(limits.cpuShares)}`]);
  return settings;
}

const NS_PER_US = 1000n;

function usageOf(
  read: (name: string) => string | undefined,
  before: CgroupUsage | undefined,
): CgroupUsage | undefined {
  const cpu = read('cpu.stat');
  if (cpu === undefined) return undefined;
  const cpuUsageNs = BigInt(keyedValue(cpu, 'usage_usec') ?? 0) * NS_PER_US;
  if (before?.cpuUsageNs === cpuUsageNs) return before;
  const memory = read('memory.current');
  if (memory === undefined) return undefined;
  const usage = Number(memory);
  const inactive = keyedValue(read('memory.stat'), 'inactive_file') ?? 0;
  return {
    cpuUsageNs,
    memoryUsageBytes: usage,
    memoryWorkingSetBytes: Math.max(0, usage - inactive),
    pids: Number(read('pids.current') ?? 0),
  };
}

function detailsOf(read: (name: string) => string | undefined): CgroupDetails | undefined {
  const memory = read('memory.stat');
  if (memory === undefined) return undefined;
  const stat = (key: string) => keyedValue(memory, key) ?? 0;
  const cpu = read('cpu.stat');
  const ns = (key: string) => {
    const value = keyedValue(cpu, key);
    return value === undefined ? undefined : BigInt(value) * NS_PER_US;
  };
  return {
    cpuUserNs: ns('user_usec'),
    cpuSystemNs: ns('system_usec'),
    cpuPeriods: keyedValue(cpu, 'nr_periods'),
    cpuThrottledPeriods: keyedValue(cpu, 'nr_throttled'),
    cpuThrottledNs: ns('throttled_usec'),
    memoryRssBytes: stat('anon'),
    memoryCacheBytes: stat('file'),
    memoryMappedBytes: stat('file_mapped'),
    memorySwapBytes: Number(read('memory.swap.current') ?? 0),
    pageFaults: stat('pgfault'),
    majorPageFaults: stat('pgmajfault'),
  };
}
