// Leader election by a Lease: at most one holder acts at a time, as long as clocks run at nearly the same rate.
// Invariants: the leading signal is aborted before anybody may take over, whatever becomes of requests: at the renew deadline,
// counted from when the last renewal was sent; another waits a lease's duration from when it last saw it change. No wall clock
// is compared with another's. The Lease is renewed until the work has ended, after a stop too; the work's writes are for whoever
// leads to fence, by the term that it is given.
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import type { Lease } from '../../api/generated/types.ts';
import { Leases } from '../../api/kinds.ts';
import { isConflict, isNotFound } from '../../api/status.ts';
import type { Client, ResourceClient } from '../rest/client.ts';
import type { ElectionFigures, ElectionObserver } from './election-figures.ts';
import { RunningTerm, type Term } from './term.ts';

/** Upstream's defaults: others wait 15 s after the last renewal, a leader gives up after 10 s, both try every 2 s. */
export const ELECTION_TIMES = {
  leaseDurationMs: 15_000,
  renewDeadlineMs: 10_000,
  retryPeriodMs: 2_000,
};
/** The share of the retry period by which attempts are spread, so that candidates do not meet. */
const RETRY_JITTER = 0.2;

/** Which Lease, who, and how long. */
export interface ElectionOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  readonly figures?: ElectionFigures | undefined;
  readonly leaseDurationMs?: number;
  readonly renewDeadlineMs?: number;
  readonly retryPeriodMs?: number;
}

/** What is done while leading: until the signal aborts, and with no write that the term's `check` refuses. */
export type Lead = (signal: AbortSignal, term: Term) => Promise<void>;

/**
 * Waits for leadership, runs `lead` while it lasts, and starts over until the signal aborts or `lead` ends
 * by itself. The signal given to `lead` aborts when leadership is lost; the Lease is released on the way out.
 * Rejects with what `lead` rejects with; not with its signal's own reason,
 * and not with what comes of losing the Lease.
 */
export async function runElection(
  options: ElectionOptions,
  lead: Lead,
  signal: AbortSignal,
): Promise<void> {
  const candidate = new Candidate(options);
  while (!signal.aborted) {
    if (!(await candidate.acquire(signal))) return;
    await serve(candidate, lead, signal);
    if (!candidate.lost) return;
  }
}

/** One term: leads and renews until either ends, then lets go of the Lease. */
async function serve(candidate: Candidate, lead: Lead, signal: AbortSignal): Promise<void> {
  const term = candidate.begin();
  const onAbort = () => term.stop(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  let failedFirst = false;
  const endTerm = () => {
    failedFirst = !term.signal.aborted;
    term.end('the leader has ended');
  };
  const [work] = await Promise.allSettled([
    lead(term.signal, term).finally(endTerm),
    candidate.keep(term),
  ]);
  signal.removeEventListener('abort', onAbort);
  await candidate.release();
  if (work.status === 'fulfilled' || work.reason === term.signal.reason) return;
  // Losing the Lease ends the term, not the candidacy, however the work takes it.
  if (failedFirst || !candidate.lost) throw work.reason;
  candidate.failedAfterLoss(work.reason);
}

class Candidate {
  /** Did the last term end because the Lease could not be renewed? */
  lost = false;
  readonly #options: ElectionOptions;
  readonly #times: typeof ELECTION_TIMES;
  readonly #leases: ResourceClient<Lease>;
  readonly #observer: ElectionObserver | undefined;
  #seen: Lease | undefined;
  /** When the record last changed, by our own clock: other machines' clocks are not trusted. */
  #seenAt = 0;
  /** When the request was sent that took the Lease: what it says counts from then on. */
  #acquiredAt = 0;

  constructor(options: ElectionOptions) {
    this.#options = options;
    this.#times = {
      leaseDurationMs: options.leaseDurationMs ?? ELECTION_TIMES.leaseDurationMs,
      renewDeadlineMs: options.renewDeadlineMs ?? ELECTION_TIMES.renewDeadlineMs,
      retryPeriodMs: options.retryPeriodMs ?? ELECTION_TIMES.retryPeriodMs,
    };
    this.#leases = options.client.resource(Leases);
    this.#observer = options.figures?.observer(options.name);
  }

  /** Tries until it holds the Lease; false when the signal aborted first. */
  async acquire(signal: AbortSignal): Promise<boolean> {
    this.lost = false;
    while (!signal.aborted) {
      const triedAt = this.#options.clock.monotonic();
      if (await this.#attempt(signal)) {
        this.#acquiredAt = triedAt;
        this.#options.logger.info('leading', { lease: this.#options.name });
        this.#observer?.leads(true);
        return true;
      }
      await this.#pause(signal);
    }
    return false;
  }

  /** A term, from the request on that took the Lease. */
  begin(): RunningTerm {
    const { clock } = this.#options;
    const { renewDeadlineMs } = this.#times;
    const lose = (term: RunningTerm) => this.#lose(term);
    return new RunningTerm({ clock, renewDeadlineMs, acquiredAt: this.#acquiredAt, lose });
  }

  /** Renews until the term is over; ends it at the deadline of the last renewal, or once another has the Lease. */
  async keep(term: RunningTerm): Promise<void> {
    const { clock } = this.#options;
    while (!term.over.aborted) {
      const attempt = new AbortController();
      const timer = clock.timer(term.leftMs, () => {
        this.#lose(term);
        attempt.abort(new Error('renewing took too long'));
      });
      await this.#pause(term.over);
      const triedAt = clock.monotonic();
      const renewed = !term.over.aborted && (await this.#attempt(attempt.signal));
      timer.cancel();
      if (renewed) term.renewed(triedAt);
      else if (this.#takenOver()) this.#lose(term);
    }
    this.#observer?.leads(false);
  }

  #lose(term: RunningTerm): void {
    if (term.over.aborted) return;
    const { logger, name } = this.#options;
    logger.warn('leadership is lost', { lease: name });
    this.#observer?.leads(false);
    this.lost = true;
    term.end(`the lease ${name} could not be renewed`);
  }

  /** Notes what the work made of the loss. */
  failedAfterLoss(error: unknown): void {
    const { logger, name } = this.#options;
    logger.warn('the work of a lost term failed', { lease: name, err: error });
  }

  /** Lets others in at once. What goes wrong here only makes them wait. */
  async release(): Promise<void> {
    if (this.lost || this.#seen?.spec?.holderIdentity !== this.#options.identity) return;
    const spec = { ...this.#seen.spec, holderIdentity: '', leaseDurationSeconds: 1 };
    try {
      this.#see(await this.#leases.update({ ...this.#seen, spec }));
    } catch (error) {
      this.#options.logger.debug('the lease could not be released', { err: error });
    }
  }

  /** One try to take or renew the Lease: at once where it was ours when we last saw it, else after a look at it. */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    const { name, identity, logger } = this.#options;
    try {
      if (this.#seen?.spec?.holderIdentity === identity) {
        if (await this.#renewAsSeen(this.#seen, signal)) return true;
        this.#observer?.tookSlowPath();
      }
      return await this.#lookAndTake(signal);
    } catch (error) {
      if (!signal.aborted) logger.debug('the lease could not be had', { lease: name, err: error });
      return false;
    }
  }

  /** False where somebody wrote or deleted it meanwhile. */
  async #renewAsSeen(seen: Lease, signal: AbortSignal): Promise<boolean> {
    try {
      this.#see(await this.#leases.update(this.#record(seen), { signal }));
      return true;
    } catch (error) {
      if (isConflict(error) || isNotFound(error)) return false;
      throw error;
    }
  }

  async #lookAndTake(signal: AbortSignal): Promise<boolean> {
    const { namespace, name } = this.#options;
    const found = await this.#leases.get({ namespace, name }, { signal }).catch((error) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (!found) {
      this.#see(await this.#leases.create(this.#record(undefined), { signal }));
      return true;
    }
    this.#see(found);
    if (!this.#mayTake(found)) return false;
    this.#see(await this.#leases.update(this.#record(found), { signal }));
    return true;
  }

  #mayTake(lease: Lease): boolean {
    const holder = lease.spec?.holderIdentity ?? '';
    if (holder === '' || holder === this.#options.identity) return true;
    const seconds = lease.spec?.leaseDurationSeconds;
    const duration = seconds === undefined ? this.#times.leaseDurationMs : seconds * 1000;
    return this.#options.clock.monotonic() - this.#seenAt >= duration;
  }

  #takenOver(): boolean {
    const holder = this.#seen?.spec?.holderIdentity ?? '';
    return holder !== '' && holder !== this.#options.identity;
  }

  #see(lease: Lease): void {
    if (lease.metadata.resourceVersion === this.#seen?.metadata.resourceVersion) return;
    this.#seen = lease;
    this.#seenAt = this.#options.clock.monotonic();
  }

  #record(found: Lease | undefined): Lease {
    const { namespace, name, identity, clock } = this.#options;
    const now = microTime(clock.now());
    const before = found?.spec;
    const mine = before?.holderIdentity === identity;
    const transitions = before?.leaseTransitions ?? 0;
    return {
      ...(found ?? { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' }),
      metadata: found?.metadata ?? { namespace, name },
      spec: {
        ...before,
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(this.#times.leaseDurationMs / 1000),
        acquireTime: (mine ? before.acquireTime : undefined) ?? now,
        renewTime: now,
        leaseTransitions: found && !mine ? transitions + 1 : transitions,
      },
    };
  }

  #pause(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const ms = this.#times.retryPeriodMs * (1 + RETRY_JITTER * random.next());
    return clock.sleep(ms, signal).catch(() => undefined);
  }
}

/** Microseconds precision, as metav1.MicroTime is written. */
const microTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z');
