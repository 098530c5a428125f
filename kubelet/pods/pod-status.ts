// A pod's status from what the runtime has and the probes say. Pure.
// Invariant: conditions change their transition time only when their status changes; a finished phase never goes back.
import type {
  Container,
  ContainerState,
  ContainerStatus as ApiContainerStatus,
  Pod,
  PodCondition,
  PodSpec,
  PodStatus,
} from '../../api/generated/types.ts';
import { setCondition } from '../../api/meta/conditions.ts';
import { qosClassOf } from '../../api/meta/pod-resources.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { ContainerStatus } from '../runtime/runtime.ts';
import { backoffMs, backoffUntil, crashesOf } from './crash-backoff.ts';
import { isFinished, isSidecar, type PodState, type ProbeVerdicts, restarts } from './plan.ts';

/** Why a container could not be started so far; shown as its waiting state. */
export interface StartProblem {
  readonly reason: string;
  readonly message: string;
}

/** What a status is made from besides the pod. */
export interface StatusFacts {
  readonly state: PodState;
  readonly probes: ProbeVerdicts;
  /** By container name. */
  readonly problems: ReadonlyMap<string, StartProblem>;
  readonly podIp: string | undefined;
  readonly hostIp: string;
  readonly nowMs: number;
}

/** The status to write. */
export function podStatusOf(pod: Pod, facts: StatusFacts): PodStatus {
  const spec = pod.spec as PodSpec;
  const inits = (spec.initContainers ?? []).map((c) =>
    containerStatusOf(c, { spec, facts, waitingReason: 'PodInitializing' }),
  );
  const initialized = isInitialized(spec, facts);
  const waiting = initialized ? 'ContainerCreating' : 'PodInitializing';
  const containers = spec.containers.map((c) =>
    containerStatusOf(c, { spec, facts, waitingReason: waiting }),
  );
  const phase = phaseOf(pod, facts);
  const started = pod.status?.startTime ?? formatTime(facts.nowMs);
  return {
    ...pod.status,
    phase,
    conditions: conditionsOf(pod, { phase, initialized, containers, inits, facts }),
    hostIP: facts.hostIp,
    hostIPs: [{ ip: facts.hostIp }],
    ...(facts.podIp ? { podIP: facts.podIp, podIPs: [{ ip: facts.podIp }] } : {}),
    startTime: started,
    qosClass: pod.status?.qosClass ?? qosClassOf(spec),
    observedGeneration: pod.metadata.generation,
    ...(inits.length > 0 ? { initContainerStatuses: inits } : {}),
    containerStatuses: containers,
  };
}

function isInitialized(spec: PodSpec, facts: StatusFacts): boolean {
  return (spec.initContainers ?? []).every((init) => {
    const status = facts.state.containers.get(init.name)?.[0];
    if (isSidecar(init)) return status?.state === 'running' && facts.probes.started(status.id);
    return status?.state === 'exited' && status.exitCode === 0;
  });
}

interface Scene {
  readonly spec: PodSpec;
  readonly facts: StatusFacts;
  readonly waitingReason: string;
}

function containerStatusOf(container: Container, scene: Scene): ApiContainerStatus {
  const { facts } = scene;
  const statuses = facts.state.containers.get(container.name) ?? [];
  const [latest] = statuses;
  const running = latest?.state === 'running';
  const state = stateOf(container, statuses, scene);
  // The state before: the newest end that `state` does not tell itself.
  const past = statuses.find((s) => s.state === 'exited' && !(state.terminated && s === latest));
  return {
    name: container.name,
    image: container.image ?? '',
    imageID: latest?.imageId ?? '',
    ...(latest ? { containerID: `pinnace://${latest.id}` } : {}),
    restartCount: latest?.attempt ?? 0,
    ready: running && facts.probes.ready(latest.id),
    started: running && facts.probes.started(latest.id),
    state,
    lastState: past ? { terminated: terminatedOf(past) } : {},
  };
}

function stateOf(
  container: Container,
  statuses: readonly ContainerStatus[],
  { spec, facts, waitingReason }: Scene,
): ContainerState {
  const [latest] = statuses;
  if (latest?.state === 'running')
    return { running: { startedAt: formatTime(latest.startedAtMs ?? latest.createdAtMs) } };
  const problem = facts.problems.get(container.name);
  if (problem) return { waiting: { ...problem } };
  if (latest?.state !== 'exited') return { waiting: { reason: waitingReason } };
  if (restarts(spec, container, latest) && backoffUntil(statuses) > facts.nowMs) {
    const seconds = backoffMs(crashesOf(statuses)) / 1000;
    const message = `back-off ${seconds}s restarting failed container=${container.name}`;
    return { waiting: { reason: 'CrashLoopBackOff', message } };
  }
  return { terminated: terminatedOf(latest) };
}

function terminatedOf(status: ContainerStatus): NonNullable<ContainerState['terminated']> {
  return {
    exitCode: status.exitCode ?? 137,
    reason: status.reason ?? (status.exitCode === 0 ? 'Completed' : 'Error'),
    ...(status.message ? { message: status.message } : {}),
    ...(status.startedAtMs === undefined ? {} : { startedAt: formatTime(status.startedAtMs) }),
    ...(status.finishedAtMs === undefined ? {} : { finishedAt: formatTime(status.finishedAtMs) }),
    containerID: `pinnace://${status.id}`,
  };
}

function phaseOf(pod: Pod, facts: StatusFacts): string {
  const spec = pod.spec as PodSpec;
  const before = pod.status?.phase;
  if (before === 'Succeeded' || before === 'Failed') return before;
  if (isFinished(spec, facts.state)) {
    const bad = [
      ...(spec.initContainers ?? []).filter((c) => !isSidecar(c)),
      ...spec.containers,
    ].some((c) => (facts.state.containers.get(c.name)?.[0]?.exitCode ?? 0) !== 0);
    return bad ? 'Failed' : 'Succeeded';
  }
  const begun = spec.containers.every((c) => {
    const state = facts.state.containers.get(c.name)?.[0]?.state;
    return state === 'running' || state === 'exited';
  });
  return begun ? 'Running' : 'Pending';
}

interface ConditionFacts {
  readonly phase: string;
  readonly initialized: boolean;
  readonly containers: readonly ApiContainerStatus[];
  readonly inits: readonly ApiContainerStatus[];
  readonly facts: StatusFacts;
}

function conditionsOf(pod: Pod, c: ConditionFacts): PodCondition[] {
  let conditions: readonly PodCondition[] = pod.status?.conditions ?? [];
  const set = (type: string, holds: boolean, why?: StartProblem) => {
    conditions = setCondition(
      conditions,
      { type, status: holds ? 'True' : 'False', ...(holds ? {} : why) },
      c.facts.nowMs,
    );
  };
  const over = c.phase === 'Succeeded' || c.phase === 'Failed';
  const unready = c.containers.filter((status) => !status.ready).map((status) => status.name);
  const why = over
    ? { reason: c.phase === 'Failed' ? 'PodFailed' : 'PodCompleted', message: '' }
    : {
        reason: 'ContainersNotReady',
        message: `containers with unready status: [${unready.join(' ')}]`,
      };
  const gates = (pod.spec?.readinessGates ?? []).filter(
    (gate) => !conditions.some((x) => x.type === gate.conditionType && x.status === 'True'),
  );
  set('PodScheduled', true);
  set('PodReadyToStartContainers', c.facts.state.sandbox?.state === 'ready');
  set('Initialized', c.initialized || c.phase === 'Succeeded', {
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${c.inits
      .filter((status) => status.state?.terminated?.exitCode !== 0)
      .map((status) => status.name)
      .join(' ')}]`,
  });
  const ready = !over && unready.length === 0;
  set('ContainersReady', ready, why);
  set(
    'Ready',
    ready && gates.length === 0,
    ready
      ? { reason: 'ReadinessGatesNotReady', message: 'a readiness gate does not hold yet' }
      : why,
  );
  return [...conditions];
}
