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
  /** The containers see each other's processes, whose parent is a process of the sandbox that reaps what they leave. */
  readonly shareProcessNamespace?: boolean;
  /** The containers' users 0 to `size` - 1 are the host's from `hostId` on; the host's own unless given. */
  readonly userNamespace?: { readonly hostId: number; readonly size: number };
  /** One of the containers is privileged: some runtimes must know before they make the sandbox. */
  readonly privileged?: boolean;
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
  /** Processors, and nodes of memory, as the kernel lists them (`0-3,8`); all unless given. */
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  /** Microseconds per period; undefined for no limit. */
  readonly cpuQuotaUs?: number;
  readonly cpuPeriodUs?: number;
  readonly memoryLimitBytes?: number;
  readonly pidsLimit?: number;
  readonly oomScoreAdj?: number;
}

/** A file system made visible in a container. */
export interface ContainerMount {
  /** Empty where an image is shown. */
  readonly hostPath: string;
  /** The files of an image, or a part of them, are shown: read-only, and nothing of them can be executed. */
  readonly image?: { readonly id: string; readonly subPath?: string };
  readonly containerPath: string;
  readonly readOnly: boolean;
  /** What is mounted below it is read-only as well; only with readOnly, and refused where the kernel cannot. */
  readonly recursiveReadOnly?: boolean;
  readonly propagation?: 'None' | 'HostToContainer' | 'Bidirectional';
}

/** A device of the host in a container. */
export interface ContainerDevice {
  readonly hostPath: string;
  readonly containerPath: string;
  /** Some of `r`, `w` and `m` (make the node). */
  readonly permissions: string;
}

/** What decides which system calls may be made; a profile on the host is named by its absolute path. */
export type SeccompChoice = 'RuntimeDefault' | 'Unconfined' | { readonly localhostProfile: string };

/** Who the process runs as and what it may do. */
export interface ContainerSecurity {
  readonly privileged: boolean;
  readonly readOnlyRootfs: boolean;
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly supplementalGroups: readonly number[];
  /** Strict: without the groups that the image gives its user. Merge unless given. */
  readonly supplementalGroupsPolicy?: 'Merge' | 'Strict';
  readonly addCapabilities: readonly string[];
  readonly dropCapabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  readonly seccomp: SeccompChoice;
  /** Unmasked: nothing of /proc is hidden or read-only. Default unless given. */
  readonly procMount?: 'Default' | 'Unmasked';
  /** Name of a profile of the host, or that the runtime's own is wanted. */
  readonly appArmor?: 'RuntimeDefault' | 'Unconfined' | { readonly localhostProfile: string };
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
  readonly devices?: readonly ContainerDevice[];
  readonly resources: LinuxResources;
  readonly security: ContainerSecurity;
  /** Id of a running container of the pod whose processes this one sees, rather than only its own. */
  readonly targetId?: string;
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  /** Absolute path of the CRI-format log file. */
  readonly logPath: string;
  /**
   * The log is never larger: what would make it so begins it anew, and what it held is lost. It bounds a log that nobody rotates; no
   * bound unless given.
   */
  readonly logMaxBytes?: number;
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

/** More of a running container than its `stats`; what is not known is left out. */
export interface ContainerDetails {
  readonly cpuUserNs?: bigint | undefined;
  readonly cpuSystemNs?: bigint | undefined;
  /** Of the quota's periods: how many there were, in how many it waited, and for how long. */
  readonly cpuPeriods?: number | undefined;
  readonly cpuThrottledPeriods?: number | undefined;
  readonly cpuThrottledNs?: bigint | undefined;
  readonly memoryRssBytes?: number | undefined;
  readonly memoryCacheBytes?: number | undefined;
  readonly memoryMappedBytes?: number | undefined;
  readonly memorySwapBytes?: number | undefined;
  readonly pageFaults?: number | undefined;
  readonly majorPageFaults?: number | undefined;
  /** How often the kernel killed in it for want of memory. */
  readonly oomKills?: number | undefined;
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

/** What a runtime can do on this host, as Node.status tells it. */
export interface RuntimeFeatures {
  readonly userNamespaces: boolean;
  readonly recursiveReadOnlyMounts: boolean;
  readonly supplementalGroupsPolicy: boolean;
}

/** The reason of a container whose program could not be run, and the exit code that it is given. */
export const START_ERROR = 'StartError';
export const START_ERROR_CODE = 128;

/** What runs containers. */
export interface ContainerRuntime {
  runSandbox(config: SandboxConfig): Promise<string>;
  stopSandbox(id: string): Promise<void>;
  /** What all pods of the node may use together, over what each may. Left out by runtimes that cannot keep them to it. */
  limitPods?(limits: Pick<LinuxResources, 'memoryLimitBytes' | 'pidsLimit'>): Promise<void>;
  /** Changes the limits of the pod as a whole; how many processes it may have stays. */
  updateSandboxResources(id: string, resources: LinuxResources): Promise<void>;
  removeSandbox(id: string): Promise<void>;
  /** All, or those of one pod: what others do costs its worker nothing. */
  listSandboxes(podUid?: string): Promise<readonly SandboxStatus[]>;
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
  /** All, or those of one pod. */
  listContainers(podUid?: string): Promise<readonly ContainerStatus[]>;
  containerStatus(id: string): Promise<ContainerStatus | undefined>;
  execSync(id: string, command: readonly string[], timeoutMs: number): Promise<ExecResult>;
  exec(
    id: string,
    options: { command: readonly string[]; tty: boolean; stdin: boolean },
  ): Promise<ExecSession>;
  attach(id: string, options: { stdin: boolean }): Promise<ExecSession>;
  /** More of all running containers, by id; read only when somebody asks. Left out by runtimes that cannot say. */
  details?(): Promise<ReadonlyMap<string, ContainerDetails>>;
  /** Figures of all running containers, in one pass. */
  stats(): Promise<readonly ContainerStats[]>;
  /**
   * What containers have written into their own file systems, by container id. Takes long, and none of this process's time; what is not
   * known is left out. Left out by runtimes that cannot say.
   */
  writableLayers?(
    ids: readonly string[],
    unit: 'bytes' | 'inodes',
  ): Promise<ReadonlyMap<string, number>>;
  /** Figures of the node as a whole. */
  nodeStats(): { timestampMs: number; cpuUsageNs: bigint; memoryWorkingSetBytes: number };
  reopenLog(id: string): Promise<void>;
  /** Calls back on each event until the signal aborts. */
  subscribe(handler: (event: RuntimeEvent) => void, signal: AbortSignal): void;
  readonly info: { name: string; version: string };
  /** Why it cannot take pods now, in upstream's words for the Node's Ready condition. Left out by runtimes that always can. */
  problem?(): Promise<string | undefined>;
  /** Left out by runtimes that cannot say. */
  features?(): Promise<RuntimeFeatures>;
}

/** An image that is present. */
export interface ImageInfo {
  /** Digest of its configuration, `sha256:…`. */
  readonly id: string;
  /** Names with tags, in their normal form. */
  readonly names: readonly string[];
  /** Names with the digest of the manifest or index under which a registry has it: `docker.io/library/busybox@sha256:…`. */
  readonly repoDigests: readonly string[];
  readonly sizeBytes: number;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly env: readonly string[];
  readonly workingDir: string;
  readonly user: string;
  readonly stopSignal: string | undefined;
  /** The runtime needs it itself: it is never collected. */
  readonly pinned?: boolean;
}

/** How to prove to a registry who asks; the fields of a CRI AuthConfig. An empty one means anonymous. */
export interface RegistryCredential {
  readonly username?: string;
  readonly password?: string;
  /** A refresh token: it gets access tokens from the registry's token server. */
  readonly identityToken?: string;
  /** An access token: it is sent to the registry as it is. */
  readonly registryToken?: string;
}

/** How far a pull is. Bytes are those of the compressed layers; the total is known once the manifest is. */
export interface PullProgress {
  readonly image: string;
  readonly layersDone: number;
  readonly layersTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

/** For whom an image is pulled, and with what. */
export interface PullRequest {
  readonly pod: Pod;
  readonly container: Container;
  /** Tried in this order, before what the node's own settings have for the registry; with neither, nobody says who asks. */
  readonly credentials?: readonly RegistryCredential[];
  /** The registry is asked whether the pod may have it, also where the image is here and its digest is known. */
  readonly verify?: boolean;
  /** Aborted when the pod leaves. */
  readonly signal: AbortSignal;
  /** Called a few times a second at most. */
  readonly onProgress?: (progress: PullProgress) => void;
}

/** Why an image could not be pulled: reasons of a container's waiting state, as upstream's. */
export type PullReason =
  | 'ErrImagePull'
  | 'RegistryUnavailable'
  | 'SignatureValidationFailed'
  | 'InvalidImageName';

/** A pull that failed. The message is one line for the pod's user, and holds no secret. */
export class PullError extends Error {
  override readonly name = 'PullError';
  readonly reason: PullReason;

  constructor(reason: PullReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}

/** The file system that images lie on, and how much of it they take. */
export interface ImageUsage {
  readonly usedBytes: number;
  readonly capacityBytes: number;
  readonly availableBytes: number;
  readonly inodesUsed: number;
  readonly inodes: number;
  readonly inodesFree: number;
}

/** The images on a node. */
export interface ImageStore {
  /** By name (`shop/payment:1`, normalised as docker.io/... is), digest or id; undefined when not present. */
  resolve(image: string): Promise<ImageInfo | undefined>;
  list(): Promise<readonly ImageInfo[]>;
  /**
   * Begins to fetch an image, whether it is present or not; undefined where there is nowhere to fetch it from. Left out by stores
   * that fetch none. What several pulls need at once is fetched once. Rejects with PullError, and with the signal's reason when
   * aborted; nothing of it goes on then.
   */
  pull?(image: string, request: PullRequest): Promise<ImageInfo> | undefined;
  /** Removes an image with all its names, and the layers that nothing else uses; false when it is not there. Left out by stores that keep all. */
  remove?(imageId: string): Promise<boolean>;
  /** What images take and what their file system has left. Cheap: it walks no directories. */
  usage?(): Promise<ImageUsage>;
}
