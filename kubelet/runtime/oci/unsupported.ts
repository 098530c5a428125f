// What this runtime cannot do of what a sandbox or a container asks for. Invariant: nothing that is asked for is left out in silence.
import { mountOf } from '../../../system/mountinfo.ts';
import type { System } from '../../../system/system.ts';
import { type ContainerConfig, RuntimeError, type SandboxConfig } from '../runtime.ts';

/** Throws RuntimeError `CreatePodSandboxError` naming what cannot be given. */
export function refuseSandbox(system: System, { userNamespace, netnsPath }: SandboxConfig): void {
  if (!userNamespace) return;
  const able = supportsUserNamespaces(system);
  if (able && netnsPath !== undefined) return;
  const why = able
    ? 'hostUsers: false cannot go with hostNetwork: true; leave out one of them'
    : 'this host has no user namespaces with idmapped mounts (Linux 6.3); leave out hostUsers: false';
  throw new RuntimeError('CreatePodSandboxError', why);
}

/** Throws RuntimeError `CreateContainerError` naming what cannot be given. */
export function refuseContainer(system: System, { security, mounts }: ContainerConfig): void {
  const { appArmor } = security;
  const recursive = mounts.find((mount) => mount.recursiveReadOnly);
  const why =
    appArmor !== undefined && appArmor !== 'Unconfined'
      ? 'AppArmor is not enabled on this host; leave out appArmorProfile or make it Unconfined'
      : recursive && !supportsRecursiveReadOnly(system)
        ? `${recursive.containerPath} cannot be read-only with all below it on this kernel (before Linux 5.12); leave out recursiveReadOnly`
        : unshared(system, mounts);
  if (why) throw new RuntimeError('CreateContainerError', why);
}

/** Mounts made in the container would stay in it without a word, in the words of containerd. */
function unshared(system: System, mounts: ContainerConfig['mounts']): string | undefined {
  const shared = mounts.filter(({ propagation }) => propagation === 'Bidirectional');
  if (shared.length === 0) return undefined;
  const all = system.mounts();
  for (const { hostPath } of shared) {
    const on = mountOf(all, hostPath);
    if (!on?.isShared)
      return `path "${hostPath}" is mounted on "${on?.mountPoint ?? '/'}" but it is not a shared mount`;
  }
  return undefined;
}

/** Kernels from which on mounts can be made read-only with all below them (mount_setattr(2)), and shown with other owners on every file system in use. */
const RECURSIVE_READ_ONLY = [5, 12] as const;
const MAPPED_MOUNTS = [6, 3] as const;

function kernelHas(system: System, [major, minor]: readonly [number, number]): boolean {
  const [own = 0, ownMinor = 0] = (system.read('/proc/sys/kernel/osrelease') ?? '')
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  return own > major || (own === major && ownMinor >= minor);
}

/** Can mounts be read-only with all below them on this host? */
export function supportsRecursiveReadOnly(system: System): boolean {
  return kernelHas(system, RECURSIVE_READ_ONLY);
}

/** Can pods have users of their own on this host? */
export function supportsUserNamespaces(system: System): boolean {
  const most = Number(system.read('/proc/sys/user/max_user_namespaces') ?? 0);
  return most > 0 && kernelHas(system, MAPPED_MOUNTS);
}
