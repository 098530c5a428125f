// What this runtime cannot do of what a sandbox or a container asks for. Invariant: nothing that is asked for is left out in silence.
import type { System } from '../../../system/system.ts';
import { type ContainerConfig, RuntimeError, type SandboxConfig } from '../runtime.ts';
import { supportsUserNamespaces } from './user-namespace.ts';

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
export function refuseContainer({ security, mounts, devices }: ContainerConfig): void {
  const { seccomp, appArmor } = security;
  const why =
    typeof seccomp === 'object'
      ? 'seccomp profiles of the host are not supported by this runtime yet'
      : appArmor !== undefined && appArmor !== 'Unconfined'
        ? 'AppArmor is not enabled on this host; leave out appArmorProfile or make it Unconfined'
        : mounts.some((mount) => mount.recursiveReadOnly)
          ? 'recursive read-only mounts are not supported by this runtime yet'
          : devices?.length
            ? 'single devices are not supported by this runtime yet'
            : undefined;
  if (why) throw new RuntimeError('CreateContainerError', why);
}
