// One term of a leader: when it may work, and until when it may write.
// Invariant: once `over` has aborted it stays so, and `check` throws from the moment on at which the last renewal is too old,
// also where the process stood still and none of its timers has fired yet.
import type { Clock } from '../../base/clock.ts';

/** Why a term's writes are refused: another program may lead by now. */
export class LeadershipLost extends Error {
  override readonly name = 'LeadershipLost';
}

/** What the work of a term has to heed. */
export interface Term {
  /** Aborts, with LeadershipLost, once nothing may be written any more: the lead is lost, or the work has ended. Not at a stop in order. */
  readonly over: AbortSignal;
  /** To be called before each write. Throws LeadershipLost where nothing may be written any more. */
  check(): void;
}

/** What a term goes by. */
export interface TermOptions {
  readonly clock: Clock;
  /** How long after a renewal was sent the lead lasts. */
  readonly renewDeadlineMs: number;
  /** When the request was sent that took the Lease, by the clock's monotonic time. */
  readonly acquiredAt: number;
  /** Called when the last renewal is found to be too old; is to end the term. */
  lose(term: RunningTerm): void;
}

/** A term, as its candidate keeps it. */
export class RunningTerm implements Term {
  readonly #options: TermOptions;
  readonly #work = new AbortController();
  readonly #over = new AbortController();
  #renewedAt: number;

  constructor(options: TermOptions) {
    this.#options = options;
    this.#renewedAt = options.acquiredAt;
  }

  /** Aborts when the work is to end: it was told to stop, or the term is over. */
  get signal(): AbortSignal {
    return this.#work.signal;
  }

  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Milliseconds until the lead is lost; less than 0 where that is past. */
  get leftMs(): number {
    const { clock, renewDeadlineMs } = this.#options;
    return this.#renewedAt + renewDeadlineMs - clock.monotonic();
  }

  check(): void {
    if (!this.over.aborted && this.leftMs <= 0) this.#options.lose(this);
    this.over.throwIfAborted();
  }

  /** The Lease was renewed by a request that was sent then. */
  renewed(sentAt: number): void {
    this.#renewedAt = sentAt;
  }

  /** Tells the work to end; it may write until it has, as long as the Lease is renewed. */
  stop(reason: unknown): void {
    this.#work.abort(reason);
  }

  /** Ends work and writes. */
  end(why: string): void {
    const reason = new LeadershipLost(why);
    this.#work.abort(reason);
    this.#over.abort(reason);
  }
}
