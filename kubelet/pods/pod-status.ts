// A pod's status from what the runtime has and the probes say. Pure.
// Invariant: a finished phase never goes back; what this agent does not know is left as it was.
import type {
  Container,
  ContainerStatus as ApiContainerStatus,
  Pod,
  PodCondition,
  PodSpec,
  PodStatus,
} from '../../api/generated/types.ts';
import { qosClassOf } from '../../api/meta/pod-resources.ts';
import { isConditionTrue } from '../../api/meta/conditions.ts';
import { formatTime } from '../../api/meta/time.ts';
import { type ContainerFacts, containerStatusOf, ephemeralStatusOf } from './container-status.ts';
import { lastStatuses } from './last-status.ts';
import { isFinished, isLive } from './plan.ts';
import { podConditions } from './pod-conditions.ts';
import { isSidecar, latestOf, type RestartAll, restartAllOf, roundOf } from './restart-rules.ts';

/** An end that is not the containers' own: refused by the node, evicted from it, or over its deadline. */
export interface Verdict {
  readonly reason: string;
  readonly message: string;
  /** Reason of a DisruptionTarget condition with the same message (`TerminationByKubelet`); none when left out. */
  readonly condition?: string;
  /** Of that condition, where it is not the verdict's own. */
  readonly conditionMessage?: string;
}

/** What a status is made from besides the pod. */
export interface StatusFacts extends ContainerFacts {
  readonly verdict: Verdict | undefined;
  readonly podIp: string | undefined;
  readonly hostIp: string;
  /** Of a resize that is not through. */
  readonly resize?: readonly PodCondition[] | undefined;
}

/** The status to write: the fields that belong to the node agent. */
export function podStatusOf(pod: Pod, facts: StatusFacts): PodStatus {
  const spec = pod.spec as PodSpec;
  const ofAll = (containers: readonly Container[] | undefined): ApiContainerStatus[] =>
    (containers ?? []).map((container) => containerStatusOf(pod, container, facts));
  const told = { inits: ofAll(spec.initContainers), containers: ofAll(spec.containers) };
  const over = isOver(spec, facts);
  const { inits, containers } = over ? lastStatuses(spec, told) : told;
  const ephemerals = (spec.ephemeralContainers ?? []).map((container) =>
    ephemeralStatusOf(pod, container as Container, facts),
  );
  const phase = phaseOf(spec, { containers, over }, facts);
  const { before, hostIp } = facts;
  // Told with the end, not before it: until then the pod is still what it was.
  const verdict = phase === 'Failed' ? facts.verdict : undefined;
  const ip = facts.podIp ?? knownIp(facts);
  const { generation } = pod.metadata;
  return {
    phase,
    ...why(verdict),
    conditions: podConditions(pod, {
      phase,
      sandboxReady: facts.state.sandbox?.state === 'ready',
      initialized: isInitialized(spec, facts),
      inits,
      containers,
      before: before?.conditions,
      resize: facts.resize,
      disruption: disruptionOf(verdict),
      restart: restartOf(spec, facts),
      nowMs: facts.nowMs,
    }),
    hostIP: hostIp,
    hostIPs: [{ ip: hostIp }],
    ...(ip ? { podIP: ip, podIPs: [{ ip }] } : {}),
    startTime: before?.startTime ?? formatTime(facts.nowMs),
    qosClass: pod.status?.qosClass ?? qosClassOf(spec),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...wholeOf(spec),
    ...(isRefused(facts) ? {} : listed({ inits, containers, ephemerals })),
  };
}

interface Lists {
  readonly inits: readonly ApiContainerStatus[];
  readonly containers: readonly ApiContainerStatus[];
  readonly ephemerals: readonly ApiContainerStatus[];
}

function listed({ inits, containers, ephemerals }: Lists): Partial<PodStatus> {
  return {
    ...(inits.length > 0 ? { initContainerStatuses: [...inits] } : {}),
    containerStatuses: [...containers],
    ...(ephemerals.length > 0 ? { ephemeralContainerStatuses: [...ephemerals] } : {}),
  };
}

/** One that the node never took has no containers to tell of; after the agent's restart its phase alone says so. */
function isRefused({ verdict, state, before }: StatusFacts): boolean {
  const none = state.containers.size === 0 && state.sandbox === undefined;
  const ended = verdict !== undefined || before?.phase === 'Failed';
  return ended && none && before?.containerStatuses === undefined;
}

/** Whether all containers are to begin anew, or have done so. */
function restartOf(spec: PodSpec, { state, ending }: StatusFacts): RestartAll | 'done' | undefined {
  const asked = ending ? undefined : restartAllOf(spec, state);
  return asked ?? (roundOf(state) > 0 ? 'done' : undefined);
}

const why = (verdict: Verdict | undefined) =>
  verdict ? { reason: verdict.reason, message: verdict.message } : {};

/** What the pod as a whole was given, where it states so. */
function wholeOf({ resources }: PodSpec): Partial<PodStatus> {
  const { limits, requests } = resources ?? {};
  if (!limits && !requests) return {};
  return {
    ...(requests && { allocatedResources: requests }),
    resources: { ...(limits && { limits }), ...(requests && { requests }) },
  };
}

function disruptionOf(verdict: Verdict | undefined): PodCondition | undefined {
  if (verdict?.condition === undefined) return undefined;
  const { condition: reason, conditionMessage: message = verdict.message } = verdict;
  return { type: 'DisruptionTarget', status: 'True', reason, message };
}

/** The address of before, where the pod has been on this node; else somebody else wrote it. */
function knownIp({ state, before }: StatusFacts): string | undefined {
  const isOver = before?.phase === 'Succeeded' || before?.phase === 'Failed';
  const wasHere = isOver || state.sandbox !== undefined || state.containers.size > 0;
  return wasHere ? before?.podIP : undefined;
}

/**
 * Init containers have done their part once they have ended well, or once the others have begun. A pod that begins anew stays
 * what it was.
 */
function isInitialized(spec: PodSpec, facts: StatusFacts): boolean {
  const { state, probes, before } = facts;
  if (restartOf(spec, facts) && isConditionTrue(before?.conditions, 'Initialized')) return true;
  const id = state.sandbox?.id;
  const begun = spec.containers.some((c) => latestOf(state, c.name)?.sandboxId === id);
  if (id !== undefined && begun) return true;
  return (spec.initContainers ?? []).every((init) => {
    const status = latestOf(state, init.name);
    if (isSidecar(init)) return status?.state === 'running' && probes.started(status.id);
    return status?.state === 'exited' && status.exitCode === 0;
  });
}

/** Does nothing of it live, and will nothing of it again? */
function isOver(spec: PodSpec, { state, verdict, ending }: StatusFacts): boolean {
  // Whatever the verdict: a pod is never told to be over while something of it may still run.
  const alive = [...state.containers.values()].some((all) => all.some(isLive));
  return !alive && (verdict !== undefined || ending || isFinished(spec, state));
}

function phaseOf(
  spec: PodSpec,
  { containers, over }: { containers: readonly ApiContainerStatus[]; over: boolean },
  facts: StatusFacts,
): string {
  const { before, verdict, state } = facts;
  if (before?.phase === 'Succeeded' || before?.phase === 'Failed') return before.phase;
  if (over) {
    const well = containers.every(({ state: now }) => now?.terminated?.exitCode === 0);
    return well && !verdict ? 'Succeeded' : 'Failed';
  }
  const again = restartOf(spec, facts);
  const waits = ({ name, state: now, lastState }: ApiContainerStatus) => {
    const past = again !== undefined && latestOf(state, name) === undefined;
    return now?.waiting !== undefined && (past || !lastState?.terminated);
  };
  const restarting = again !== undefined && again !== 'done';
  return restarting || containers.some(waits) ? 'Pending' : 'Running';
}
