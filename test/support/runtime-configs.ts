// Sandboxes and containers as an agent asks for them, for tests to say only what matters to them.
// Invariant: what is left out asks for nothing special of the host.
import type { ContainerConfig, SandboxConfig } from '../../kubelet/runtime/runtime.ts';

/** A sandbox as the agent asks for it. */
export function aSandbox(podUid: string, parts: Partial<SandboxConfig> = {}): SandboxConfig {
  return {
    podUid,
    namespace: 'default',
    name: `pod-${podUid}`,
    hostname: `host-${podUid}`,
    attempt: 0,
    labels: {},
    hostNetwork: parts.netnsPath === undefined,
    netnsPath: undefined,
    resolvConf: 'nameserver 169.254.1.1\n',
    hosts: '127.0.0.1 localhost\n',
    sysctls: {},
    resources: { cpuShares: 128 },
    ...parts,
  };
}

/** A container as the agent asks for it. */
export function aContainer(
  parts: Pick<ContainerConfig, 'name' | 'imageId' | 'command' | 'logPath'> &
    Partial<ContainerConfig>,
): ContainerConfig {
  return {
    attempt: 0,
    args: [],
    workingDir: '',
    env: [],
    mounts: [],
    resources: { cpuShares: 64, memoryLimitBytes: 64 * 1024 * 1024 },
    security: {
      privileged: false,
      readOnlyRootfs: false,
      supplementalGroups: [],
      addCapabilities: [],
      dropCapabilities: [],
      noNewPrivileges: false,
      seccomp: 'RuntimeDefault',
    },
    tty: false,
    stdin: false,
    stdinOnce: false,
    annotations: {},
    ...parts,
  };
}
