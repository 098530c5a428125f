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
import { formatTime } from '../../api/meta/time.ts';
import { type ContainerFacts, containerStatusOf, ephemeralStatusOf } from './container-status.ts';
import { isFinished, isLive, isSidecar } from './plan.ts';
import { podConditions } from './pod-conditions.ts';

/** An end that is not the containers' own: refused by the node, evicted from it, or over its deadline. */
export interface Verdict {
  readonly reason: string;
  readonly message: string;
  /** Reason of a DisruptionTarget condition with the same message (`TerminationByKubelet`); none when left out. */
  readonly condition?: string;
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
  const inits = ofAll(spec.initContainers);
  const containers = ofAll(spec.containers);
  const ephemerals = (spec.ephemeralContainers ?? []).map((container) =>
    ephemeralStatusOf(pod, container as Container, facts),
  );
  const phase = phaseOf(spec, facts);
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
      nowMs: facts.nowMs,
    }),
    hostIP: hostIp,
    hostIPs: [{ ip: hostIp }],
    ...(ip ? { podIP: ip, podIPs: [{ ip }] } : {}),
    startTime: before?.startTime ?? formatTime(facts.nowMs),
    qosClass: pod.status?.qosClass ?? qosClassOf(spec),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(inits.length > 0 ? { initContainerStatuses: inits } : {}),
    containerStatuses: containers,
    ...(ephemerals.length > 0 ? { ephemeralContainerStatuses: ephemerals } : {}),
  };
}

const why = (verdict: Verdict | undefined) =>
  verdict ? { reason: verdict.reason, message: verdict.message } : {};

function disruptionOf(verdict: Verdict | undefined): PodCondition | undefined {
  if (verdict?.condition === undefined) return undefined;
  const { condition: reason, message } = verdict;
  return { type: 'DisruptionTarget', status: 'True', reason, message };
}

/** The address of before, where the pod has been on this node; else somebody else wrote it. */
function knownIp({ state, before }: StatusFacts): string | undefined {
  const isOver = before?.phase === 'Succeeded' || before?.phase === 'Failed';
  const wasHere = isOver || state.sandbox !== undefined || state.containers.size > 0;
  return wasHere ? before?.podIP : undefined;
}

/** Init containers have done their part once they have ended well, or once the others have begun. */
function isInitialized(spec: PodSpec, { state, probes }: StatusFacts): boolean {
  const id = state.sandbox?.id;
  const begun = spec.containers.some((c) => state.containers.get(c.name)?.[0]?.sandboxId === id);
  if (id !== undefined && begun) return true;
  return (spec.initContainers ?? []).every((init) => {
    const status = state.containers.get(init.name)?.[0];
    if (isSidecar(init)) return status?.state === 'running' && probes.started(status.id);
    return status?.state === 'exited' && status.exitCode === 0;
  });
}

function phaseOf(spec: PodSpec, facts: StatusFacts): string {
  const { state, before, verdict, ending } = facts;
  if (before?.phase === 'Succeeded' || before?.phase === 'Failed') return before.phase;
  const statuses = spec.containers.map((container) => state.containers.get(container.name)?.[0]);
  const alive = [...state.containers.values()].some((all) => all.some(isLive));
  // Whatever the verdict: a pod is never told to be over while something of it may still run.
  if (verdict && !alive) return 'Failed';
  if ((isFinished(spec, state) || ending) && !alive) return endPhase(spec, facts);
  const begun = statuses.every((s) => s?.state === 'running' || s?.state === 'exited');
  return begun ? 'Running' : 'Pending';
}

/** Everything has ended and nothing will run again. */
function endPhase(spec: PodSpec, { state, before }: StatusFacts): string {
  const once = (spec.initContainers ?? []).filter((init) => !isSidecar(init));
  const ends = [...once, ...spec.containers].map((c) => state.containers.get(c.name)?.[0]);
  // Deleted before it ever ran: neither a success nor a failure that anybody could look at.
  if (ends.every((end) => end === undefined)) return before?.phase ?? 'Pending';
  return ends.every((end) => end?.state === 'exited' && end.exitCode === 0)
    ? 'Succeeded'
    : 'Failed';
}
