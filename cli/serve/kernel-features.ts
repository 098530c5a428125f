// What the host must have to run pods. Each missing thing is one line that says what to do.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { System } from '../../system/system.ts';

/** Programs of the node agent, with the Debian package that brings each. */
const PROGRAMS: Readonly<Record<string, string>> = { nft: 'nftables', ip: 'iproute2' };
/** Those by which it runs containers itself. */
const OWN_RUNTIME: Readonly<Record<string, string>> = { runc: 'runc', conmon: 'conmon' };

/** The first reason why this host cannot run pods, or undefined. `endpoint` is that of another runtime. */
export function missingFeature(
  system: System,
  environment: NodeJS.ProcessEnv,
  endpoint?: string,
): string | undefined {
  if (process.platform !== 'linux')
    return 'pods need Linux; start with --no-node for an API server only';
  if (process.getuid?.() !== 0) return 'pods need root; run with sudo, or with --no-node';
  const folders = [...(environment['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const wanted = endpoint === undefined ? { ...OWN_RUNTIME, ...PROGRAMS } : PROGRAMS;
  const missing = Object.entries(wanted)
    .filter(([program]) => !folders.some((folder) => folder && existsSync(join(folder, program))))
    .map(([, name]) => name);
  if (missing.length > 0)
    return `these Debian packages are missing: ${missing.join(', ')}; type: apt-get install ${missing.join(' ')}`;
  const filesystems = system.read('/proc/filesystems') ?? '';
  if (!/\boverlay\b/.test(filesystems))
    return 'this kernel has no overlayfs; load it with "modprobe overlay", or use a kernel that has it';
  const mounts = system.mounts();
  if (!mounts.some((mount) => mount.type === 'cgroup' || mount.type === 'cgroup2'))
    return 'no cgroup file system is mounted; mount one with "mount -t cgroup2 none /sys/fs/cgroup"';
  return undefined;
}
