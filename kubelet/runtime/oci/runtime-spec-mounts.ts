// The mounts of a container: the kernel's file systems, the pod's files, then the pod's volumes. Pure.
// Invariant: a volume wins over a mount of ours at the same place, and parents are mounted before their children.
import type { ContainerConfig, ContainerMount } from '../runtime.ts';
import type { SpecPaths } from './runtime-spec.ts';

/** One mount as the OCI runtime specification writes it. */
export interface SpecMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

const SAFE = ['nosuid', 'noexec', 'nodev'];

/** All mounts in the order in which they are made. */
export function specMounts(config: ContainerConfig, paths: SpecPaths): readonly SpecMount[] {
  const access = config.security.privileged ? 'rw' : 'ro';
  const kernel: SpecMount[] = [
    { destination: '/proc', type: 'proc', source: 'proc', options: SAFE },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: SAFE },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...SAFE, access] },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: [...SAFE, 'relatime', access],
    },
  ];
  const files = [
    bind(paths.shm, '/dev/shm', ['rw', 'nosuid', 'nodev', 'noexec']),
    bind(paths.hosts, '/etc/hosts'),
    bind(paths.resolvConf, '/etc/resolv.conf'),
    bind(paths.hostname, '/etc/hostname'),
  ];
  const { terminationLog } = paths;
  if (terminationLog) files.push(bind(terminationLog.hostPath, terminationLog.containerPath));
  const volumes = config.mounts.map(volume);
  const taken = new Set(volumes.map((mount) => mount.destination));
  const ours = [...kernel, ...files].filter((mount) => !taken.has(mount.destination));
  return [...ours, ...volumes].sort((a, b) => depth(a.destination) - depth(b.destination));
}

function bind(source: string, destination: string, options: readonly string[] = ['rw']): SpecMount {
  return { destination, type: 'bind', source, options: ['rbind', 'rprivate', ...options] };
}

const PROPAGATION = {
  None: 'rprivate',
  HostToContainer: 'rslave',
  Bidirectional: 'rshared',
} as const;

function volume(mount: ContainerMount): SpecMount {
  const access = mount.readOnly ? (mount.recursiveReadOnly ? ['ro', 'rro'] : ['ro']) : ['rw'];
  return {
    destination: mount.containerPath.replace(/(?<=.)\/+$/, ''),
    type: 'bind',
    source: mount.hostPath,
    options: [
      'rbind',
      PROPAGATION[mount.propagation ?? 'None'],
      ...access,
      ...(mount.image ? ['noexec'] : []),
    ],
  };
}

function depth(path: string): number {
  return path.split('/').filter((part) => part !== '').length;
}
