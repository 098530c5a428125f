// What CRI says of sandboxes and containers, as the agent's contract tells it. Pure.
import type { ContainerStatus, LinuxUser, SandboxStatus } from '../runtime.ts';
import { notesOf } from './container-message.ts';
import type { ContainerStatusMessage, PodSandboxMessage } from './messages.ts';
import { POD_LABELS } from './sandbox-message.ts';

const NS_PER_MS = 1_000_000n;
const STATES = ['created', 'running', 'exited', 'unknown'] as const;
const READY = 0;

/** A state by CRI's number. */
export function stateOf(number: number | undefined): ContainerStatus['state'] {
  return STATES[number ?? 0] ?? 'unknown';
}

/** A sandbox that was listed. Where its network namespace is the runtime does not say. */
export function sandboxStatusOf(sandbox: PodSandboxMessage): SandboxStatus {
  const { uid = '', namespace = '', name = '', attempt = 0 } = sandbox.metadata ?? {};
  return {
    id: sandbox.id ?? '',
    podUid: uid,
    namespace,
    name,
    attempt,
    state: (sandbox.state ?? READY) === READY ? 'ready' : 'notready',
    netnsPath: undefined,
    createdAtMs: msOf(sandbox.createdAt) ?? 0,
  };
}

/** What the runtime tells of a container only when it is asked for more. */
export interface ContainerDetails {
  readonly pid?: number | undefined;
  readonly user?: LinuxUser;
}

/** A container of which all was asked. `sandboxId` is not told with it. */
export function containerStatusOf(
  status: ContainerStatusMessage,
  rest: { sandboxId: string; details: ContainerDetails },
): ContainerStatus {
  const { annotations, imageId = status.imageRef ?? '' } = notesOf(status.annotations ?? {});
  const state = stateOf(status.state);
  const user = status.user?.linux ? userOf(status.user.linux) : rest.details.user;
  return {
    ...identityOf(status),
    sandboxId: rest.sandboxId,
    imageId,
    state,
    pid: state === 'running' ? rest.details.pid : undefined,
    createdAtMs: msOf(status.createdAt) ?? 0,
    startedAtMs: msOf(status.startedAt),
    ...(state === 'exited' ? endOf(status) : NO_END),
    annotations,
    ...(user && { user }),
  };
}

function identityOf(status: ContainerStatusMessage) {
  const { id = '', labels = {}, logPath = '' } = status;
  const { name = '', attempt = 0 } = status.metadata ?? {};
  return { id, podUid: labels[POD_LABELS.uid] ?? '', name, attempt, logPath };
}

type End = Pick<ContainerStatus, 'finishedAtMs' | 'exitCode' | 'reason' | 'message'>;

const NO_END: End = {
  finishedAtMs: undefined,
  exitCode: undefined,
  reason: undefined,
  message: undefined,
};

function endOf({ finishedAt, exitCode = 0, reason, message }: ContainerStatusMessage): End {
  return {
    finishedAtMs: msOf(finishedAt),
    exitCode,
    reason: reason || (exitCode === 0 ? 'Completed' : 'Error'),
    message: message || undefined,
  };
}

function userOf(user: Partial<LinuxUser>): LinuxUser {
  const { uid = 0, gid = 0, supplementalGroups = [] } = user;
  return { uid, gid, supplementalGroups };
}

function msOf(nanos: bigint | undefined): number | undefined {
  return nanos ? Number(nanos / NS_PER_MS) : undefined;
}

/** What containerd and CRI-O tell of a running container when asked for all: its process, and who that began as. */
export function detailsOf(info: Readonly<Record<string, string>>): ContainerDetails {
  const { pid, runtimeSpec } = parsed(info['info']);
  const { uid, gid, additionalGids = [] } = runtimeSpec?.process?.user ?? {};
  return {
    ...(pid && { pid }),
    ...(uid !== undefined &&
      gid !== undefined && {
        user: { uid, gid, supplementalGroups: [...new Set([gid, ...additionalGids])] },
      }),
  };
}

interface ContainerInfo {
  readonly pid?: number;
  readonly runtimeSpec?: {
    readonly process?: {
      readonly user?: { uid?: number; gid?: number; additionalGids?: readonly number[] };
    };
  };
}

/** Each runtime tells what it likes: what cannot be read is not told. */
function parsed(text: string | undefined): ContainerInfo {
  try {
    return (JSON.parse(text ?? '{}') as ContainerInfo | null) ?? {};
  } catch {
    return {};
  }
}
