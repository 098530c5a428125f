// What a pod's worker does next. Pure: the pod, what the runtime has, what the probes say and the time give the acts.
// Invariant: never two live containers of one name; init containers one after the other, before all others.
import type { Container, Pod, PodSpec, PodStatus } from '../../api/generated/types.ts';
import type { ContainerStatus, SandboxStatus } from '../runtime/runtime.ts';
import { backoffUntil, SPEC_HASH } from './crash-backoff.ts';
import {
  afterEnd,
  afterInitEnd,
  isSidecar,
  latestOf,
  nextRoundOf,
  ownEnds,
  restartAllOf,
  roundOf,
} from './restart-rules.ts';

/** What there is of a pod. Containers by name, newest attempt first. */
export interface PodState {
  readonly sandbox: SandboxStatus | undefined;
  /** Sandboxes that were replaced and are still there. */
  readonly oldSandboxes: readonly SandboxStatus[];
  readonly containers: ReadonlyMap<string, readonly ContainerStatus[]>;
}

/** What the probes say of a running container, by container id. */
export interface ProbeVerdicts {
  /** True from the start where there is no startup probe. */
  started(id: string): boolean;
  ready(id: string): boolean;
  /** Set once the startup or liveness probe has given the container up. */
  failed(id: string): ProbeFailure | undefined;
}

/** A probe's last word on a container. */
export interface ProbeFailure {
  /** `app failed liveness probe`. */
  readonly message: string;
  /** The probe's own terminationGracePeriodSeconds, in milliseconds. */
  readonly graceMs: number | undefined;
}

/** One thing to do. */
export type Act =
  | { readonly kind: 'createSandbox'; readonly attempt: number }
  | { readonly kind: 'removeSandbox'; readonly id: string }
  | {
      readonly kind: 'start';
      readonly container: Container;
      readonly init: boolean;
      readonly attempt: number;
      readonly round: number;
    }
  | {
      readonly kind: 'kill';
      readonly id: string;
      readonly container: string;
      readonly graceMs: number | undefined;
      readonly why: string;
      /** Its preStop hook is not run. */
      readonly hookless?: true;
    }
  | { readonly kind: 'forget'; readonly id: string };

/** The acts, in order, and when to look again without an event. */
export interface Plan {
  readonly acts: readonly Act[];
  readonly lookAgainAt: number | undefined;
}

/** What a plan rests on besides the pod and its state. */
export interface PlanInput {
  readonly nowMs: number;
  readonly probes: ProbeVerdicts;
  /** Tells whether a container's specification has changed. */
  hashOf(container: Container): string;
  /** Is the container being stopped already? */
  stopping(id: string): boolean;
  /** What was told of the pod so far. */
  readonly before: PodStatus | undefined;
  /** How many containers of a name have left logs, from before this agent began one. */
  loggedAttempts(name: string): number;
  /** Wall time before which a start is not tried again, after one that failed; 0 for at once. */
  heldUntil(name: string): number;
  /** The longest wait between restarts; upstream's unless given. */
  readonly maxRestartMs?: number | undefined;
}

/** Is there, or may there be, a process? */
export function isLive(status: ContainerStatus): boolean {
  return status.state !== 'exited';
}

/** The next acts of a pod that is to run. */
export function planPod(pod: Pod, state: PodState, at: PlanInput): Plan {
  const spec = pod.spec as PodSpec;
  const round = nextRoundOf(spec, state);
  const again = round !== roundOf(state);
  const run: Run = { spec, state, at, round, acts: [], wakes: [] };
  if (isFinished(spec, state)) stopAll(run, { why: 'the pod has finished' });
  else if (again && stopAll(run, RESTART_ALL)) return { acts: run.acts, lookAgainAt: undefined };
  else if (state.sandbox?.state !== 'ready') planSandbox(run);
  else {
    // Those who look into a pod may come while it still begins, and are never started again.
    for (const each of spec.ephemeralContainers ?? []) planEphemeral(run, each as Container);
    if (planInit(run)) for (const each of spec.containers) planContainer(run, each, false);
    planForgetting(run);
  }
  return { acts: run.acts, lookAgainAt: run.wakes.length ? Math.min(...run.wakes) : undefined };
}

interface Run {
  readonly spec: PodSpec;
  readonly state: PodState;
  readonly at: PlanInput;
  /** What is started now belongs to it; older ones are of the past. */
  readonly round: number;
  readonly acts: Act[];
  readonly wakes: number[];
}

/** How containers end when all begin anew: no hook, and upstream's least patience (KEP-5532). */
const RESTART_ALL = {
  why: 'Pod is restarting all containers in place',
  graceMs: 2_000,
  hookless: true,
} as const;

/** Has everything ended that will not be started again? */
export function isFinished(spec: PodSpec, state: PodState): boolean {
  if (restartAllOf(spec, state)) return false;
  for (const init of spec.initContainers ?? []) {
    if (isSidecar(init)) continue;
    const status = latestOf(state, init.name);
    if (status?.state !== 'exited') return false;
    if (status.exitCode !== 0) return initStays(spec, init, status);
  }
  return spec.containers.every((container) => {
    const status = latestOf(state, container.name);
    return status?.state === 'exited' && !restarts(spec, container, status);
  });
}

/** Will a container that ended so be started again? */
export function restarts(spec: PodSpec, container: Container, status: ContainerStatus): boolean {
  return afterEnd(spec, container, status.exitCode ?? -1) !== 'stay';
}

function initStays(spec: PodSpec, init: Container, status: ContainerStatus): boolean {
  return afterInitEnd(spec, init, status.exitCode ?? -1) === 'stay';
}

/** True when something was still alive. */
function stopAll(run: Run, how: { why: string; graceMs?: number; hookless?: true }): boolean {
  let any = false;
  for (const [container, statuses] of run.state.containers)
    for (const { id, state } of statuses) {
      if (state === 'exited') continue;
      any = true;
      if (!run.at.stopping(id))
        run.acts.push({ kind: 'kill', id, container, graceMs: undefined, ...how });
    }
  return any;
}

/** What is told where a pod's sandbox was lost. As upstream. */
export const SANDBOX_CHANGED = 'Pod sandbox changed, it will be killed and re-created.';

/** A new sandbox comes only after everything in the old one has ended. */
function planSandbox(run: Run): void {
  const { sandbox } = run.state;
  if (stopAll(run, { why: SANDBOX_CHANGED })) return;
  const until = run.at.heldUntil('');
  if (until > run.at.nowMs) {
    run.wakes.push(until);
    return;
  }
  run.acts.push({ kind: 'createSandbox', attempt: sandbox ? sandbox.attempt + 1 : 0 });
}

/** True once all init containers have done their part, so that the others may run. */
function planInit(run: Run): boolean {
  const begun = run.spec.containers.some((each) => inSandbox(run, each.name) !== undefined);
  return (run.spec.initContainers ?? []).every((init) => {
    if (isSidecar(init)) return planSidecar(run, init) || begun;
    return begun || planOnce(run, init);
  });
}

/** True once it is up. */
function planSidecar(run: Run, init: Container): boolean {
  const status = inSandbox(run, init.name);
  planContainer(run, init, true);
  return status?.state === 'running' && run.at.probes.started(status.id);
}

/** True once it has ended well. */
function planOnce(run: Run, init: Container): boolean {
  const status = inSandbox(run, init.name);
  if (status?.state === 'exited') {
    if (status.exitCode === 0) return true;
    if (initStays(run.spec, init, status)) return false;
  }
  if (status?.state === 'running') planRunning(run, init, status);
  else planStart(run, init, true);
  return false;
}

/** The newest container of that name, if it belongs to the sandbox and the round of now. */
function inSandbox(run: Run, name: string): ContainerStatus | undefined {
  if (run.round !== roundOf(run.state)) return undefined;
  const status = latestOf(run.state, name);
  return status?.sandboxId === run.state.sandbox?.id ? status : undefined;
}

function planContainer(run: Run, container: Container, init: boolean): void {
  const status = inSandbox(run, container.name);
  if (status?.state === 'running') planRunning(run, container, status);
  else if (status?.state !== 'exited' || restarts(run.spec, container, status))
    planStart(run, container, init);
}

function planEphemeral(run: Run, container: Container): void {
  const last = run.state.containers.get(container.name)?.[0];
  const told = run.at.before?.ephemeralContainerStatuses?.find((s) => s.name === container.name);
  if (last ? last.state === 'created' : !told?.containerID) planStart(run, container, false);
}

function planRunning(run: Run, container: Container, status: ContainerStatus): void {
  if (run.at.stopping(status.id)) return;
  const failed = run.at.probes.failed(status.id);
  const changed = status.annotations[SPEC_HASH] !== run.at.hashOf(container);
  if (!failed && !changed) return;
  run.acts.push({
    kind: 'kill',
    id: status.id,
    container: container.name,
    graceMs: failed?.graceMs,
    why: whyKilled(run.spec, container, failed),
  });
}

/** Texts as upstream, which says of containers that run once what becomes of them. */
function whyKilled(spec: PodSpec, container: Container, failed: ProbeFailure | undefined): string {
  const what = failed?.message ?? `${container.name} definition changed`;
  if (spec.initContainers?.some(({ name }) => name === container.name))
    return `Init container ${what}`;
  const again = afterEnd(spec, container, KILLED) !== 'stay';
  return `Container ${what}${again ? ', will be restarted' : ''}`;
}

/** The code of a container that is killed. */
const KILLED = 137;

function planStart(run: Run, container: Container, init: boolean): void {
  const { at, state } = run;
  const statuses = state.containers.get(container.name) ?? [];
  const last = statuses[0];
  if (last && at.stopping(last.id)) return;
  if (last?.state === 'unknown') {
    const why = 'the runtime has lost sight of it';
    run.acts.push({ kind: 'kill', id: last.id, container: container.name, graceMs: 0, why });
    return;
  }
  const until = Math.max(
    backoffUntil(
      {
        statuses: ownEnds(container, statuses, run.round),
        sandbox: state.sandbox,
        maxMs: at.maxRestartMs,
      },
      at.hashOf(container),
    ),
    at.heldUntil(container.name),
  );
  if (until > at.nowMs) {
    run.wakes.push(until);
    return;
  }
  const attempt = last ? attemptAfter(last, at.before) : lostAttempts(at, container.name);
  run.acts.push({ kind: 'start', container, init, attempt, round: run.round });
}

/** One that was made and never started (the agent died in between) is started as it is: create answers it again. */
function attemptAfter(last: ContainerStatus, before: PodStatus | undefined): number {
  if (last.state === 'created') return last.attempt;
  return Math.max(last.attempt + 1, toldAttempts(before, last.name));
}

/** Attempts that the runtime has lost (a reboot): they were told to the API, or have left their logs. */
function lostAttempts(at: PlanInput, name: string): number {
  return Math.max(toldAttempts(at.before, name), at.loggedAttempts(name));
}

function toldAttempts(before: PodStatus | undefined, name: string): number {
  const { containerStatuses = [], initContainerStatuses = [] } = before ?? {};
  const known = [...containerStatuses, ...initContainerStatuses].find((s) => s.name === name);
  return known?.containerID ? known.restartCount + 1 : 0;
}

/** Ended containers beyond the last two of a name tell nothing any more: one is the status, one its past. */
function planForgetting(run: Run): void {
  for (const statuses of run.state.containers.values())
    for (const status of statuses.slice(2))
      if (!isLive(status)) run.acts.push({ kind: 'forget', id: status.id });
  for (const old of run.state.oldSandboxes) {
    const used = [...run.state.containers.values()].some((statuses) =>
      statuses.some((status) => status.sandboxId === old.id),
    );
    if (!used) run.acts.push({ kind: 'removeSandbox', id: old.id });
  }
}
