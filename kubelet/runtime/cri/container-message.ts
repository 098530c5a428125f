// From a container of the agent to what CRI is told. Pure.
// Invariant: as upstream's agent does: files of the pod are mounts that the agent made, and who may do what stands in the security context.
import type {
  ContainerConfig,
  ContainerMount,
  ContainerSecurity,
  SandboxConfig,
} from '../runtime.ts';
import { MASKED_PATHS, READONLY_PATHS } from '../hidden-paths.ts';
import { type ContainerConfigMessage, PROFILE } from './messages.ts';
import {
  namespacesOf,
  OWNER_LABEL,
  POD_LABELS,
  podLabels,
  resourcesMessage,
} from './sandbox-message.ts';
import { signalNumber } from './signals.ts';

/** What the agent notes with a container for itself: its terminal, the image it was made of, the signal that it wants to be stopped by. */
const TTY_NOTE = 'pinnace.io/tty';
const IMAGE_NOTE = 'pinnace.io/image-id';
const SIGNAL_NOTE = 'pinnace.io/stop-signal';
/** Container paths that are the agent's own files, unless a volume lies there. */
const HOSTS_PATH = '/etc/hosts';
const TERMINATION_LOG = '/dev/termination-log';
const PROPAGATION = { None: 0, HostToContainer: 1, Bidirectional: 2 } as const;

/** Files that the agent made for a container. */
export interface ContainerFiles {
  readonly hosts: string;
  readonly terminationLog: string;
}

/** Who the image says its program runs as. */
export interface ImageUser {
  readonly uid: number | undefined;
  readonly username: string;
}

/** What a container is made from besides its configuration. */
export interface ContainerPlace {
  readonly owner: string;
  readonly sandbox: SandboxConfig;
  readonly files: ContainerFiles;
  readonly imageUser: ImageUser;
}

/** The container as CRI is told. */
export function containerMessage(
  config: ContainerConfig,
  place: ContainerPlace,
): ContainerConfigMessage {
  const { name, attempt, tty, stdin, stdinOnce } = config;
  return {
    metadata: { name, attempt },
    image: { image: config.imageId },
    command: config.command,
    args: config.args,
    workingDir: config.workingDir,
    envs: config.env.map(({ name: key, value }) => ({ key, value })),
    mounts: mountsOf(config, place),
    devices: config.devices ?? [],
    labels: {
      ...podLabels(place.sandbox),
      [POD_LABELS.container]: name,
      [OWNER_LABEL]: place.owner,
    },
    annotations: {
      ...config.annotations,
      [IMAGE_NOTE]: config.imageId,
      ...(tty && { [TTY_NOTE]: 'true' }),
      ...(config.stopSignal !== undefined && { [SIGNAL_NOTE]: config.stopSignal }),
    },
    logPath: config.logPath.replace(/^\//, ''),
    stdin,
    stdinOnce,
    tty,
    stopSignal: signalNumber(config.stopSignal),
    linux: {
      resources: resourcesMessage(config.resources),
      securityContext: securityOf(config, place),
    },
  };
}

/** What the agent gave and noted with a container. */
export interface ContainerNotes {
  readonly annotations: Readonly<Record<string, string>>;
  readonly tty: boolean;
  readonly imageId: string | undefined;
  readonly stopSignal: string | undefined;
}

/** The annotations that the agent gave, and what it noted beside them. */
export function notesOf(annotations: Readonly<Record<string, string>>): ContainerNotes {
  const { [TTY_NOTE]: tty, [IMAGE_NOTE]: imageId, [SIGNAL_NOTE]: stopSignal, ...own } = annotations;
  return { annotations: own, tty: tty === 'true', imageId, stopSignal };
}

function mountsOf(
  config: ContainerConfig,
  { files }: ContainerPlace,
): NonNullable<ContainerConfigMessage['mounts']> {
  const { terminationMessagePath = TERMINATION_LOG } = config.annotations;
  const own: ContainerMount[] = [
    { hostPath: files.hosts, containerPath: HOSTS_PATH, readOnly: config.security.readOnlyRootfs },
    { hostPath: files.terminationLog, containerPath: terminationMessagePath, readOnly: false },
  ];
  const taken = new Set(config.mounts.map(({ containerPath }) => containerPath));
  return [...own.filter(({ containerPath }) => !taken.has(containerPath)), ...config.mounts].map(
    (mount) => ({
      hostPath: mount.hostPath,
      containerPath: mount.containerPath,
      readonly: mount.readOnly,
      propagation: PROPAGATION[mount.propagation ?? 'None'],
      recursiveReadOnly: mount.recursiveReadOnly ?? false,
      ...(mount.image && {
        image: { image: mount.image.id },
        imageSubPath: mount.image.subPath ?? '',
      }),
    }),
  );
}

type SecurityMessage = NonNullable<NonNullable<ContainerConfigMessage['linux']>['securityContext']>;

function securityOf(config: ContainerConfig, place: ContainerPlace): SecurityMessage {
  const { security } = config;
  const hidden = !security.privileged && security.procMount !== 'Unmasked';
  return {
    capabilities: { add: security.addCapabilities, drop: security.dropCapabilities },
    privileged: security.privileged,
    namespaces: namespacesOf(place.sandbox, config.targetId),
    ...userOf(security, place.imageUser),
    readonlyRootfs: security.readOnlyRootfs,
    supplementalGroups: security.supplementalGroups,
    supplementalGroupsPolicy: security.supplementalGroupsPolicy === 'Strict' ? 1 : 0,
    noNewPrivs: security.noNewPrivileges,
    ...(hidden && { maskedPaths: MASKED_PATHS, readonlyPaths: READONLY_PATHS }),
    seccomp: profileOf(security.privileged ? 'Unconfined' : security.seccomp),
    ...(security.appArmor !== undefined && { appArmor: profileOf(security.appArmor) }),
  };
}

/** A group can only be given together with a user: the image's where the pod names none. */
function userOf(security: ContainerSecurity, image: ImageUser): SecurityMessage {
  const uid = security.runAsUser ?? image.uid;
  const group = security.runAsGroup;
  return {
    ...(uid !== undefined && { runAsUser: { value: uid } }),
    ...(uid === undefined && image.username !== '' && { runAsUsername: image.username }),
    ...(uid === undefined &&
      image.username === '' &&
      group !== undefined && { runAsUser: { value: 0 } }),
    ...(group !== undefined && { runAsGroup: { value: group } }),
  };
}

type Profile = 'RuntimeDefault' | 'Unconfined' | { readonly localhostProfile: string };

function profileOf(profile: Profile): NonNullable<SecurityMessage['seccomp']> {
  if (typeof profile === 'object')
    return { type: PROFILE.localhost, localhostRef: profile.localhostProfile };
  return { type: profile === 'Unconfined' ? PROFILE.unconfined : PROFILE.runtimeDefault };
}
