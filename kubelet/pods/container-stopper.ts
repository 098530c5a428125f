// Stops containers in the background: preStop hook, their turn, stop signal, patience, force. As upstream's kubelet does it.
// Invariants: a container is stopped once, a shorter grace hurries it; hook, turn and signal share one grace period.
import type { Container, Pod } from '../../api/generated/types.ts';
import type { ContainerStatus } from '../runtime/runtime.ts';
import { HookTimeout, runHook } from './lifecycle-hook.ts';
import type { WorkerParts } from './worker-parts.ts';
import { containerPath } from './container-path.ts';

/** What a stop signal gets at least, when hook and turn have used the grace up. As upstream. */
const MIN_GRACE_MS = 2_000;

/** How a container is stopped. */
export interface StopOrder {
  readonly pod: Pod;
  readonly container: Container | undefined;
  readonly status: ContainerStatus;
  /** For all of it; 0 kills at once. */
  readonly graceMs: number;
  readonly podIp: string;
  /** Its signal comes only once `turn` says so, or when the grace is over. */
  readonly waits?: boolean;
}

interface Stopping {
  graceMs: number;
  /** Ends what hook and turn the newest order waits for. */
  hurry: AbortController;
  readonly turn: PromiseWithResolvers<void>;
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

  /** Those that a container which is being stopped waits for have ended. */
  turn(id: string): void {
    this.#stopping.get(id)?.turn.resolve();
  }

  /** Begins to stop a container, or hurries one that is being stopped with more patience. */
  stop(order: StopOrder): void {
    const { id } = order.status;
    const known = this.#stopping.get(id);
    if (known && known.graceMs <= order.graceMs) return;
    known?.hurry.abort(new Error('the grace period was shortened'));
    const { graceMs } = order;
    const stopping = known ?? {
      graceMs,
      hurry: new AbortController(),
      turn: Promise.withResolvers<void>(),
      runs: 0,
    };
    if (known) known.hurry = new AbortController();
    if (!order.waits) stopping.turn.resolve();
    stopping.graceMs = graceMs;
    stopping.runs += 1;
    this.#stopping.set(id, stopping);
    // Nobody waits for it: its end is told by onStopped, and its failure by the log.
    void this.#run(order, { stopping, hook: !known })
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

  /** A hook that was begun is not begun again. */
  async #run(order: StopOrder, how: { stopping: Stopping; hook: boolean }): Promise<void> {
    const { clock, runtime } = this.#parts.options;
    const { signal } = how.stopping.hurry;
    const begun = clock.monotonic();
    const left = () => order.graceMs - (clock.monotonic() - begun);
    if (how.hook) await this.#preStop(order, signal);
    if (signal.aborted) return;
    await this.#turn(how.stopping.turn.promise, { leftMs: left(), signal });
    if (signal.aborted) return;
    const graceMs = order.graceMs === 0 ? 0 : Math.max(MIN_GRACE_MS, left());
    await runtime.stopContainer(order.status.id, graceMs);
  }

  async #turn(
    turn: Promise<void>,
    { leftMs, signal }: { leftMs: number; signal: AbortSignal },
  ): Promise<void> {
    if (leftMs <= 0) return;
    const over = Promise.withResolvers<void>();
    const timer = this.#parts.options.clock.timer(leftMs, () => over.resolve());
    signal.addEventListener('abort', () => over.resolve(), { once: true });
    await Promise.race([turn, over.promise]);
    timer.cancel();
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
      // One that only takes longer than the grace is not told, as upstream.
      if (hurry.aborted || error instanceof HookTimeout) return;
      const fields = { container: status.name, id: status.id, err: error };
      this.#parts.options.logger.warn('a preStop hook failed', fields);
      // Why it failed may hold secrets of what was asked, as upstream has it.
      const message = 'PreStopHook failed';
      this.#parts.events.event(pod, {
        type: 'Warning',
        reason: 'FailedPreStopHook',
        message,
        ...containerPath(pod, status.name),
      });
    }
  }
}
