// Ends the containers of one pod: which, in what order, with how much patience, and what is told of it.
// Invariant: a container's end is told once, however often it is asked for.
import type { Container, Pod, PodSpec } from '../../api/generated/types.ts';
import type { ContainerStatus } from '../runtime/runtime.ts';
import { ContainerStopper } from './container-stopper.ts';
import { isLive } from './plan.ts';
import { containersOf, nextToStop } from './pod-state.ts';
import type { PodView } from './pod-view.ts';
import type { WorkerParts } from './worker-parts.ts';

/** The stops of one pod. */
export class PodStops {
  readonly #parts: WorkerParts;
  readonly #view: PodView;
  readonly #stopper: ContainerStopper;

  constructor(parts: WorkerParts, view: PodView) {
    this.#parts = parts;
    this.#view = view;
    this.#stopper = new ContainerStopper(parts, () => view.kick());
  }

  /** Is it being stopped? */
  has(id: string): boolean {
    return this.#stopper.has(id);
  }

  /** Begins to stop a container; without `graceMs` it gets what its pod gives it. */
  stop(status: ContainerStatus, how: { graceMs: number | undefined; why: string }): void {
    const { pod, sandbox } = this.#view;
    if (status.state === 'running')
      this.#parts.events.event(pod, { type: 'Normal', reason: 'Killing', message: how.why });
    this.#stopper.stop({
      pod,
      container: containersIn(pod).find((each) => each.name === status.name),
      status,
      graceMs: how.graceMs ?? this.#graceMs(),
      podIp: sandbox.podIp ?? '',
    });
  }

  /** Stops what lives, in its order. True while something lives. */
  stopAll(): boolean {
    const { pod, state } = this.#view;
    const live = containersOf(state).filter(isLive);
    for (const status of nextToStop(pod.spec as PodSpec, live)) {
      this.#parts.prober.endure(status.id);
      if (!this.#stopper.has(status.id) || pod.metadata.deletionTimestamp) this.#stopOnce(status);
    }
    return live.length > 0;
  }

  /** Told once; a shorter grace period is passed on silently. */
  #stopOnce(status: ContainerStatus): void {
    const why = `Stopping container ${status.name}`;
    if (!this.#stopper.has(status.id)) this.stop(status, { graceMs: undefined, why });
    else
      this.#stopper.stop({
        pod: this.#view.pod,
        container: undefined,
        status,
        graceMs: this.#graceMs(),
        podIp: '',
      });
  }

  #graceMs(): number {
    const { metadata, spec } = this.#view.pod;
    const seconds = metadata.deletionGracePeriodSeconds ?? spec?.terminationGracePeriodSeconds;
    return (seconds ?? 30) * 1000;
  }
}

/** The containers that a pod always has: init containers, then the others. */
export function containersIn({ spec }: Pod): Container[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
}
