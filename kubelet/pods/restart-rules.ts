// Whether a container that ended runs again, by its own policy and rules or its pod's, and the rounds in which a pod's containers run:
// an end may ask that all of them begin anew. Pure.
// Invariant: a round is noted with each container when it is made, so that an agent that died goes on with the round under way.
import type { Container, PodSpec } from '../../api/generated/types.ts';
import type { ContainerStatus } from '../runtime/runtime.ts';
import type { PodState } from './plan.ts';

/** Annotation under which the runtime keeps the round that a container belongs to; the first, 0, where there is none. */
export const ROUND = 'pinnace.dev/round';

/** What comes after a container's end. */
export type AfterEnd = 'restart' | 'restartAll' | 'stay';

/** A container whose end makes all of its pod's containers begin anew. */
export interface RestartAll {
  readonly container: string;
  readonly exitCode: number;
}

/** Is it an init container that goes on running (KEP-753)? */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

/** What comes after an end with that code: the first rule that fits, else the container's policy, else the pod's. */
export function afterEnd(spec: PodSpec, container: Container, exitCode: number): AfterEnd {
  const rule = ruleFor(container, exitCode);
  if (rule?.action === 'RestartAllContainers') return 'restartAll';
  if (rule?.action === 'Restart') return 'restart';
  const policy = container.restartPolicy ?? spec.restartPolicy ?? 'Always';
  if (policy === 'Never') return 'stay';
  return policy === 'OnFailure' && exitCode === 0 ? 'stay' : 'restart';
}

/** The same of an init container that runs to its end: one that ended well has done its part. */
export function afterInitEnd(spec: PodSpec, init: Container, exitCode: number): AfterEnd {
  const after = afterEnd(spec, init, exitCode);
  return after === 'restart' && exitCode === 0 && !isSidecar(init) ? 'stay' : after;
}

function ruleFor({ restartPolicyRules = [] }: Container, exitCode: number) {
  return restartPolicyRules.find(({ exitCodes }) => {
    const listed = exitCodes?.values?.includes(exitCode) ?? false;
    return exitCodes?.operator === 'NotIn' ? !listed : listed;
  });
}

/** The round that is under way. */
export function roundOf(state: PodState): number {
  return Math.max(0, ...[...state.containers.values()].map(([latest]) => roundIn(latest)));
}

/** The round that what is started now belongs to. */
export function nextRoundOf(spec: PodSpec, state: PodState): number {
  return roundOf(state) + (restartAllOf(spec, state) ? 1 : 0);
}

/** The containers of one name, newest first, of which an end that a new round brought about counts as nobody's doing. */
export function ownEnds(
  container: Container,
  statuses: readonly ContainerStatus[],
  round: number,
): readonly ContainerStatus[] {
  const [last, ...older] = statuses;
  if (last?.state !== 'exited' || roundIn(last) === round || beganAll(container, last))
    return statuses;
  return [{ ...last, endUnseen: true }, ...older];
}

/** The newest container of that name, if it belongs to the round under way. */
export function latestOf(state: PodState, name: string): ContainerStatus | undefined {
  const latest = state.containers.get(name)?.[0];
  return roundIn(latest) === roundOf(state) ? latest : undefined;
}

const roundIn = (status: ContainerStatus | undefined) => Number(status?.annotations[ROUND] ?? 0);

/** The end that asks for a new round; undefined when none does, or when the new one has begun. */
export function restartAllOf(spec: PodSpec, state: PodState): RestartAll | undefined {
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    if (!container.restartPolicyRules?.length) continue;
    const status = latestOf(state, container.name);
    if (status?.state !== 'exited') continue;
    if (beganAll(container, status))
      return { container: container.name, exitCode: status.exitCode ?? UNKNOWN_EXIT };
  }
  return undefined;
}

function beganAll(container: Container, { exitCode = UNKNOWN_EXIT }: ContainerStatus): boolean {
  return ruleFor(container, exitCode)?.action === 'RestartAllContainers';
}

/** The code of an end that nobody saw, as upstream tells it. */
const UNKNOWN_EXIT = 137;
