// What `kubectl get pods` shows: ready containers, the state in one word, restarts, places.
// The word follows the containers rather than the phase: it names what somebody should look at.
import type { Column } from '../definition.ts';
import type { Container, ContainerState, ContainerStatus, Pod } from '../generated/types.ts';
import { ageColumn, nameColumn, text, wide } from '../meta/columns.ts';
import { isConditionTrue } from '../meta/conditions.ts';
import { parseTime } from '../meta/time.ts';
import { humanDuration } from '../wire/human-duration.ts';

/** A pod in short. */
export interface PodSummary {
  /** `Running`, `CrashLoopBackOff`, `Init:0/1`, `Terminating`, … */
  readonly status: string;
  readonly ready: number;
  readonly total: number;
  readonly restarts: number;
  /** When a container last ended and was started again, milliseconds; undefined if never. */
  readonly lastRestartMs: number | undefined;
}

/** Restarts of some containers together. */
interface Restarts {
  count: number;
  lastMs: number | undefined;
}

/** The pod in short; the source of the columns and of `pinnace get`. */
export function summarizePod(pod: Pod): PodSummary {
  const all: Restarts = { count: 0, lastMs: undefined };
  const sidecars: Restarts = { count: 0, lastMs: undefined };
  const specs = new Map((pod.spec?.initContainers ?? []).map((one) => [one.name, one]));
  const init = readInit(pod, specs, { all, sidecars });
  const sidecarCount = [...specs.values()].filter(isSidecar).length;
  const total = (pod.spec?.containers ?? []).length + sidecarCount;
  const initialized = isConditionTrue(pod.status?.conditions, 'Initialized');
  if (init.reason !== undefined && !initialized) {
    return finish(pod, { reason: init.reason, ready: init.ready, total, restarts: all });
  }
  const main = readMain(pod, sidecars);
  const reason = main.reason ?? init.reason ?? baseReason(pod);
  return finish(pod, { reason, ready: init.ready + main.ready, total, restarts: sidecars });
}

function finish(
  pod: Pod,
  found: { reason: string; ready: number; total: number; restarts: Restarts },
): PodSummary {
  return {
    status: leavingReason(pod) ?? found.reason,
    ready: found.ready,
    total: found.total,
    restarts: found.restarts.count,
    lastRestartMs: found.restarts.lastMs,
  };
}

/** The word when no container has a better one. */
function baseReason(pod: Pod): string {
  const gated = (pod.status?.conditions ?? []).some(
    (condition) => condition.type === 'PodScheduled' && condition.reason === 'SchedulingGated',
  );
  if (gated) return 'SchedulingGated';
  return pod.status?.reason || pod.status?.phase || 'Unknown';
}

function leavingReason(pod: Pod): string | undefined {
  if (pod.metadata.deletionTimestamp === undefined) return undefined;
  if (pod.status?.reason === 'NodeLost') return 'Unknown';
  const ended = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
  return ended ? undefined : 'Terminating';
}

const isSidecar = (container: Container | undefined): boolean =>
  container?.restartPolicy === 'Always';

/** Reads init containers up to the one that holds the pod back. */
function readInit(
  pod: Pod,
  specs: ReadonlyMap<string, Container>,
  restarts: { all: Restarts; sidecars: Restarts },
): { reason: string | undefined; ready: number } {
  let ready = 0;
  const statuses = pod.status?.initContainerStatuses ?? [];
  for (const [i, status] of statuses.entries()) {
    const sidecar = isSidecar(specs.get(status.name));
    addRestarts(restarts.all, status);
    if (sidecar) addRestarts(restarts.sidecars, status);
    if (status.state?.terminated?.exitCode === 0) continue;
    if (sidecar && status.started) {
      if (status.ready) ready += 1;
      continue;
    }
    return { reason: `Init:${initReason(status.state, i, specs.size)}`, ready };
  }
  return { reason: undefined, ready };
}

function initReason(state: ContainerState | undefined, at: number, count: number): string {
  if (state?.terminated) return endReason(state.terminated);
  const waiting = state?.waiting?.reason;
  return waiting && waiting !== 'PodInitializing' ? waiting : `${at}/${count}`;
}

/** Reads ordinary containers, the last first, so that the first with something to say has the word. */
function readMain(pod: Pod, restarts: Restarts): { reason: string | undefined; ready: number } {
  let ready = 0;
  let reason: string | undefined;
  for (const status of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    addRestarts(restarts, status);
    const { waiting, terminated, running } = status.state ?? {};
    if (waiting?.reason) reason = waiting.reason;
    else if (terminated) reason = endReason(terminated);
    else if (status.ready && running) ready += 1;
  }
  if (reason === 'Completed' && ready > 0) {
    reason = isConditionTrue(pod.status?.conditions, 'Ready') ? 'Running' : 'NotReady';
  }
  return { reason, ready };
}

function endReason(ended: NonNullable<ContainerState['terminated']>): string {
  if (ended.reason) return ended.reason;
  return ended.signal ? `Signal:${ended.signal}` : `ExitCode:${ended.exitCode}`;
}

function addRestarts(restarts: Restarts, status: ContainerStatus): void {
  restarts.count += status.restartCount ?? 0;
  const endedMs = parseTime(status.lastState?.terminated?.finishedAt);
  if (endedMs !== undefined) restarts.lastMs = Math.max(restarts.lastMs ?? endedMs, endedMs);
}

function restartsText(pod: Pod, nowMs: number): string {
  const { restarts, lastRestartMs } = summarizePod(pod);
  if (restarts === 0 || lastRestartMs === undefined) return String(restarts);
  return `${restarts} (${humanDuration(nowMs - lastRestartMs)} ago)`;
}

function readinessGates(pod: Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  const passed = gates.filter((gate) =>
    isConditionTrue(pod.status?.conditions, gate.conditionType),
  );
  return `${passed.length}/${gates.length}`;
}

/** Columns of pods. */
export const podColumns: readonly Column<Pod>[] = [
  nameColumn,
  text('Ready', 'Ready containers of all that are to run.', (pod) => {
    const { ready, total } = summarizePod(pod);
    return `${ready}/${total}`;
  }),
  text('Status', 'The state of the pod in one word.', (pod) => summarizePod(pod).status),
  text('Restarts', 'Restarts of its containers, and how long ago the last was.', restartsText),
  ageColumn,
  wide(
    'IP',
    'The address of the pod.',
    (pod) => pod.status?.podIPs?.[0]?.ip || pod.status?.podIP || '<none>',
  ),
  wide('Node', 'The node that the pod is bound to.', (pod) => pod.spec?.nodeName || '<none>'),
  wide(
    'Nominated Node',
    'The node that is being cleared for the pod.',
    (pod) => pod.status?.nominatedNodeName || '<none>',
  ),
  wide('Readiness Gates', 'Passed readiness gates of all that are asked for.', readinessGates),
];
