// Ends the containers of one pod: which, in what order, with how much patience, and what is told of it.
// Invariant: a container's end is told once, however often it is asked for.
import type { Container, Pod, PodSpec } from '../../api/generated/types.ts';
import type { ContainerStatus } from '../runtime/runtime.ts';
import { ContainerStopper } from './container-stopper.ts';
import { isLive } from './plan.ts';
import { containersOf, nextToStop } from './pod-state.ts';
import type { PodView } from './pod-view.ts';
import type { WorkerParts } from './worker-parts.ts';
import { containerPath } from './container-path.ts';

/** The stops of one pod. */
export class PodStops {
  readonly #parts: WorkerParts;
  readonly #view: PodView;
  readonly #stopper: ContainerStopper;
  #atMostMs = Infinity;

  constructor(parts: WorkerParts, view: PodView) {
    this.#parts = parts;
    this.#view = view;
    this.#stopper = new ContainerStopper(parts, () => view.kick());
  }

  /** Is it being stopped? */
  has(id: string): boolean {
    return this.#stopper.has(id);
  }

  /** From now on nothing gets more patience than this. What is being stopped is hurried by the next `stopAll`. */
  hurry(graceMs: number): void {
    this.#atMostMs = Math.min(this.#atMostMs, graceMs);
  }

  /** Begins to stop a container; without `graceMs` it gets what its pod gives it. */
  stop(
    status: ContainerStatus,
    how: { graceMs: number | undefined; why: string; waits?: boolean; hookless?: boolean },
  ): void {
    const { pod, sandbox } = this.#view;
    const tells = status.state === 'running' && !this.#stopper.has(status.id);
    if (tells)
      this.#parts.events.event(pod, {
        type: 'Normal',
        reason: 'Killing',
        message: how.why,
        ...containerPath(pod, status.name),
      });
    this.#stopper.stop({
      pod,
      container: how.hookless ? undefined : containersIn(pod).find(named(status.name)),
      status,
      graceMs: Math.min(this.#atMostMs, this.#graceMs(how.graceMs)),
      podIp: sandbox.podIp ?? '',
      ...(how.waits && { waits: true }),
    });
  }

  /** Stops what lives: hooks all at once, signals in their order. True while something lives. */
  stopAll(): boolean {
    const { pod, state } = this.#view;
    const live = containersOf(state).filter(isLive);
    const next = new Set(nextToStop(pod.spec as PodSpec, live).map(({ id }) => id));
    for (const status of live) {
      this.#parts.prober.endure(status.id);
      const why = `Stopping container ${status.name}`;
      this.stop(status, { graceMs: undefined, why, waits: !next.has(status.id) });
      if (next.has(status.id)) this.#stopper.turn(status.id);
    }
    return live.length > 0;
  }

  /** A pod that is being deleted has its own say; else a probe may have one. */
  #graceMs(own: number | undefined): number {
    const { metadata, spec } = this.#view.pod;
    if (metadata.deletionGracePeriodSeconds !== undefined)
      return metadata.deletionGracePeriodSeconds * 1000;
    return own ?? (spec?.terminationGracePeriodSeconds ?? 30) * 1000;
  }
}

const named = (name: string) => (container: Container) => container.name === name;

/** The containers that a pod always has: init containers, then the others. */
export function containersIn({ spec }: Pod): Container[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
}
