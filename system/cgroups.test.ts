// Cgroups against fake trees: v1 hierarchies wherever they are mounted, and v2, which no host here can run with limits.
import { describe, expect, it } from 'vitest';
import { createCgroups } from './cgroups.ts';
import { weightOf } from './cgroups-v2.ts';
import { createRecordingSystem } from './recording.ts';

function aV2Host(files: Record<string, string> = {}) {
  const system = createRecordingSystem({
    '/sys/fs/cgroup/cgroup.procs': '',
    '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory pids',
    '/sys/fs/cgroup/cgroup.subtree_control': 'memory pids',
    ...files,
  });
  const mount = { root: '/', source: 'cgroup2', options: 'rw' };
  system.mountTable.push({ mountPoint: '/sys/fs/cgroup', type: 'cgroup2', ...mount });
  return system;
}

function aV1Host(files: Record<string, string> = {}) {
  const system = createRecordingSystem(files);
  const mount = { root: '/', source: 'cgroup', type: 'cgroup' };
  system.mountTable.push(
    { mountPoint: '/cg/cpu,cpuacct', options: 'rw,relatime,rw,cpu,cpuacct', ...mount },
    { mountPoint: '/cg/memory', options: 'rw,memory', ...mount },
    { mountPoint: '/cg/pids', options: 'rw,pids', ...mount },
    { mountPoint: '/cg/systemd', options: 'rw,name=systemd', ...mount },
  );
  return system;
}

describe('v2', () => {
  it('hands down the missing controllers from the root', () => {
    const system = aV2Host();
    createCgroups(system).make('/pinnace-a/pod1');
    expect(system.read('/sys/fs/cgroup/cgroup.subtree_control')).toBe('+cpu +cpuset');
    expect(system.directories).toContain('/sys/fs/cgroup/pinnace-a/pod1');
  });

  it('writes limits in the unified names and closes swap', () => {
    const at = '/sys/fs/cgroup/p';
    const names = ['cpu.max', 'cpu.weight', 'memory.max', 'memory.swap.max', 'pids.max'];
    const system = aV2Host(Object.fromEntries(names.map((name) => [`${at}/${name}`, ''])));
    createCgroups(system).setLimits('/p', {
      cpuShares: 1024,
      cpuQuotaUs: 50_000,
      memoryLimitBytes: 1 << 20,
    });
    expect(names.map((name) => system.read(`${at}/${name}`))).toEqual([
      '50000 100000',
      '39',
      '1048576',
      '0',
      'max',
    ]);
  });

  it('reads use, with inactive file cache left out of the working set', () => {
    const system = aV2Host({
      '/sys/fs/cgroup/p/cpu.stat': 'usage_usec 1500\nuser_usec 1000\n',
      '/sys/fs/cgroup/p/memory.current': '1000\n',
      '/sys/fs/cgroup/p/memory.stat': 'anon 1\ninactive_file 300\n',
      '/sys/fs/cgroup/p/pids.current': '3\n',
      '/sys/fs/cgroup/p/memory.events': 'low 0\noom_kill 2\n',
    });
    const cgroups = createCgroups(system);
    expect(cgroups.usage('/p')).toEqual({
      cpuUsageNs: 1_500_000n,
      memoryUsageBytes: 1000,
      memoryWorkingSetBytes: 700,
      pids: 3,
    });
    expect(cgroups.oomKills('/p')).toBe(2);
    expect(cgroups.usage('/gone')).toBeUndefined();
  });

  it('kills all at once where the kernel can, one by one elsewhere', () => {
    const modern = aV2Host({ '/sys/fs/cgroup/p/cgroup.kill': '' });
    createCgroups(modern).killAll('/p');
    expect(modern.read('/sys/fs/cgroup/p/cgroup.kill')).toBe('1');
    const old = aV2Host({
      '/sys/fs/cgroup/p/cgroup.procs': '10\n',
      '/sys/fs/cgroup/p/below/cgroup.procs': '11\n',
    });
    createCgroups(old).killAll('/p');
    expect(old.signals.map(({ pid }) => pid)).toEqual([10, 11]);
  });

  it('lays the range of shares over the range of weights', () => {
    expect([2, 1024, 262_144].map(weightOf)).toEqual([1, 39, 10_000]);
  });
});

describe('v1', () => {
  it('is taken when the memory controller is mounted on its own', () => {
    const system = aV1Host();
    const mount = { root: '/', source: 'cgroup2', options: 'rw' };
    system.mountTable.push({ mountPoint: '/cg/unified', type: 'cgroup2', ...mount });
    expect(createCgroups(system).version).toBe(1);
  });

  it('follows the mount table, co-mounted controllers included', () => {
    const system = aV1Host();
    const cgroups = createCgroups(system);
    cgroups.make('/p');
    cgroups.setLimits('/p', { cpuShares: 512, cpuQuotaUs: 20_000, cpuPeriodUs: 100_000 });
    expect(system.read('/cg/cpu,cpuacct/p/cpu.shares')).toBe('512');
    expect(system.read('/cg/cpu,cpuacct/p/cpu.cfs_quota_us')).toBe('20000');
    expect(system.read('/cg/memory/p/memory.limit_in_bytes')).toBe('-1');
  });

  it('removes a tree in every hierarchy, deepest group first', () => {
    const groups = ['/cg/memory/p', '/cg/memory/p/c', '/cg/systemd/p'];
    const system = aV1Host(Object.fromEntries(groups.map((path) => [`${path}/cgroup.procs`, ''])));
    groups.forEach((path) => system.directories.add(path));
    createCgroups(system).remove('/p');
    expect([...system.directories]).toEqual([]);
  });
});

describe('details', () => {
  it('of v1 come from wherever each hierarchy is', () => {
    const system = aV1Host({
      '/cg/cpu,cpuacct/p/cpu.stat': 'nr_periods 20\nnr_throttled 3\nthrottled_time 4000\n',
      '/cg/cpu,cpuacct/p/cpuacct.stat': 'user 7\nsystem 2\n',
      '/cg/memory/p/memory.stat':
        'rss 1\ncache 1\ntotal_rss 100\ntotal_cache 50\ntotal_mapped_file 5\ntotal_pgfault 9\ntotal_pgmajfault 2\n',
    });
    expect(createCgroups(system).details('/p')).toEqual({
      cpuUserNs: 70_000_000n,
      cpuSystemNs: 20_000_000n,
      cpuPeriods: 20,
      cpuThrottledPeriods: 3,
      cpuThrottledNs: 4000n,
      memoryRssBytes: 100,
      memoryCacheBytes: 50,
      memoryMappedBytes: 5,
      memorySwapBytes: 0,
      pageFaults: 9,
      majorPageFaults: 2,
    });
    expect(createCgroups(system).details('/gone')).toBeUndefined();
  });

  it('of v2 come from one place', () => {
    const system = aV2Host({
      '/sys/fs/cgroup/p/cpu.stat': 'user_usec 7\nsystem_usec 2\nthrottled_usec 4\n',
      '/sys/fs/cgroup/p/memory.stat': 'anon 100\nfile 50\nfile_mapped 5\npgfault 9\n',
      '/sys/fs/cgroup/p/memory.swap.current': '8\n',
    });
    expect(createCgroups(system).details('/p')).toMatchObject({
      cpuUserNs: 7000n,
      cpuPeriods: undefined,
      cpuThrottledNs: 4000n,
      memoryRssBytes: 100,
      memoryCacheBytes: 50,
      memorySwapBytes: 8,
      majorPageFaults: 0,
    });
  });
});
