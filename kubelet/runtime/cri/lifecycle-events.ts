// Keeps a view of the runtime up to date: by the runtime's own events where it tells them, and by listing, as upstream's agent does.
// Invariant: there is always a next list: whatever an event did not say is found by it.
import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/logger.ts';
import { GrpcError, type GrpcConnection } from './grpc.ts';
import { RUNTIME } from './services.ts';
import type { RuntimeView } from './view.ts';

/** How often everything is listed where the runtime tells no events, and where it does; as upstream. */
export const RELIST_PERIOD_MS = { unaided: 1_000, withEvents: 300_000 } as const;

/** What following needs. */
export interface FollowDoors {
  readonly connection: () => GrpcConnection;
  readonly view: RuntimeView;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Follows one runtime until told to end. */
export class LifecycleEvents {
  readonly #doors: FollowDoors;
  readonly #ending: AbortSignal;
  /** Ends the wait for the next list. */
  #wake = new AbortController();
  #evented = false;
  /** Why the last list failed; undefined when it did not. */
  problem: string | undefined;

  constructor(doors: FollowDoors, ending: AbortSignal) {
    this.#doors = doors;
    this.#ending = ending;
  }

  /** Resolves when it has ended. Never rejects. */
  async run(): Promise<void> {
    await Promise.all([this.#listen(), this.#list()]);
  }

  /** Lists now rather than later. */
  nudge(): void {
    this.#wake.abort();
  }

  async #list(): Promise<void> {
    const { clock } = this.#doors;
    while (!this.#ending.aborted) {
      const periodMs = this.#evented ? RELIST_PERIOD_MS.withEvents : RELIST_PERIOD_MS.unaided;
      this.#wake = new AbortController();
      const signal = AbortSignal.any([this.#ending, this.#wake.signal]);
      await clock.sleep(periodMs, signal).catch(() => undefined);
      if (!this.#ending.aborted) await this.#relist();
    }
  }

  async #relist(): Promise<void> {
    const { view, logger } = this.#doors;
    try {
      await view.relist();
      if (this.problem !== undefined) logger.info('the runtime answers again');
      this.problem = undefined;
    } catch (error) {
      const why = (error as Error).message;
      if (this.problem === undefined && !this.#ending.aborted)
        logger.warn('the runtime does not answer', { err: error });
      this.problem = why;
      // Its events may have ended unheard: the next list is not far.
      this.#evented = false;
    }
  }

  /** Ends for good where the runtime knows no events. */
  async #listen(): Promise<void> {
    const { clock, connection } = this.#doors;
    while (!this.#ending.aborted) {
      try {
        const events = connection().stream(RUNTIME.getContainerEvents, {}, this.#ending);
        for await (const { containerId } of events) {
          this.#evented = true;
          this.#heard(containerId);
        }
      } catch (error) {
        if (error instanceof GrpcError && error.code === 'UNIMPLEMENTED') return;
      }
      this.#evented = false;
      this.nudge();
      await clock.sleep(RELIST_PERIOD_MS.unaided, this.#ending).catch(() => undefined);
    }
  }

  /** One that is not known yet, or a sandbox, is found by a list. */
  #heard(id: string): void {
    const { view } = this.#doors;
    const known = view.containers.get(id);
    if (!known) this.nudge();
    // A failure is found by the next list.
    else view.refresh(id, known.status.sandboxId).catch(() => this.nudge());
  }
}
