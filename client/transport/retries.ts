// When a request is made again, over whichever transport.
// Invariant: only what cannot have been done is made again (reads, and writes that a 429 put off), and only so often.
import { StatusError } from '../../api/status.ts';
import { backoffDelay } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import { ConnectionError } from './connection-error.ts';
import { acceptReply, failureOf, type RawReply, retryAfterSeconds } from './reply.ts';
import type { TransportReply, TransportRequest } from './transport.ts';

/** How patient a transport is. */
export interface RetryLimits {
  /**
   * How often a read that was refused for now (429, 503), or whose connection broke, is made again; and a write
   * that a 429 with Retry-After put off.
   */
  readonly maxRetries: number;
  /** A Retry-After above this is taken for this. */
  readonly maxRetryAfterMs: number;
}

/** The limits unless told. */
export const RETRY_LIMITS: RetryLimits = { maxRetries: 4, maxRetryAfterMs: 30_000 };

/** Pauses between attempts where the server names none. */
const RETRY_BACKOFF = { initialMs: 100, maxMs: 5_000 };

/** What trying again needs. */
export interface RetryParts {
  readonly clock: Clock;
  readonly limits: RetryLimits;
  /** Ends the pauses; asked for only when there is one. */
  readonly signal: () => AbortSignal | undefined;
}

/** Makes the request by `once`, again where that may help. Throws what the last attempt threw or was answered. */
export async function withRetries(
  { method }: Pick<TransportRequest, 'method'>,
  once: () => Promise<RawReply>,
  { clock, limits, signal }: RetryParts,
): Promise<TransportReply> {
  const isRead = method === 'GET' || method === 'HEAD';
  for (let attempt = 0; ; attempt++) {
    let error: unknown;
    let retryAfterMs: number | undefined;
    try {
      const raw = await once();
      if (raw.status < 400) return acceptReply(raw);
      error = failureOf(raw);
      const seconds = retryAfterSeconds(raw);
      retryAfterMs = seconds === undefined ? undefined : seconds * 1000;
    } catch (caught) {
      error = caught;
    }
    // A 429 that says when to come back did nothing; without Retry-After (an eviction that a budget forbids)
    // it is an answer for the caller.
    const undone = retryAfterMs !== undefined && isTooMany(error);
    const may = undone || (isRead && isPassing(error));
    if (!may || attempt >= limits.maxRetries || signal()?.aborted) throw error;
    const pause = retryAfterMs ?? backoffDelay(attempt, RETRY_BACKOFF);
    await clock.sleep(Math.min(pause, limits.maxRetryAfterMs), signal());
  }
}

function isTooMany(error: unknown): boolean {
  return error instanceof StatusError && error.code === 429;
}

/** May the same read well succeed in a moment? */
function isPassing(error: unknown): boolean {
  if (error instanceof StatusError) return isTooMany(error) || error.code === 503;
  return error instanceof ConnectionError && error.failure === 'lost' && !isRefusal(error);
}

/** Nobody listens, or a certificate is wrong: waiting a moment does not help, and callers have their own patience. */
function isRefusal(error: ConnectionError): boolean {
  const { code } = error;
  return code !== undefined && code !== 'ECONNRESET' && code !== 'EPIPE';
}
