// The messages of CRI (runtime.v1) that this agent sends and reads: names and numbers of their fields, from the public API.
// Invariant: only what is used stands here; what a runtime says beyond it is passed over.
import {
  binary,
  flag,
  list,
  long,
  message,
  nested,
  text,
  textMap,
  texts,
  type ValueOf,
  whole,
  wholes,
} from './protobuf-codec.ts';

/** A request or answer without content. */
export const Empty = message({});

const Int64Value = message({ value: whole(1) });
const UInt64Value = message({ value: whole(1) });

/** How many members of a pod see one namespace. */
export const NAMESPACE_MODE = { pod: 0, container: 1, node: 2, target: 3 } as const;

const IdMapping = message({ hostId: whole(1), containerId: whole(2), length: whole(3) });
const UserNamespace = message({
  mode: whole(1),
  uids: list(2, IdMapping),
  gids: list(3, IdMapping),
});
const NamespaceOption = message({
  network: whole(1),
  pid: whole(2),
  ipc: whole(3),
  targetId: text(4),
  userns: nested(5, UserNamespace),
});

/** Kinds of profiles for seccomp and AppArmor. */
export const PROFILE = { runtimeDefault: 0, unconfined: 1, localhost: 2 } as const;
const SecurityProfile = message({ type: whole(1), localhostRef: text(2) });

const LinuxSandboxSecurityContext = message({
  namespaces: nested(1, NamespaceOption),
  supplementalGroups: wholes(5),
  privileged: flag(6),
  seccomp: nested(9, SecurityProfile),
});
const LinuxContainerResources = message({
  cpuPeriod: whole(1),
  cpuQuota: whole(2),
  cpuShares: whole(3),
  memoryLimitBytes: whole(4),
  oomScoreAdj: whole(5),
  cpusetCpus: text(6),
  cpusetMems: text(7),
  unified: textMap(9),
  memorySwapLimitBytes: whole(10),
});
const LinuxPodSandboxConfig = message({
  cgroupParent: text(1),
  securityContext: nested(2, LinuxSandboxSecurityContext),
  sysctls: textMap(3),
  resources: nested(5, LinuxContainerResources),
});
const DnsConfig = message({ servers: texts(1), searches: texts(2), options: texts(3) });
const PodSandboxMetadata = message({
  name: text(1),
  uid: text(2),
  namespace: text(3),
  attempt: whole(4),
});
const PodSandboxConfig = message({
  metadata: nested(1, PodSandboxMetadata),
  hostname: text(2),
  logDirectory: text(3),
  dns: nested(4, DnsConfig),
  labels: textMap(6),
  annotations: textMap(7),
  linux: nested(8, LinuxPodSandboxConfig),
});
const PodSandbox = message({
  id: text(1),
  metadata: nested(2, PodSandboxMetadata),
  state: whole(3),
  createdAt: long(4),
  labels: textMap(5),
  annotations: textMap(6),
});

const ImageSpec = message({ image: text(1), annotations: textMap(2), userSpecified: text(18) });
const Mount = message({
  containerPath: text(1),
  hostPath: text(2),
  readonly: flag(3),
  propagation: whole(5),
  uidMappings: list(6, IdMapping),
  gidMappings: list(7, IdMapping),
  recursiveReadOnly: flag(8),
  image: nested(9, ImageSpec),
  imageSubPath: text(10),
});
const Device = message({ containerPath: text(1), hostPath: text(2), permissions: text(3) });
const Capability = message({ add: texts(1), drop: texts(2) });
const LinuxContainerSecurityContext = message({
  capabilities: nested(1, Capability),
  privileged: flag(2),
  namespaces: nested(3, NamespaceOption),
  runAsUser: nested(5, Int64Value),
  runAsUsername: text(6),
  readonlyRootfs: flag(7),
  supplementalGroups: wholes(8),
  noNewPrivs: flag(11),
  runAsGroup: nested(12, Int64Value),
  maskedPaths: texts(13),
  readonlyPaths: texts(14),
  seccomp: nested(15, SecurityProfile),
  appArmor: nested(16, SecurityProfile),
  supplementalGroupsPolicy: whole(17),
});
const LinuxContainerConfig = message({
  resources: nested(1, LinuxContainerResources),
  securityContext: nested(2, LinuxContainerSecurityContext),
});
const KeyValue = message({ key: text(1), value: text(2) });
const ContainerMetadata = message({ name: text(1), attempt: whole(2) });
const ContainerConfig = message({
  metadata: nested(1, ContainerMetadata),
  image: nested(2, ImageSpec),
  command: texts(3),
  args: texts(4),
  workingDir: text(5),
  envs: list(6, KeyValue),
  mounts: list(7, Mount),
  devices: list(8, Device),
  labels: textMap(9),
  annotations: textMap(10),
  logPath: text(11),
  stdin: flag(12),
  stdinOnce: flag(13),
  tty: flag(14),
  linux: nested(15, LinuxContainerConfig),
  stopSignal: whole(18),
});
const Container = message({
  id: text(1),
  sandboxId: text(2),
  metadata: nested(3, ContainerMetadata),
  image: nested(4, ImageSpec),
  imageRef: text(5),
  state: whole(6),
  createdAt: long(7),
  labels: textMap(8),
  annotations: textMap(9),
});
const LinuxContainerUser = message({ uid: whole(1), gid: whole(2), supplementalGroups: wholes(3) });
const ContainerUser = message({ linux: nested(1, LinuxContainerUser) });
const ContainerStatus = message({
  id: text(1),
  metadata: nested(2, ContainerMetadata),
  state: whole(3),
  createdAt: long(4),
  startedAt: long(5),
  finishedAt: long(6),
  exitCode: whole(7),
  image: nested(8, ImageSpec),
  imageRef: text(9),
  reason: text(10),
  message: text(11),
  labels: textMap(12),
  annotations: textMap(13),
  logPath: text(15),
  user: nested(18, ContainerUser),
});

const Image = message({
  id: text(1),
  repoTags: texts(2),
  repoDigests: texts(3),
  size: whole(4),
  uid: nested(5, Int64Value),
  username: text(6),
  pinned: flag(8),
});
const AuthConfig = message({
  username: text(1),
  password: text(2),
  serverAddress: text(4),
  identityToken: text(5),
  registryToken: text(6),
});
const FilesystemUsage = message({
  timestamp: long(1),
  id: nested(2, message({ mountpoint: text(1) })),
  usedBytes: nested(3, UInt64Value),
  inodesUsed: nested(4, UInt64Value),
});

const ContainerStats = message({
  attributes: nested(1, message({ id: text(1) })),
  writableLayer: nested(4, FilesystemUsage),
});

const RuntimeCondition = message({
  type: text(1),
  status: flag(2),
  reason: text(3),
  message: text(4),
});
const RuntimeHandlerFeatures = message({
  recursiveReadOnlyMounts: flag(1),
  userNamespaces: flag(2),
});
const RuntimeHandler = message({ name: text(1), features: nested(2, RuntimeHandlerFeatures) });

const Filter = message({ labels: textMap(3) });
const ContainerFilter = message({ labels: textMap(4) });
const ById = message({ id: text(1) });

/** Requests and answers by verb. Answers without content are Empty. */
export const MESSAGES = {
  ById,
  VersionRequest: message({ version: text(1) }),
  VersionResponse: message({ runtimeName: text(2), runtimeVersion: text(3) }),
  StatusResponse: message({
    status: nested(1, message({ conditions: list(1, RuntimeCondition) })),
    handlers: list(3, RuntimeHandler),
    features: nested(4, message({ supplementalGroupsPolicy: flag(1) })),
  }),
  RuntimeConfigResponse: message({ linux: nested(1, message({ cgroupDriver: whole(1) })) }),
  RunPodSandboxRequest: message({ config: nested(1, PodSandboxConfig) }),
  ListPodSandboxRequest: message({ filter: nested(1, Filter) }),
  ListPodSandboxResponse: message({ items: list(1, PodSandbox) }),
  UpdatePodSandboxResourcesRequest: message({
    id: text(1),
    resources: nested(3, LinuxContainerResources),
  }),
  CreateContainerRequest: message({
    sandboxId: text(1),
    config: nested(2, ContainerConfig),
    sandboxConfig: nested(3, PodSandboxConfig),
  }),
  StopContainerRequest: message({ id: text(1), timeout: whole(2) }),
  ListContainersRequest: message({ filter: nested(1, ContainerFilter) }),
  ListContainersResponse: message({ containers: list(1, Container) }),
  ContainerStatusRequest: message({ id: text(1), verbose: flag(2) }),
  ContainerStatusResponse: message({ status: nested(1, ContainerStatus), info: textMap(2) }),
  ListContainerStatsRequest: message({ filter: nested(1, Filter) }),
  ListContainerStatsResponse: message({ stats: list(1, ContainerStats) }),
  UpdateContainerResourcesRequest: message({
    id: text(1),
    linux: nested(2, LinuxContainerResources),
  }),
  ExecSyncRequest: message({ id: text(1), cmd: texts(2), timeout: whole(3) }),
  ExecSyncResponse: message({ stdout: binary(1), stderr: binary(2), exitCode: whole(3) }),
  ExecRequest: message({
    id: text(1),
    cmd: texts(2),
    tty: flag(3),
    stdin: flag(4),
    stdout: flag(5),
    stderr: flag(6),
  }),
  AttachRequest: message({
    id: text(1),
    stdin: flag(2),
    tty: flag(3),
    stdout: flag(4),
    stderr: flag(5),
  }),
  UrlResponse: message({ url: text(1) }),
  ContainerEvent: message({ containerId: text(1), type: whole(2) }),
  /** Containerd's own events, which it has besides CRI. */
  SubscribeRequest: message({ filters: texts(1) }),
  Envelope: message({
    topic: text(3),
    event: nested(4, message({ typeUrl: text(1), value: binary(2) })),
  }),
  ImageRequest: message({ image: nested(1, ImageSpec) }),
  ImageStatusRequest: message({ image: nested(1, ImageSpec), verbose: flag(2) }),
  ImageStatusResponse: message({ image: nested(1, Image), info: textMap(2) }),
  ListImagesResponse: message({ images: list(1, Image) }),
  PullImageRequest: message({ image: nested(1, ImageSpec), auth: nested(2, AuthConfig) }),
  PullImageResponse: message({ imageRef: text(1) }),
  ImageFsInfoResponse: message({ imageFilesystems: list(1, FilesystemUsage) }),
} as const;

/** What each of containerd's events of tasks begins with, and what that of an end has besides: which of the container's processes. */
export const TASK_EVENTS = {
  any: message({ containerId: text(1) }),
  exit: message({ containerId: text(1), id: text(2) }),
} as const;

/** A sandbox as it is asked for. */
export type PodSandboxConfigMessage = Partial<ValueOf<typeof PodSandboxConfig>>;
/** A sandbox as it is listed. */
export type PodSandboxMessage = Partial<ValueOf<typeof PodSandbox>>;
/** A container as it is asked for. */
export type ContainerConfigMessage = Partial<ValueOf<typeof ContainerConfig>>;
/** A container as it is listed. */
export type ContainerMessage = Partial<ValueOf<typeof Container>>;
/** All that is known of a container. */
export type ContainerStatusMessage = Partial<ValueOf<typeof ContainerStatus>>;
/** Limits. */
export type ResourcesMessage = Partial<ValueOf<typeof LinuxContainerResources>>;
/** An image. */
export type ImageMessage = Partial<ValueOf<typeof Image>>;
/** How a registry is to know who asks. */
export type AuthMessage = Partial<ValueOf<typeof AuthConfig>>;
