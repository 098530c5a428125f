// Stops containers in the background: preStop hook, stop signal, patience, force.
// Invariants: a container is stopped once, a shorter grace hurries it; the hook and the signal share one grace period.
import type { Container, Pod } from '../../api/generated/types.ts';
import type { ContainerStatus } from '../runtime/runtime.ts';
import { runHook } from './lifecycle-hook.ts';
import type { WorkerParts } from './worker-parts.ts';

/** What a stop signal gets at least, when a preStop hook has used the grace up. As upstream. */
const MIN_GRACE_MS = 2_000;

/** How a container is stopped. */
export interface StopOrder {
  readonly pod: Pod;
  readonly container: Container | undefined;
  readonly status: ContainerStatus;
  readonly graceMs: number;
  readonly podIp: string;
}

interface Stopping {
  graceMs: number;
  readonly hurry: AbortController;
  runs: number;
}

/** The stops of one pod's containers that are under way. */
export class ContainerStopper {
  readonly #parts: WorkerParts;
  readonly #onStopped: () => void;
  readonly #stopping = new Map<string, Stopping>();

  /** `onStopped` is called after each stop, whatever came of it. */
  constructor(parts: WorkerParts, onStopped: () => void) {
    this.#parts = parts;
    this.#onStopped = onStopped;
  }

  /** Is it being stopped? */
  has(id: string): boolean {
    return this.#stopping.has(id);
  }

  /** Begins to stop a container, or hurries one that is being stopped with more patience. */
  stop(order: StopOrder): void {
    const { id } = order.status;
    const known = this.#stopping.get(id);
    if (known && known.graceMs <= order.graceMs) return;
    const stopping = known ?? { graceMs: order.graceMs, hurry: new AbortController(), runs: 0 };
    stopping.graceMs = order.graceMs;
    this.#stopping.set(id, stopping);
    if (known) known.hurry.abort(new Error('the grace period was shortened'));
    const work = known ? this.#kill(order) : this.#run(order, stopping.hurry.signal);
    stopping.runs += 1;
    // Nobody waits for it: its end is told by onStopped, and its failure by the log.
    void work
      .catch((error: unknown) =>
        this.#parts.options.logger.warn('a container could not be stopped', {
          container: order.status.name,
          id,
          err: error,
        }),
      )
      .finally(() => {
        stopping.runs -= 1;
        if (stopping.runs === 0) this.#stopping.delete(id);
        this.#onStopped();
      });
  }

  async #run(order: StopOrder, hurry: AbortSignal): Promise<void> {
    const { clock } = this.#parts.options;
    const begun = clock.monotonic();
    await this.#preStop(order, hurry);
    if (hurry.aborted) return;
    const left = order.graceMs - (clock.monotonic() - begun);
    await this.#kill({ ...order, graceMs: order.graceMs === 0 ? 0 : Math.max(MIN_GRACE_MS, left) });
  }

  #kill({ status, graceMs }: StopOrder): Promise<void> {
    return this.#parts.options.runtime.stopContainer(status.id, graceMs);
  }

  async #preStop(order: StopOrder, hurry: AbortSignal): Promise<void> {
    const { container, status, graceMs, pod, podIp } = order;
    const hook = container?.lifecycle?.preStop;
    if (!hook || !container || status.state !== 'running' || graceMs === 0) return;
    const { runtime, clock, host } = this.#parts.options;
    const { probes } = host;
    try {
      const target = { runtime, clock, probes, container, containerId: status.id, podIp };
      await runHook(hook, target, { timeoutMs: graceMs, signal: hurry });
    } catch (error) {
      if (hurry.aborted) return;
      const message = `PreStopHook failed: ${(error as Error).message}`;
      this.#parts.events.event(pod, { type: 'Warning', reason: 'FailedPreStopHook', message });
    }
  }
}
