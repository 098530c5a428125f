// Builds config.json, the OCI runtime specification of one container. Pure.
// Invariants: nothing is asked for that the host cannot give (capabilities, oom score, swap, rlimits), because runc then refuses the whole container.
import type { ImageInfo, LinuxResources, SandboxConfig } from '../runtime.ts';
import { type ContainerConfig, RuntimeError } from '../runtime.ts';
import { containerCapabilities } from './capabilities.ts';
import { confinementOf, deviceRules, type GivenDevice, specDevices } from './confinement.ts';
import type { ProcessUser } from './image-user.ts';
import { specMounts } from './runtime-spec-mounts.ts';
import { idMappings } from './user-namespace.ts';

/** What this host can give. */
export interface HostLimits {
  /** Capabilities that may be handed out (CapBnd). */
  readonly capabilities: ReadonlySet<string>;
  /** Lowest oom score that may be set; undefined when any may (CAP_SYS_RESOURCE). */
  readonly minOomScoreAdj: number | undefined;
  readonly limitsSwap: boolean;
  /** The kernel can end all of a container when it ends one process of it for want of memory (cgroup v2), as upstream has it. */
  readonly killsGroups: boolean;
}

/** Host files behind names in the container. */
export interface SpecPaths {
  readonly rootfs: string;
  readonly cgroup: string;
  readonly hosts: string;
  readonly resolvConf: string;
  readonly hostname: string;
  readonly shm: string;
  /** Undefined: the host's own. */
  readonly ipc: string;
  readonly uts: string | undefined;
  /** Undefined: one of its own. */
  readonly pid: string | undefined;
  /** Undefined: the host's own. */
  readonly user: string | undefined;
  readonly terminationLog: { hostPath: string; containerPath: string } | undefined;
}

/** All that the specification is made from. */
export interface SpecInput {
  readonly config: ContainerConfig;
  readonly sandbox: SandboxConfig;
  readonly image: ImageInfo;
  readonly user: ProcessUser;
  readonly paths: SpecPaths;
  readonly host: HostLimits;
  readonly devices: readonly GivenDevice[];
  /** The seccomp profile of the host that the container names, as read. */
  readonly localSeccomp: object | undefined;
}

/** `process` of the specification, as far as exec changes it. */
export interface SpecProcess {
  readonly terminal: boolean;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly [field: string]: unknown;
}

/** config.json as an object. */
export interface RuntimeSpec {
  readonly ociVersion: string;
  readonly process: SpecProcess;
  readonly [field: string]: unknown;
}

const OCI_VERSION = '1.0.2';
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const DEFAULT_PERIOD_US = 100_000;

/** The specification. Throws RuntimeError when there is no command. */
export function buildSpec(input: SpecInput): RuntimeSpec {
  const { config, sandbox, paths } = input;
  const { security } = config;
  const capabilities = containerCapabilities(
    {
      privileged: security.privileged,
      add: security.addCapabilities,
      drop: security.dropCapabilities,
    },
    input.host.capabilities,
  );
  const bidirectional = config.mounts.some((mount) => mount.propagation === 'Bidirectional');
  return {
    ociVersion: OCI_VERSION,
    process: processOf(input, capabilities),
    root: { path: paths.rootfs, readonly: security.readOnlyRootfs },
    mounts: specMounts(config, paths),
    linux: {
      cgroupsPath: paths.cgroup,
      namespaces: namespacesOf(input),
      resources: {
        devices: deviceRules(security.privileged, input.devices),
        ...cgroupResources(config.resources, input.host),
      },
      ...(sandbox.userNamespace && idMappings(sandbox.userNamespace)),
      sysctl: sysctlsOf(sandbox),
      devices: specDevices(input.devices),
      ...confinementOf(security, capabilities, input.localSeccomp),
      ...(bidirectional && { rootfsPropagation: 'rshared' }),
    },
  };
}

function processOf(input: SpecInput, capabilities: readonly string[]): SpecProcess {
  const { config, image, user } = input;
  return {
    terminal: config.tty,
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: argumentsOf(config, image),
    env: environmentOf(input),
    cwd: config.workingDir || image.workingDir || '/',
    capabilities: {
      bounding: capabilities,
      effective: capabilities,
      permitted: capabilities,
    },
    noNewPrivileges: config.security.noNewPrivileges,
    oomScoreAdj: clampedOomScore(config.resources.oomScoreAdj ?? 0, input.host),
  };
}

/** Command replaces the entrypoint and, unless there are args too, drops the image's own arguments. */
export function argumentsOf(config: ContainerConfig, image: ImageInfo): readonly string[] {
  const imageArgs = config.command.length > 0 ? [] : image.cmd;
  const args = [
    ...(config.command.length > 0 ? config.command : image.entrypoint),
    ...(config.args.length > 0 ? config.args : imageArgs),
  ];
  if (args.length === 0)
    throw new RuntimeError(
      'CreateContainerError',
      'neither the container nor its image names a command',
    );
  return args;
}

/** Later entries win: PATH, host name, image, container. */
function environmentOf(input: SpecInput): readonly string[] {
  const entries = new Map<string, string>([
    ['PATH', DEFAULT_PATH],
    ['HOSTNAME', input.sandbox.hostname],
  ]);
  if (input.config.tty) entries.set('TERM', 'xterm');
  for (const entry of input.image.env) {
    const [name = '', ...value] = entry.split('=');
    entries.set(name, value.join('='));
  }
  for (const { name, value } of input.config.env) entries.set(name, value);
  return [...entries].map(([name, value]) => `${name}=${value}`);
}

function clampedOomScore(wanted: number, host: HostLimits): number {
  return host.minOomScoreAdj === undefined ? wanted : Math.max(wanted, host.minOomScoreAdj);
}

function namespacesOf({ sandbox, paths }: SpecInput): readonly { type: string; path?: string }[] {
  const joined = (type: string, path: string | undefined) =>
    path === undefined ? [] : [{ type, path }];
  return [
    ...joined('user', paths.user),
    ...(sandbox.hostPid ? [] : [{ type: 'pid', ...(paths.pid && { path: paths.pid }) }]),
    { type: 'mount' },
    { type: 'cgroup' },
    ...(sandbox.hostIpc ? [] : joined('ipc', paths.ipc)),
    ...joined('uts', paths.uts),
    ...(sandbox.hostNetwork ? [] : joined('network', sandbox.netnsPath)),
  ];
}

/** Limits in the names of the specification; swap is closed where the host can close it. */
export function cgroupResources(
  resources: LinuxResources,
  host: Pick<HostLimits, 'limitsSwap' | 'killsGroups'>,
): Readonly<Record<string, unknown>> {
  const { cpuShares, cpuQuotaUs, cpusetCpus, cpusetMems, memoryLimitBytes, pidsLimit } = resources;
  const quota = cpuQuotaUs !== undefined && {
    quota: cpuQuotaUs,
    period: resources.cpuPeriodUs ?? DEFAULT_PERIOD_US,
  };
  return {
    cpu: {
      ...(cpuShares !== undefined && { shares: cpuShares }),
      ...(cpusetCpus !== undefined && { cpus: cpusetCpus }),
      ...(cpusetMems !== undefined && { mems: cpusetMems }),
      ...quota,
    },
    ...(memoryLimitBytes !== undefined && {
      memory: { limit: memoryLimitBytes, ...(host.limitsSwap && { swap: memoryLimitBytes }) },
    }),
    ...(pidsLimit !== undefined && { pids: { limit: pidsLimit } }),
    ...(host.killsGroups && { unified: { 'memory.oom.group': '1' } }),
  };
}

type Sysctls = Readonly<Record<string, string>>;

/** Group ids that the kernel takes for pings at most. */
const MAX_GROUP = 2 ** 31 - 1;

/** Every pod's network lets each user open low ports and send pings, as containerd's does, unless its own settings say other. The host's is not a pod's to change. */
function sysctlsOf({ sysctls, netnsPath, userNamespace }: SandboxConfig): Sysctls {
  if (netnsPath === undefined)
    return Object.fromEntries(Object.entries(sysctls).filter(([name]) => !name.startsWith('net.')));
  const lastGroup = userNamespace ? userNamespace.size - 1 : MAX_GROUP;
  return {
    'net.ipv4.ip_unprivileged_port_start': '0',
    'net.ipv4.ping_group_range': `0 ${lastGroup}`,
    ...sysctls,
  };
}
