// What a pod's worker does next. Pure: the pod, what the runtime has, what the probes say and the time give the acts.
// Invariant: never two live containers of one name; init containers one after the other, before all others.
import type { Container, Pod, PodSpec } from '../../api/generated/types.ts';
import type { ContainerStatus, SandboxStatus } from '../runtime/runtime.ts';
import { backoffUntil } from './crash-backoff.ts';

/** What there is of a pod. Containers by name, newest attempt first. */
export interface PodState {
  readonly sandbox: SandboxStatus | undefined;
  readonly containers: ReadonlyMap<string, readonly ContainerStatus[]>;
}

/** What the probes say of a running container, by container id. */
export interface ProbeVerdicts {
  /** True from the start where there is no startup probe. */
  started(id: string): boolean;
  ready(id: string): boolean;
  /** Set once the startup or liveness probe has given the container up. */
  failed(
    id: string,
  ): { readonly message: string; readonly graceMs: number | undefined } | undefined;
}

/** One thing to do. */
export type Act =
  | { readonly kind: 'createSandbox'; readonly attempt: number }
  | { readonly kind: 'removeSandbox'; readonly id: string }
  | { readonly kind: 'start'; readonly container: Container; readonly attempt: number }
  | {
      readonly kind: 'kill';
      readonly id: string;
      readonly container: string;
      readonly graceMs: number | undefined;
      readonly why: string;
    }
  | { readonly kind: 'forget'; readonly id: string };

/** The acts, in order, and when to look again without an event. */
export interface Plan {
  readonly acts: readonly Act[];
  readonly lookAgainAt: number | undefined;
}

/** Annotation under which the runtime keeps the hash of what a container was made from. */
export const SPEC_HASH = 'pinnace.dev/container-hash';

/** Is it an init container that goes on running (KEP-753)? */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

/** The next acts of a pod that is to run. `hashOf` tells whether a container's specification has changed. */
export function planPod(
  pod: Pod,
  state: PodState,
  at: { nowMs: number; probes: ProbeVerdicts; hashOf: (container: Container) => string },
): Plan {
  const spec = pod.spec as PodSpec;
  if (isFinished(spec, state)) return stopAll(state, 'the pod has finished');
  if (state.sandbox?.state !== 'ready') return newSandbox(state);
  const run: Run = { spec, state, at, acts: [], wakes: [] };
  if (planInit(run)) for (const container of spec.containers) planContainer(run, container);
  planForgetting(run);
  return { acts: run.acts, lookAgainAt: run.wakes.length ? Math.min(...run.wakes) : undefined };
}

interface Run {
  readonly spec: PodSpec;
  readonly state: PodState;
  readonly at: {
    readonly nowMs: number;
    readonly probes: ProbeVerdicts;
    readonly hashOf: (container: Container) => string;
  };
  readonly acts: Act[];
  readonly wakes: number[];
}

/** Has everything ended that will not be started again? */
export function isFinished(spec: PodSpec, state: PodState): boolean {
  const latest = (container: Container) => state.containers.get(container.name)?.[0];
  if (spec.restartPolicy === 'Always' || spec.restartPolicy === undefined) return false;
  for (const init of spec.initContainers ?? []) {
    if (isSidecar(init)) continue;
    const status = latest(init);
    if (status?.state === 'exited' && status.exitCode !== 0) return spec.restartPolicy === 'Never';
    if (status?.state !== 'exited') return false;
  }
  return spec.containers.every((container) => {
    const status = latest(container);
    if (status?.state !== 'exited') return false;
    return spec.restartPolicy === 'Never' || status.exitCode === 0;
  });
}

function stopAll(state: PodState, why: string): Plan {
  const acts: Act[] = [];
  for (const [name, statuses] of state.containers)
    for (const status of statuses)
      if (isLive(status))
        acts.push({ kind: 'kill', id: status.id, container: name, graceMs: undefined, why });
  return { acts, lookAgainAt: undefined };
}

/** Is there, or may there be, a process? */
export function isLive(status: ContainerStatus): boolean {
  return status.state !== 'exited';
}

function newSandbox(state: PodState): Plan {
  const acts: Act[] = [...stopAll(state, 'the sandbox is gone').acts];
  if (state.sandbox) acts.push({ kind: 'removeSandbox', id: state.sandbox.id });
  acts.push({ kind: 'createSandbox', attempt: state.sandbox ? state.sandbox.attempt + 1 : 0 });
  return { acts, lookAgainAt: undefined };
}

/** True once all init containers have done their part, so that the others may run. */
function planInit(run: Run): boolean {
  const inits = run.spec.initContainers ?? [];
  const begun = run.spec.containers.some((container) => run.state.containers.has(container.name));
  for (const init of inits) {
    const status = run.state.containers.get(init.name)?.[0];
    if (isSidecar(init)) {
      planContainer(run, init);
      const up = status?.state === 'running' && run.at.probes.started(status.id);
      if (!up && !begun) return false;
      continue;
    }
    if (status?.state === 'exited' && status.exitCode === 0) continue;
    if (begun) continue;
    if (status?.state === 'exited' && run.spec.restartPolicy === 'Never') return false;
    if (!status || status.state === 'exited' || status.state === 'created')
      planStart(run, init, status);
    return false;
  }
  return true;
}

function planContainer(run: Run, container: Container): void {
  const status = run.state.containers.get(container.name)?.[0];
  if (status?.state === 'running') {
    planRunning(run, container, status);
    return;
  }
  if (status?.state === 'exited' && !restarts(run.spec, container, status)) return;
  planStart(run, container, status);
}

function planRunning(run: Run, container: Container, status: ContainerStatus): void {
  const failed = run.at.probes.failed(status.id);
  const changed = status.annotations[SPEC_HASH] !== run.at.hashOf(container);
  if (!failed && !changed) return;
  run.acts.push({
    kind: 'kill',
    id: status.id,
    container: container.name,
    graceMs: failed?.graceMs,
    why: failed?.message ?? `Container ${container.name} definition changed`,
  });
}

/** Will a container that ended so be started again? */
export function restarts(spec: PodSpec, container: Container, status: ContainerStatus): boolean {
  if (isSidecar(container)) return true;
  if (spec.restartPolicy === 'Never') return false;
  return spec.restartPolicy !== 'OnFailure' || status.exitCode !== 0;
}

function planStart(run: Run, container: Container, last: ContainerStatus | undefined): void {
  const statuses = run.state.containers.get(container.name) ?? [];
  if (last && isLive(last)) {
    // Made but never started (the agent died in between), or lost to the runtime: begin anew.
    run.acts.push({
      kind: 'kill',
      id: last.id,
      container: container.name,
      graceMs: 0,
      why: 'it was never started',
    });
  }
  const until = backoffUntil(statuses);
  if (until > run.at.nowMs) {
    run.wakes.push(until);
    return;
  }
  run.acts.push({ kind: 'start', container, attempt: last ? last.attempt + 1 : 0 });
}

/** Ended containers beyond the last two of a name tell nothing any more: the last is the status, the one before its past. */
function planForgetting(run: Run): void {
  for (const statuses of run.state.containers.values())
    for (const status of statuses.slice(2))
      if (!isLive(status)) run.acts.push({ kind: 'forget', id: status.id });
}
