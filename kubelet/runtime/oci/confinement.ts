// What of the host a container may touch: device nodes, system calls, and what it sees of /proc and /sys. Pure.
// Invariant: only a privileged container has more than it names.
import type { DeviceNode } from '../../../system/system.ts';
import { MASKED_PATHS, READONLY_PATHS } from '../hidden-paths.ts';
import type { ContainerSecurity } from '../runtime.ts';
import { seccompProfile } from './seccomp-profile.ts';

/** A device of the host, where a container finds it and what it may do with it. */
export interface GivenDevice {
  readonly node: DeviceNode;
  readonly path: string;
  readonly permissions: string;
}

/** `linux.devices` of the specification. */
export function specDevices(devices: readonly GivenDevice[]): readonly object[] {
  return devices.map(({ node, path }) => {
    const { type, major, minor, uid, gid, mode: fileMode } = node;
    return { path, type, major, minor, fileMode, uid, gid };
  });
}

/** `linux.resources.devices`: runc adds those that every container has, such as /dev/null. */
export function deviceRules(privileged: boolean, devices: readonly GivenDevice[]): object[] {
  if (privileged) return [{ allow: true, access: 'rwm' }];
  const rules = devices.map(({ node: { type, major, minor }, permissions }) => {
    return { allow: true, type, major, minor, access: permissions };
  });
  return [{ allow: false, access: 'rwm' }, ...rules];
}

/** Folders of /dev that every container has of its own, and the terminal that is made for it. */
const OWN_DEVICES = /^\/dev\/(pts|shm|mqueue|fd|console|ptmx)(\/|$)/;

/** What a privileged container has: all of the host's. */
export function hostDevices(nodes: readonly DeviceNode[]): readonly GivenDevice[] {
  return nodes
    .filter(({ path }) => !OWN_DEVICES.test(path))
    .map((node) => ({ node, path: node.path, permissions: 'rwm' }));
}

/** `linux.seccomp`, and what is hidden of /proc and /sys. `local` is the profile of the host that it names, as read. */
export function confinementOf(
  security: ContainerSecurity,
  capabilities: readonly string[],
  local: object | undefined,
): object {
  if (security.privileged) return {};
  const seccomp = security.seccomp === 'RuntimeDefault' ? seccompProfile(capabilities) : local;
  const hides = security.procMount !== 'Unmasked';
  return {
    ...(hides && { maskedPaths: MASKED_PATHS, readonlyPaths: READONLY_PATHS }),
    ...(seccomp && { seccomp }),
  };
}
