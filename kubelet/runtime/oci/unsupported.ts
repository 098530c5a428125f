// What this runtime cannot do of what a sandbox or a container asks for. Invariant: nothing that is asked for is left out in silence.
import { type ContainerConfig, RuntimeError, type SandboxConfig } from '../runtime.ts';

/** Throws RuntimeError `CreatePodSandboxError` naming what cannot be given. */
export function refuseSandbox(config: SandboxConfig): void {
  const why = config.userNamespace
    ? 'user namespaces are not supported by this runtime yet; leave out hostUsers: false'
    : config.shareProcessNamespace
      ? 'a process namespace shared by the containers is not supported by this runtime yet; leave out shareProcessNamespace'
      : undefined;
  if (why) throw new RuntimeError('CreatePodSandboxError', why);
}

/** Throws RuntimeError `CreateContainerError` naming what cannot be given. */
export function refuseContainer({ security, mounts, devices }: ContainerConfig): void {
  const { seccomp, appArmor } = security;
  const why =
    typeof seccomp === 'object'
      ? 'seccomp profiles of the host are not supported by this runtime yet'
      : appArmor !== undefined && appArmor !== 'Unconfined'
        ? 'AppArmor is not enabled on this host; leave out appArmorProfile or make it Unconfined'
        : security.procMount === 'Unmasked'
          ? 'an unmasked /proc is not supported by this runtime yet'
          : mounts.some((mount) => mount.recursiveReadOnly)
            ? 'recursive read-only mounts are not supported by this runtime yet'
            : devices?.length
              ? 'single devices are not supported by this runtime yet'
              : undefined;
  if (why) throw new RuntimeError('CreateContainerError', why);
}
