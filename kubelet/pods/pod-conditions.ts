// The conditions that the node agent states about a pod. Pure.
// Invariant: a transition time changes only with its status; conditions of others are not touched.
import type { ContainerStatus, Pod, PodCondition } from '../../api/generated/types.ts';
import { isConditionTrue, setCondition } from '../../api/meta/conditions.ts';
import { isSidecar, type RestartAll } from './restart-rules.ts';

/** What conditions are made from besides the pod. */
export interface ConditionFacts {
  readonly phase: string;
  readonly sandboxReady: boolean;
  readonly initialized: boolean;
  readonly inits: readonly ContainerStatus[];
  readonly containers: readonly ContainerStatus[];
  /** The conditions of this agent's last status, or the API's. */
  readonly before: readonly PodCondition[] | undefined;
  /** Of a resize that is not through. */
  readonly resize: readonly PodCondition[] | undefined;
  /** That the pod was ended for somebody else's sake. */
  readonly disruption: PodCondition | undefined;
  /** The end that makes all containers begin anew; `done` once they have. */
  readonly restart: RestartAll | 'done' | undefined;
  readonly nowMs: number;
}

/** A condition that does not hold says why. */
interface Why {
  readonly reason: string;
  readonly message?: string;
}

const OWN = [
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
] as const;

/** The agent's own conditions, in upstream's order. */
export function podConditions(pod: Pod, facts: ConditionFacts): PodCondition[] {
  const notReady = whyNotReady(pod, facts);
  const why: Readonly<Record<(typeof OWN)[number], Why | undefined>> = {
    PodReadyToStartContainers: facts.sandboxReady ? undefined : { reason: '' },
    Initialized: whyNotInitialized(facts),
    ContainersReady: notReady,
    Ready: notReady ?? whyGated(pod),
    PodScheduled: undefined,
  };
  const stated = [
    ...OWN.map((type) => conditionOf(type, why[type], pod)),
    ...passing(facts).map((each) => ({ ...each, ...observed(pod) })),
  ];
  const conditions = stated.flatMap((condition) => {
    const known = facts.before?.filter(({ type }) => type === condition.type) ?? [];
    return setCondition(known, condition, facts.nowMs);
  });
  if (facts.phase === 'Succeeded')
    return conditions.map((each) =>
      each.type === 'Initialized' ? { ...each, reason: 'PodCompleted' } : each,
    );
  return conditions;
}

/** Those that only some pods have. */
function passing({ resize = [], disruption, restart }: ConditionFacts): PodCondition[] {
  return [...resize, ...(disruption ? [disruption] : []), ...restarting(restart)];
}

function restarting(restart: ConditionFacts['restart']): PodCondition[] {
  const type = 'AllContainersRestarting';
  if (restart === undefined) return [];
  if (restart === 'done') return [{ type, status: 'False' }];
  const message = `Container ${restart.container} exited with code ${restart.exitCode}, triggering pod restart`;
  return [{ type, status: 'True', reason: 'ContainerExited', message }];
}

function conditionOf(type: string, why: Why | undefined, pod: Pod): PodCondition {
  return {
    type,
    status: why ? 'False' : 'True',
    ...(why?.reason ? { reason: why.reason } : {}),
    ...(why?.message ? { message: why.message } : {}),
    ...observed(pod),
  };
}

const observed = ({ metadata: { generation } }: Pod) =>
  generation === undefined ? {} : { observedGeneration: generation };

function whyNotInitialized(facts: ConditionFacts): Why | undefined {
  if (facts.initialized || facts.phase === 'Succeeded') return undefined;
  const names = facts.inits.filter((status) => !status.ready).map((status) => status.name);
  return {
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${names.join(' ')}]`,
  };
}

function whyNotReady({ spec }: Pod, facts: ConditionFacts): Why | undefined {
  if (facts.phase === 'Succeeded') return { reason: 'PodCompleted' };
  if (facts.phase === 'Failed') return { reason: 'PodFailed' };
  const named = new Set((spec?.initContainers ?? []).filter(isSidecar).map(({ name }) => name));
  const sidecars = facts.inits.filter(({ name }) => named.has(name));
  const unready = [...sidecars, ...facts.containers]
    .filter((status) => !status.ready)
    .map((status) => status.name);
  if (unready.length === 0) return undefined;
  return {
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.join(' ')}]`,
  };
}

function whyGated(pod: Pod): Why | undefined {
  const open = (pod.spec?.readinessGates ?? [])
    .map((gate) => gate.conditionType)
    .filter((type) => !isConditionTrue(pod.status?.conditions, type));
  if (open.length === 0) return undefined;
  const texts = open.map((type) => {
    const known = pod.status?.conditions?.find((condition) => condition.type === type);
    return known
      ? `the status of pod readiness gate "${type}" is not "True", but ${known.status}`
      : `corresponding condition of pod readiness gate "${type}" does not exist.`;
  });
  return { reason: 'ReadinessGatesNotReady', message: texts.join(', ') };
}
