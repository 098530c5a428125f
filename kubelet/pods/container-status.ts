// The API's status of one container from what the runtime has of it. Pure.
// Invariant: a container that will run again is never shown as finally terminated while it waits for its turn.
import type {
  Container,
  ContainerState,
  ContainerStatus as ApiContainerStatus,
  Pod,
  PodSpec,
  PodStatus,
} from '../../api/generated/types.ts';
import { formatTime } from '../../api/meta/time.ts';
import { IMAGE_REF } from '../pulling/image-ref.ts';
import { type ContainerStatus, type LinuxUser, START_ERROR } from '../runtime/runtime.ts';
import { containerHash } from './container-hash.ts';
import { backoffMs, backoffUntil, crashesOf, type Past, pastOf } from './crash-backoff.ts';
import type { PodState, ProbeVerdicts } from './plan.ts';
import { afterEnd, afterInitEnd, isSidecar, latestOf, restartAllOf } from './restart-rules.ts';

/** Annotation under which the runtime keeps which signal stops a container; '' where its image says nothing either. */
export const STOP_SIGNAL = 'pinnace.dev/stop-signal';

/** Annotation under which the runtime keeps whether mounts are read-only with all below them where that is possible. */
export const RECURSIVE = 'pinnace.dev/recursive-read-only';

/** Why a container could not be started so far; shown as its waiting state. */
export interface StartProblem {
  readonly reason: string;
  readonly message: string;
}

/** What container statuses are made from besides the pod. */
export interface ContainerFacts {
  readonly state: PodState;
  readonly probes: ProbeVerdicts;
  /** By container name. */
  readonly problems: ReadonlyMap<string, StartProblem>;
  /** Nothing will be started any more. */
  readonly ending: boolean;
  /** This agent's last status of the pod, or the API's. */
  readonly before: PodStatus | undefined;
  readonly nowMs: number;
  /** The longest wait between restarts; upstream's unless given. */
  readonly maxRestartMs?: number | undefined;
  /** What runs the containers: their ids begin with it, as the node's runtime version does. */
  readonly runtimeName: string;
}

/** The status of a container of the pod. */
export function containerStatusOf(
  pod: Pod,
  container: Container,
  facts: ContainerFacts,
): ApiContainerStatus {
  const statuses = facts.state.containers.get(container.name) ?? [];
  const [latest] = statuses;
  const state = stateOf(pod, container, facts);
  // The newest end that `state` does not tell itself.
  const past = statuses.find((s) => s.state === 'exited' && !(state.terminated && s === latest));
  if (!latest) return lostOrNew(container, facts, state);
  return {
    name: container.name,
    image: container.image ?? '',
    imageID: latest.annotations[IMAGE_REF] ?? latest.imageId,
    containerID: containerId(latest, facts.runtimeName),
    restartCount: latest.attempt,
    ready: isReady(pod, container, facts) && state.waiting === undefined,
    started: state.running !== undefined && facts.probes.started(latest.id),
    state,
    lastState: past ? { terminated: terminatedOf(pod, past, facts) } : {},
    ...resourcesOf(container),
    ...mountsOf(container, latest),
    ...stopSignalOf(latest),
    ...(latest.user && { user: { linux: userOf(latest.user) } }),
  };
}

/** One that the runtime has nothing of: it never was, or the host has lost it (a reboot). As upstream. */
function lostOrNew(
  { name, image = '' }: Container,
  facts: ContainerFacts,
  state: ContainerState,
): ApiContainerStatus {
  const never = { image, imageID: '', restartCount: 0, ready: false, started: false };
  const before = statusNamed(facts.before, name);
  if (!before) return { name, ...never, state, lastState: {} };
  // How it ended is known; whether it runs again is told when it does.
  if (before.state?.terminated) return before;
  const { imageID, containerID, restartCount, lastState = {} } = before;
  return {
    name,
    ...never,
    imageID,
    ...(containerID && { containerID }),
    restartCount,
    state,
    lastState: before.state?.running ? unknownEnd(LOST) : lastState,
  };
}

const LOST = 'could not be located when the pod was deleted.  The container used to be Running';

/** How a lost container ended is not known; that it ended is. Texts as upstream. */
export function unknownEnd(what: string): ContainerState {
  const message = `The container ${what}`;
  return { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown', message } };
}

/** The status of an ephemeral container: it is never ready, and never starts again. */
export function ephemeralStatusOf(
  pod: Pod,
  container: Container,
  facts: ContainerFacts,
): ApiContainerStatus {
  const { started: _, ...status } = containerStatusOf(pod, container, facts);
  return { ...status, ready: false };
}

/** The status of the container of that name, of whichever kind it is. */
export function statusNamed(
  status: PodStatus | undefined,
  name: string,
): ApiContainerStatus | undefined {
  const {
    containerStatuses = [],
    initContainerStatuses = [],
    ephemeralContainerStatuses = [],
  } = status ?? {};
  return [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses].find(
    (each) => each.name === name,
  );
}

const userOf = ({ uid, gid, supplementalGroups }: LinuxUser) => ({
  uid,
  gid,
  supplementalGroups: [...supplementalGroups],
});

/** What is mounted and how. */
function mountsOf(
  { volumeMounts = [] }: Container,
  { annotations }: ContainerStatus,
): Partial<ApiContainerStatus> {
  if (volumeMounts.length === 0) return {};
  const possible = annotations[RECURSIVE] === 'true';
  return {
    volumeMounts: volumeMounts.map(({ name, mountPath, readOnly, recursiveReadOnly: asked }) => {
      const enabled = asked === 'Enabled' || (asked === 'IfPossible' && possible);
      const recursiveReadOnly = enabled ? 'Enabled' : 'Disabled';
      return { name, mountPath, ...(readOnly && { readOnly, recursiveReadOnly }) };
    }),
  };
}

/** What the container was given. */
function resourcesOf(container: Container): Partial<ApiContainerStatus> {
  const { requests, limits } = container.resources ?? {};
  return {
    ...(requests ? { allocatedResources: requests } : {}),
    resources: { ...(limits ? { limits } : {}), ...(requests ? { requests } : {}) },
  };
}

/** As the API spells signals; one that runtimes know otherwise is not told. */
function stopSignalOf({ annotations }: ContainerStatus): { stopSignal?: string } {
  const asked = annotations[STOP_SIGNAL]?.toUpperCase() || 'SIGTERM';
  const name = asked.startsWith('SIG') ? asked : `SIG${asked}`;
  return /^SIG[A-Z]+[12]?$|^SIGRTM(IN\+|AX-)\d+$/.test(name) ? { stopSignal: name } : {};
}

/** An init container is ready when it has done its part; others when their probes say so. */
function isReady(pod: Pod, container: Container, facts: ContainerFacts): boolean {
  const latest = facts.state.containers.get(container.name)?.[0];
  const runsOn = !isInit(pod, container) || isSidecar(container);
  if (!runsOn) return latest?.state === 'exited' && latest.exitCode === 0;
  return latest?.state === 'running' && facts.probes.ready(latest.id);
}

function isInit(pod: Pod, container: Container): boolean {
  return pod.spec?.initContainers?.some((init) => init.name === container.name) ?? false;
}

function isEphemeral({ spec }: Pod, { name }: Container): boolean {
  return spec?.ephemeralContainers?.some((each) => each.name === name) ?? false;
}

function stateOf(pod: Pod, container: Container, facts: ContainerFacts): ContainerState {
  const statuses = facts.state.containers.get(container.name) ?? [];
  const [latest] = statuses;
  const problem = facts.problems.get(container.name);
  // Also while it is being ended for it, as one is whose postStart hook failed: it never was up.
  if (problem && !facts.ending)
    return { waiting: { reason: problem.reason, message: problem.message } };
  if (latest?.state === 'running')
    return { running: { startedAt: formatTime(latest.startedAtMs ?? latest.createdAtMs) } };
  const waiting = { waiting: { reason: waitingReason(pod, container) } };
  if (latest?.state !== 'exited') return waiting;
  const past = pastOf(pod, container, { state: facts.state, maxMs: facts.maxRestartMs });
  const until = backoffUntil(past, containerHash(container));
  const waits = until > facts.nowMs && !facts.ending;
  if (waits && restartsAgain(pod, container, latest))
    return {
      waiting: { reason: 'CrashLoopBackOff', message: backoffText(pod, container, past) },
    };
  return isPast(pod, container, facts) ? waiting : { terminated: terminatedOf(pod, latest, facts) };
}

/** Does its end belong to a round that is over, so that it waits to begin anew? */
function isPast(pod: Pod, container: Container, { state, ending }: ContainerFacts): boolean {
  if (ending || isEphemeral(pod, container)) return false;
  if (latestOf(state, container.name) === undefined) return true;
  const live = [...state.containers.values()].some(([latest]) => latest?.state !== 'exited');
  return !live && restartAllOf(pod.spec as PodSpec, state) !== undefined;
}

function waitingReason(pod: Pod, container: Container): string {
  const waits = pod.spec?.initContainers?.length && !isEphemeral(pod, container);
  return waits ? 'PodInitializing' : 'ContainerCreating';
}

function restartsAgain(pod: Pod, container: Container, latest: ContainerStatus): boolean {
  if (isEphemeral(pod, container)) return false;
  const after = isInit(pod, container) ? afterInitEnd : afterEnd;
  return after(pod.spec as PodSpec, container, latest.exitCode ?? -1) !== 'stay';
}

function backoffText(pod: Pod, container: Container, past: Past): string {
  const { name, namespace, uid } = pod.metadata;
  const wait = duration(backoffMs(crashesOf(past), past.maxMs) / 1000);
  return `back-off ${wait} restarting failed container=${container.name} pod=${name}_${namespace}(${uid})`;
}

/** As Kubernetes writes durations: `10s`, `1m20s`, `5m0s`. */
function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds % 60}s`;
}

function terminatedOf(
  pod: Pod,
  status: ContainerStatus,
  { runtimeName }: Pick<ContainerFacts, 'runtimeName'>,
): NonNullable<ContainerState['terminated']> {
  const message = cut(status.message ?? '', messageBytes(pod));
  return {
    exitCode: status.exitCode ?? 137,
    reason: status.reason ?? (status.exitCode === 0 ? 'Completed' : 'Error'),
    ...(message && { message }),
    ...startOf(status),
    ...(status.finishedAtMs === undefined ? {} : { finishedAt: formatTime(status.finishedAtMs) }),
    containerID: containerId(status, runtimeName),
  };
}

/** Bytes of last words of one container, and of all of a pod's together, which share them evenly. As upstream. */
const MAX_MESSAGE_BYTES = 4 * 1024;
const MAX_POD_MESSAGE_BYTES = 12 * 1024;

function messageBytes({ spec }: Pod): number {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = spec ?? {};
  const count = containers.length + initContainers.length + ephemeralContainers.length;
  return Math.min(MAX_MESSAGE_BYTES, Math.floor(MAX_POD_MESSAGE_BYTES / Math.max(1, count)));
}

/** At most so many bytes of it; no character is cut in two. */
function cut(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const head = Buffer.from(text).subarray(0, maxBytes);
  return new TextDecoder().decode(head, { stream: true });
}

/** One whose program could not be run began at the beginning of time, as upstream has it. */
function startOf({ startedAtMs, reason }: ContainerStatus): { startedAt?: string } {
  const startedMs = startedAtMs ?? (reason === START_ERROR ? 0 : undefined);
  return startedMs === undefined ? {} : { startedAt: formatTime(startedMs) };
}

/** A container's id as the API shows it. */
function containerId({ id }: ContainerStatus, runtimeName: string): string {
  return `${runtimeName}://${id}`;
}
