// ContainerRuntime: what runs pods, shaped after CRI v1's verbs. oci/ (runc + conmon), cri/ and fake/ implement it;
// test/contracts/runtime.ts is their suite. Invariant: every verb may be repeated after a crash and comes to the same end.
import type { Readable, Writable } from 'node:stream';
import type { Container, Pod } from '../../api/generated/types.ts';

/** What of a pod its sandbox needs. */
export interface SandboxConfig {
  readonly podUid: string;
  readonly namespace: string;
  readonly name: string;
  readonly hostname: string;
  readonly attempt: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly hostNetwork: boolean;
  /** Containers see the host's processes, and its System V and POSIX message queues, semaphores and shared memory. */
  readonly hostPid?: boolean;
  readonly hostIpc?: boolean;
  /** Path of the network namespace file, made by PodNetwork; undefined with hostNetwork. */
  readonly netnsPath: string | undefined;
  /** Contents of /etc/resolv.conf and /etc/hosts in each container. */
  readonly resolvConf: string;
  readonly hosts: string;
  readonly sysctls: Readonly<Record<string, string>>;
  /** Limits of the pod as a whole (sum of its containers'), for its parent cgroup. */
  readonly resources: LinuxResources;
}

/** Limits as cgroups take them. */
export interface LinuxResources {
  /** cpu.shares; 2 when nothing is requested. */
  readonly cpuShares?: number;
  /** Microseconds per period; undefined for no limit. */
  readonly cpuQuotaUs?: number;
  readonly cpuPeriodUs?: number;
  readonly memoryLimitBytes?: number;
  readonly pidsLimit?: number;
  readonly oomScoreAdj?: number;
}

/** A file system made visible in a container. */
export interface ContainerMount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly readOnly: boolean;
  readonly propagation?: 'None' | 'HostToContainer' | 'Bidirectional';
}

/** Who the process runs as and what it may do. */
export interface ContainerSecurity {
  readonly privileged: boolean;
  readonly readOnlyRootfs: boolean;
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly supplementalGroups: readonly number[];
  readonly addCapabilities: readonly string[];
  readonly dropCapabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  readonly seccomp: 'RuntimeDefault' | 'Unconfined';
}

/** What of a container the runtime needs. */
export interface ContainerConfig {
  readonly name: string;
  readonly attempt: number;
  /** Id that ImageStore.resolve answered. */
  readonly imageId: string;
  /** Entrypoint and arguments; empty means the image's. */
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir: string;
  readonly env: readonly { name: string; value: string }[];
  readonly mounts: readonly ContainerMount[];
  readonly resources: LinuxResources;
  readonly security: ContainerSecurity;
  /** Id of a running container of the pod whose processes this one sees, rather than only its own. */
  readonly targetId?: string;
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  /** Absolute path of the CRI-format log file. */
  readonly logPath: string;
  readonly stopSignal?: string;
  /** Stored with the container and given back by list: the agent's own notes (spec hash, restart count, …). */
  readonly annotations: Readonly<Record<string, string>>;
}

/** A sandbox as the runtime knows it. */
export interface SandboxStatus {
  readonly id: string;
  readonly podUid: string;
  readonly namespace: string;
  readonly name: string;
  readonly attempt: number;
  readonly state: 'ready' | 'notready';
  readonly netnsPath: string | undefined;
  readonly createdAtMs: number;
}

/** A container as the runtime knows it. Times are wall milliseconds. */
export interface ContainerStatus {
  readonly id: string;
  readonly sandboxId: string;
  readonly podUid: string;
  readonly name: string;
  readonly attempt: number;
  readonly imageId: string;
  readonly state: 'created' | 'running' | 'exited' | 'unknown';
  readonly pid: number | undefined;
  readonly createdAtMs: number;
  readonly startedAtMs: number | undefined;
  readonly finishedAtMs: number | undefined;
  readonly exitCode: number | undefined;
  /** 'Completed', 'Error', 'OOMKilled', 'ContainerStatusUnknown', … once exited. */
  readonly reason: string | undefined;
  readonly message: string | undefined;
  /** It ended while no agent was there: on its own account, or because everything on the host did. */
  readonly endUnseen?: boolean;
  readonly logPath: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Who its first process began as; not told of one that was never made ready. */
  readonly user?: LinuxUser;
}

/** Numeric identity of a process; its group is the first of its groups. */
export interface LinuxUser {
  readonly uid: number;
  readonly gid: number;
  readonly supplementalGroups: readonly number[];
}

/** Use of resources, since start; the agent makes rates of two of them. */
export interface ContainerStats {
  readonly containerId: string;
  readonly podUid: string;
  readonly name: string;
  readonly timestampMs: number;
  readonly cpuUsageNs: bigint;
  readonly memoryWorkingSetBytes: number;
  readonly memoryUsageBytes: number;
  readonly pids: number;
}

/** Something happened to a container without being asked for. */
export interface RuntimeEvent {
  readonly kind: 'started' | 'exited' | 'oom';
  readonly containerId: string;
  readonly podUid: string;
}

/** What came of a command run to its end in a container. Output is cut at the given limit. */
export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

/** A command in a container with live streams. */
export interface ExecSession {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  /** Undefined with a tty (both come on stdout). */
  readonly stderr: Readable | undefined;
  resize(size: { columns: number; rows: number }): void;
  /** Resolves with the exit code. */
  readonly exit: Promise<number>;
  kill(): void;
}

/** A failure of the runtime with the reason shown in a container's waiting state (`CreateContainerError`, `RunContainerError`, …). */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  readonly reason: string;

  constructor(reason: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}

/** The reason of a container whose program could not be run, and the exit code that it is given. */
export const START_ERROR = 'StartError';
export const START_ERROR_CODE = 128;

/** What runs containers. */
export interface ContainerRuntime {
  runSandbox(config: SandboxConfig): Promise<string>;
  stopSandbox(id: string): Promise<void>;
  /** Changes the limits of the pod as a whole. */
  updateSandboxResources(id: string, resources: LinuxResources): Promise<void>;
  removeSandbox(id: string): Promise<void>;
  listSandboxes(): Promise<readonly SandboxStatus[]>;
  createContainer(
    sandboxId: string,
    sandbox: SandboxConfig,
    config: ContainerConfig,
  ): Promise<string>;
  /**
   * Throws RuntimeError `StartError` where its program cannot be run; the container has ended then, with that reason and exit
   * code 128, as upstream's runtimes tell it.
   */
  startContainer(id: string): Promise<void>;
  /** Sends the stop signal, waits up to `graceMs` for the end, then SIGKILL. Returns when it has ended. */
  stopContainer(id: string, graceMs: number): Promise<void>;
  /** Changes the limits of a running container. What is left out has none any more; the oom score stays. */
  updateContainerResources(id: string, resources: LinuxResources): Promise<void>;
  removeContainer(id: string): Promise<void>;
  listContainers(): Promise<readonly ContainerStatus[]>;
  containerStatus(id: string): Promise<ContainerStatus | undefined>;
  execSync(id: string, command: readonly string[], timeoutMs: number): Promise<ExecResult>;
  exec(
    id: string,
    options: { command: readonly string[]; tty: boolean; stdin: boolean },
  ): Promise<ExecSession>;
  attach(id: string, options: { stdin: boolean }): Promise<ExecSession>;
  /** Figures of all running containers, in one pass. */
  stats(): Promise<readonly ContainerStats[]>;
  /** Figures of the node as a whole. */
  nodeStats(): { timestampMs: number; cpuUsageNs: bigint; memoryWorkingSetBytes: number };
  reopenLog(id: string): Promise<void>;
  /** Calls back on each event until the signal aborts. */
  subscribe(handler: (event: RuntimeEvent) => void, signal: AbortSignal): void;
  readonly info: { name: string; version: string };
}

/** An image that is present. */
export interface ImageInfo {
  readonly id: string;
  readonly names: readonly string[];
  readonly sizeBytes: number;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly env: readonly string[];
  readonly workingDir: string;
  readonly user: string;
  readonly stopSignal: string | undefined;
}

/** For whom an image is pulled: its pod may bring credentials, and say how long it is wanted. */
export interface PullRequest {
  readonly pod: Pod;
  readonly container: Container;
  /** Aborted when the pod leaves. */
  readonly signal: AbortSignal;
}

/** The images on a node. */
export interface ImageStore {
  /** By name (`shop/payment:1`, normalised as docker.io/... is), digest or id; undefined when not present. */
  resolve(image: string): Promise<ImageInfo | undefined>;
  list(): Promise<readonly ImageInfo[]>;
  /**
   * Begins to fetch an image that is not present; undefined where there is nowhere to fetch it from. Left out by stores that
   * fetch none. Rejects with what people need to know, and with the signal's reason when aborted.
   */
  pull?(image: string, request: PullRequest): Promise<ImageInfo> | undefined;
}
