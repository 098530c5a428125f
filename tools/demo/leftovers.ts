// What a cluster left on its host: looked for by the cluster's id and data directory, not by what the product remembers.
import { linkNames } from '../../network/links.ts';
import type { System } from '../../system/system.ts';

/** How a cluster's things are recognised. */
export interface ClusterMarks {
  readonly id: string;
  /** Names its processes and its mounts. */
  readonly dataDir: string;
}

/** Names of everything on this host that belongs to the cluster. */
export async function leftovers(system: System, cluster: ClusterMarks): Promise<string[]> {
  const named = (what: string, names: readonly string[]) =>
    names.filter((name) => name.includes(cluster.id)).map((name) => `${what} ${name}`);
  const said = async (what: string, command: readonly [string, ...string[]]) => {
    const [program, ...args] = command;
    const { stdout } = await system.run(program, args);
    return named(what, stdout.split('\n'));
  };
  return [
    ...processes(system, cluster),
    ...mounts(system, cluster),
    ...cgroups(system, cluster),
    ...named('network namespace', system.list('/run/netns')),
    ...named('link', await linkNames(system)),
    ...(await said('nftables', ['nft', 'list', 'tables'])),
    ...(await said('route', ['ip', 'route', 'show', 'table', 'all'])),
  ];
}

function processes(system: System, cluster: ClusterMarks): string[] {
  const own = new Set([process.pid, process.ppid].map(String));
  return system
    .list('/proc')
    .filter((pid) => /^\d+$/.test(pid) && !own.has(pid))
    .filter((pid) => (system.processState(Number(pid)) ?? 'Z') !== 'Z')
    .flatMap((pid) => {
      const command = (system.read(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim();
      const group = system.read(`/proc/${pid}/cgroup`) ?? '';
      const belongs = group.includes(cluster.id) || command.includes(cluster.dataDir);
      return belongs ? [`process ${pid} (${command.slice(0, 80)})`] : [];
    });
}

function mounts(system: System, cluster: ClusterMarks): string[] {
  return system
    .mounts()
    .filter((mount) => mount.mountPoint.startsWith(`${cluster.dataDir}/`))
    .map((mount) => `mount ${mount.mountPoint}`);
}

function cgroups(system: System, cluster: ClusterMarks): string[] {
  return system
    .mounts()
    .filter((mount) => mount.type === 'cgroup' || mount.type === 'cgroup2')
    .flatMap((mount) =>
      system
        .list(mount.mountPoint)
        .filter((name) => name.includes(cluster.id))
        .map((name) => `cgroup ${mount.mountPoint}/${name}`),
    );
}
