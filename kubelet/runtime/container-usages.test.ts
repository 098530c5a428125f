// Figures of containers over fake trees of both versions: what a sleeping container costs, and how old its figures become.
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { createCgroups } from '../../system/cgroups.ts';
import { createRecordingSystem } from '../../system/recording.ts';
import { ContainerUsages } from './container-usages.ts';

const GROUP = { containerId: 'c', podUid: 'p', name: 'app', path: '/x/p/c' };

/** A host with one group, which has used 1.5 ms, and the reads of its files. */
const HOSTS = {
  v1: {
    mounts: ['cpuacct', 'memory', 'pids'].map((name) => ({
      mountPoint: `/cg/${name}`,
      options: `rw,${name}`,
      type: 'cgroup',
    })),
    cpu: '/cg/cpuacct/x/p/c/cpuacct.usage',
    cpuOf: (us: number) => `${us * 1000}\n`,
    memory: '/cg/memory/x/p/c/memory.usage_in_bytes',
    files: {
      '/cg/memory/x/p/c/memory.stat': 'cache 1\ninactive_file 1\ntotal_inactive_file 300\n',
      '/cg/pids/x/p/c/pids.current': '3\n',
    },
  },
  v2: {
    mounts: [{ mountPoint: '/cg', options: 'rw', type: 'cgroup2' }],
    cpu: '/cg/x/p/c/cpu.stat',
    cpuOf: (us: number) => `usage_usec ${us}\nuser_usec 1\n`,
    memory: '/cg/x/p/c/memory.current',
    files: {
      '/cg/x/p/c/memory.stat': 'anon 1\ninactive_file 300',
      '/cg/x/p/c/pids.current': '3\n',
    },
  },
} as const;

describe.each(['v1', 'v2'] as const)('figures of a container in groups of %s', (version) => {
  const { mounts, cpu, cpuOf, memory, files } = HOSTS[version];

  function aHost() {
    const system = createRecordingSystem({ ...files, [cpu]: cpuOf(1500), [memory]: '1000\n' });
    for (const mount of mounts) system.mountTable.push({ root: '/', source: 'c', ...mount });
    const reads: string[] = [];
    const counted = {
      ...system,
      read: (path: string) => {
        reads.push(path);
        return system.read(path);
      },
    };
    const clock = new VirtualClock();
    const usages = new ContainerUsages(createCgroups(counted), clock);
    const look = () => {
      reads.length = 0;
      const [stats] = usages.stats([GROUP]);
      return { stats, reads: [...reads] };
    };
    return { system, clock, usages, look };
  }

  it('are whole at the first look', () => {
    const { look, clock } = aHost();
    const { path: _path, ...named } = GROUP;
    expect(look().stats).toEqual({
      ...named,
      timestampMs: clock.now(),
      cpuUsageNs: 1_500_000n,
      memoryUsageBytes: 1000,
      memoryWorkingSetBytes: 700,
      pids: 3,
    });
  });

  it('cost one file while it sleeps, and carry the time of the look', async () => {
    const { look, clock } = aHost();
    const first = look();
    await clock.advance(1000);
    const second = look();
    expect(second.reads).toEqual([cpu]);
    expect(second.stats).toEqual({ ...first.stats, timestampMs: clock.now() });
  });

  it('are read anew once it has run', async () => {
    const { look, clock, system } = aHost();
    look();
    await clock.advance(1000);
    system.write(cpu, cpuOf(1600));
    system.write(memory, '5000\n');
    expect(look().stats).toMatchObject({ cpuUsageNs: 1_600_000n, memoryUsageBytes: 5000 });
  });

  it('are never older than ten seconds', async () => {
    const { look, clock, system } = aHost();
    look();
    system.write(memory, '500\n');
    await clock.advance(9_000);
    expect(look().stats?.memoryUsageBytes).toBe(1000);
    await clock.advance(1_000);
    expect(look().stats?.memoryUsageBytes).toBe(500);
  });

  it('are left out once its group is gone', () => {
    const { usages } = aHost();
    expect(usages.stats([{ ...GROUP, path: '/x/p/other' }])).toEqual([]);
  });
});
