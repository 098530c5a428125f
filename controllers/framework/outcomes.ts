// What becomes of a key after its reconcile: done, again later, again with growing waits, or not until it changes.
// Invariant: no failure is silent, and a key that asks to come again at once lets others have their turn first.
import type { Logger } from '../../base/logger.ts';
import { isConflict, isNamespaceTerminating } from '../../api/status.ts';
import type { QueueCounters } from '../../client/workqueue/queue-observer.ts';
import type { RateLimitedQueue } from '../../client/workqueue/rate-limited.ts';
import type { Outcome, ReconcileObserver } from './reconcile-figures.ts';
import { type Result, TerminalError } from './reconciler.ts';

/** The least wait of `requeueAfter`: less would let a key that asks for nothing hold up the program. */
export const MIN_REQUEUE_MS = 1;

/** What a controller has done so far. */
export interface ControllerCounters {
  readonly queue: QueueCounters;
  reconciles: number;
  errors: number;
  terminalErrors: number;
  /** Reconciles whose time was up. */
  timeouts: number;
  /** Changes over which a map function or a predicate threw. */
  unreadChanges: number;
  /** Keys found to keep themselves busy. */
  hotKeys: number;
}

/** Counters at nought. */
export const noCounts = (queue: QueueCounters): ControllerCounters => ({
  queue,
  reconciles: 0,
  errors: 0,
  terminalErrors: 0,
  timeouts: 0,
  unreadChanges: 0,
  hotKeys: 0,
});

/** What outcomes go to. */
export interface OutcomeParts {
  readonly queue: RateLimitedQueue;
  readonly counters: ControllerCounters;
  readonly observer: ReconcileObserver;
  /** The controller's end. */
  readonly signal: AbortSignal;
}

/** Puts the key where its result says. To be called while the key is still with its worker. */
export function settle({ queue }: OutcomeParts, key: string, result: Result): Outcome {
  queue.forget(key);
  if (result.kind === 'done') return 'success';
  queue.addAfter(key, Math.max(MIN_REQUEUE_MS, result.ms), queue.laneOf(key));
  return 'requeue_after';
}

/** Puts the key where its failure says. To be called while the key is still with its worker. */
export function settleFailure(
  parts: OutcomeParts,
  { key, logger }: { readonly key: string; readonly logger: Logger },
  error: unknown,
): Outcome {
  const { queue, counters, observer } = parts;
  // The key's own namespace goes, and the key with it: trying again would only make noise. Another one may come again.
  if (isNamespaceTerminating(error, namespaceOf(key))) {
    queue.forget(key);
    logger.debug('nothing more is made in a namespace that ends');
    return 'success';
  }
  counters.errors++;
  const err = error instanceof Error ? error : new Error(`thrown: ${String(error)}`);
  if (error instanceof TerminalError) {
    counters.terminalErrors++;
    observer.failedForGood();
    queue.forget(key);
    logger.error('reconcile failed for good; waiting for the object to change', { err });
    return 'error';
  }
  // A conflict only means that the cache was behind; the retry reads the newer state.
  const behind = isConflict(error);
  const retryInMs = queue.addRateLimited(key, { lane: queue.laneOf(key), free: behind });
  logger[behind ? 'debug' : 'error']('reconcile failed; trying again', { retryInMs, err });
  return 'error';
}

/** The namespace of a key; one of a cluster-scoped object has none, and '' is no namespace's name. */
const namespaceOf = (key: string): string => key.slice(0, Math.max(0, key.indexOf('/')));
