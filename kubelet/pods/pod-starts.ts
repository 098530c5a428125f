// Begins what one pod's plan asks for: its volumes, its sandbox, its containers; what cannot begin is held back and told.
// Invariant: throws only for what is no fault of the pod's own.
import type { EventNote } from '../../client/events/recorder.ts';
import { ConfigError } from '../volumes/volume-error.ts';
import type { PodFacts } from '../volumes/pod-fields.ts';
import { startContainer } from './container-starter.ts';
import { type Act, SANDBOX_CHANGED } from './plan.ts';
import type { PodStops } from './pod-stops.ts';
import type { PodView } from './pod-view.ts';
import { StartFailure } from './start-failure.ts';
import { StartHolds } from './start-holds.ts';
import type { WorkerParts } from './worker-parts.ts';
import { containerPath } from './container-path.ts';

/** Keys of holds that are no container's. */
const SANDBOX = '';
const VOLUMES = '/volumes';

/** The beginnings of one pod. */
export class PodStarts {
  readonly #parts: WorkerParts;
  readonly #view: PodView;
  readonly #stops: PodStops;
  /** Aborted when the pod leaves. */
  readonly #leaving: AbortSignal;
  readonly holds = new StartHolds();

  constructor(parts: WorkerParts, view: PodView, ends: { stops: PodStops; leaving: AbortSignal }) {
    this.#parts = parts;
    this.#view = view;
    this.#stops = ends.stops;
    this.#leaving = ends.leaving;
  }

  /** When something that is held back and is no container's is tried again, by wall time; Infinity for never. */
  dueAfter(nowMs: number): number {
    const due = [VOLUMES, SANDBOX].map((key) => this.holds.until(key)).filter((at) => at > nowMs);
    return Math.min(Infinity, ...due);
  }

  /** Host paths of the volumes, or undefined when something of them is missing. */
  async volumes(): Promise<ReadonlyMap<string, string> | undefined> {
    try {
      const paths = await this.#parts.volumes.prepare(this.#view.pod, this.#facts());
      this.holds.clear(VOLUMES);
      return paths;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const { message } = error;
      const nowMs = this.#now();
      const isKnown = this.holds.problems.get(VOLUMES)?.message === message;
      // A look between two tries is none: it is not told, and puts off nothing.
      if (isKnown && nowMs < this.holds.until(VOLUMES)) return undefined;
      this.#event({ type: 'Warning', reason: 'FailedMount', message });
      this.holds.hold(VOLUMES, { reason: 'ContainerCreating', message }, { nowMs });
      return undefined;
    }
  }

  /** Makes the sandbox. False when that is held back. */
  async createSandbox(attempt: number): Promise<boolean> {
    // Told once, not with each try that fails.
    if (attempt > 0 && !this.holds.problems.has(SANDBOX))
      this.#event({ type: 'Normal', reason: 'SandboxChanged', message: SANDBOX_CHANGED });
    try {
      await this.#parts.slots.run(() => this.#view.sandbox.create(this.#view.pod, attempt));
      this.holds.clear(SANDBOX);
      return true;
    } catch (error) {
      const message = `Failed to create pod sandbox: ${(error as Error).message}`;
      this.holds.hold(SANDBOX, { reason: 'ContainerCreating', message }, { nowMs: this.#now() });
      this.#event({ type: 'Warning', reason: 'FailedCreatePodSandBox', message });
      return false;
    }
  }

  /** Starts a container. False where nothing was tried. */
  async start(
    { container, attempt, round }: Extract<Act, { kind: 'start' }>,
    volumes: ReadonlyMap<string, string>,
  ): Promise<boolean> {
    const { pod, state, sandbox } = this.#view;
    const live = state.sandbox;
    if (!live) return false;
    const request = {
      pod,
      container,
      attempt,
      round,
      live,
      sandbox: sandbox.config(pod, live),
      facts: this.#facts(),
      volumes,
      before: state.containers.get(container.name) ?? [],
      signal: this.#leaving,
      runningId: (name: string) => {
        const status = this.#view.state.containers.get(name)?.[0];
        return status?.state === 'running' ? status.id : undefined;
      },
    };
    try {
      await startContainer(this.#parts, request);
      this.holds.clear(container.name);
    } catch (error) {
      if (!(error instanceof StartFailure)) throw error;
      const path = containerPath(this.#view.pod, container.name);
      for (const note of this.holds.failed(container, error, this.#now()))
        this.#event({ ...note, ...path });
      if (error.ends !== undefined) await this.#endFailed(error.ends);
    }
    return true;
  }

  /** Its end is not waited for: the next passes see to that. */
  async #endFailed(id: string): Promise<void> {
    const status = await this.#parts.options.runtime.containerStatus(id);
    if (status) this.#stops.stop(status, { graceMs: undefined, why: 'FailedPostStartHook' });
  }

  #facts(): PodFacts {
    const { nodeIp, nodeName } = this.#parts.options;
    const { allocatable } = this.#parts.node;
    return { podIp: this.#view.sandbox.podIp ?? '', hostIp: nodeIp, nodeName, allocatable };
  }

  #event(note: EventNote): void {
    this.#parts.events.event(this.#view.pod, note);
  }

  #now(): number {
    return this.#parts.options.clock.now();
  }
}
