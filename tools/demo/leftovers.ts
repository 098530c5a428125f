// What a cluster left on its host: looked for by the cluster's id and data directory, not by what the product remembers.
import { linkNames } from '../../network/links.ts';
import type { System } from '../../system/system.ts';

/** Names of everything on this host that belongs to the cluster. `dataDir` names its processes and mounts. */
export async function leftovers(
  system: System,
  cluster: { id: string; dataDir: string },
): Promise<string[]> {
  const found: string[] = [];
  for (const pid of system.list('/proc').filter((name) => /^\d+$/.test(name))) {
    if (Number(pid) === process.pid || Number(pid) === process.ppid) continue;
    const command = (system.read(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim();
    const inGroup = (system.read(`/proc/${pid}/cgroup`) ?? '').includes(`pinnace-${cluster.id}`);
    const gone = (system.processState(Number(pid)) ?? 'Z') === 'Z';
    if (!gone && (inGroup || command.includes(cluster.dataDir)))
      found.push(`process ${pid} (${command.slice(0, 80)})`);
  }
  for (const mount of system.mounts())
    if (mount.mountPoint.startsWith(`${cluster.dataDir}/`)) found.push(`mount ${mount.mountPoint}`);
  for (const name of system.list('/run/netns'))
    if (name.includes(cluster.id)) found.push(`network namespace ${name}`);
  for (const name of await linkNames(system))
    if (name.includes(cluster.id)) found.push(`link ${name}`);
  const tables = await system.run('nft', ['list', 'tables']);
  if (tables.stdout.includes(cluster.id)) found.push('nftables table');
  const routes = await system.run('ip', ['route', 'show', 'table', 'all']);
  if (routes.stdout.includes(cluster.id)) found.push('route');
  for (const group of cgroupFolders(system))
    for (const name of system.list(group))
      if (name.includes(cluster.id)) found.push(`cgroup ${group}/${name}`);
  return found;
}

function cgroupFolders(system: System): string[] {
  return system
    .mounts()
    .filter((mount) => mount.type === 'cgroup' || mount.type === 'cgroup2')
    .map((mount) => mount.mountPoint);
}
