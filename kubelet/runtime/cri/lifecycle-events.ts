// Keeps a view of the runtime up to date: by the runtime's own events where it tells them, and by listing, as upstream's agent does.
// Invariant: there is always a next list: whatever an event did not say is found by it.
import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/logger.ts';
import { type RuntimeNews, runtimeNews } from './event-streams.ts';
import type { GrpcConnection } from './grpc.ts';
import type { RuntimeView } from './view.ts';

/** How often everything is listed where the runtime tells no events, and where it does; as upstream. */
export const RELIST_PERIOD_MS = { unaided: 1_000, withEvents: 300_000 } as const;

/** An end that was told may not be in the container's status yet: it is looked for again after these. */
const LOOK_AGAIN_MS = [5, 20, 50, 100, 200, 500, 1_000, 2_000];

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
      const signal = AbortSignal.any([this.#ending, this.#wake.signal]);
      await clock.sleep(periodMs, signal).catch(() => undefined);
      // Whoever nudges from here on may know of more than this list will say: another follows.
      this.#wake = new AbortController();
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

  /** Ends for good where the runtime tells no news. */
  async #listen(): Promise<void> {
    const { clock, connection } = this.#doors;
    while (!this.#ending.aborted) {
      try {
        const news = runtimeNews(connection(), this.#ending);
        let next = await news.next();
        for (; !next.done; next = await news.next()) {
          this.#evented = true;
          void this.#heard(next.value);
        }
        if (next.value === 'none') return;
      } catch {
        // The list, which fails too, tells it.
      }
      this.#evented = false;
      this.nudge();
      await clock.sleep(RELIST_PERIOD_MS.unaided, this.#ending).catch(() => undefined);
    }
  }

  /** One that is not known yet, or a sandbox, is found by a list. Never rejects. */
  async #heard({ id, ended }: RuntimeNews): Promise<void> {
    const { view, clock } = this.#doors;
    const known = view.containers.get(id);
    if (!known) return this.nudge();
    try {
      for (const waitMs of LOOK_AGAIN_MS) {
        const status = await view.refresh(id, known.status.sandboxId);
        if (!ended || !status || status.state === 'exited') return;
        await clock.sleep(waitMs, this.#ending);
      }
    } catch {
      // The next list finds it.
    }
    this.nudge();
  }
}
