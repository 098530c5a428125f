// How many requests are worked on at once, and the answer to those beyond: 429, come again in a second.
// Invariants: what runs for long (watches, logs, exec, proxies) is not counted; an administrator always comes through, so that
// an overloaded cluster can be mended; each request that entered leaves exactly once.
import { StatusError } from '../api/status.ts';
import type { UserInfo } from '../api/wire/exchange.ts';
import type { RequestInfo } from './request-info.ts';

/** Default of maxRequestsInflight: requests that read, at once. */
export const MAX_REQUESTS_INFLIGHT = 400;
/** Default of maxMutatingRequestsInflight: requests that write, at once. */
export const MAX_MUTATING_REQUESTS_INFLIGHT = 200;
/** When those who were turned away should come again. */
export const RETRY_AFTER_SECONDS = 1;

/** Limits; upstream's of --max-requests-inflight and --max-mutating-requests-inflight unless given. */
export interface InflightOptions {
  readonly maxRequestsInflight?: number | undefined;
  readonly maxMutatingRequestsInflight?: number | undefined;
}

/** The two kinds that are counted apart. */
export type InflightKind = 'readOnly' | 'mutating';

const READING = new Set(['get', 'list', 'watch', 'head', 'options']);
const LONG_SUBRESOURCES = new Set(['exec', 'attach', 'portforward', 'log', 'proxy']);
const EXEMPT_GROUP = 'system:masters';

/** Does it run until somebody ends it? */
export const isLongRunning = (info: RequestInfo): boolean =>
  info.verb === 'watch' ||
  (info.kind === 'resource' && LONG_SUBRESOURCES.has(info.subresource ?? ''));

/** Counts requests that are being worked on. */
export class Inflight {
  readonly #limits: Readonly<Record<InflightKind, number>>;
  /** How many there are now. */
  readonly now: Record<InflightKind, number> = { readOnly: 0, mutating: 0 };

  constructor(options: InflightOptions = {}) {
    this.#limits = {
      readOnly: options.maxRequestsInflight ?? MAX_REQUESTS_INFLIGHT,
      mutating: options.maxMutatingRequestsInflight ?? MAX_MUTATING_REQUESTS_INFLIGHT,
    };
  }

  /** Takes a request in; what it answers is to be given to `leave`. Throws TooManyRequests. */
  enter(user: UserInfo, info: RequestInfo): InflightKind | undefined {
    if (isLongRunning(info)) return undefined;
    const kind = READING.has(info.verb) ? 'readOnly' : 'mutating';
    if (this.now[kind] >= this.#limits[kind] && !user.groups.includes(EXEMPT_GROUP))
      throw new StatusError('TooManyRequests', 'Too many requests, please try again later.', {
        details: { retryAfterSeconds: RETRY_AFTER_SECONDS },
      });
    this.now[kind] += 1;
    return kind;
  }

  /** The request is answered. */
  leave(kind: InflightKind | undefined): void {
    if (kind !== undefined) this.now[kind] -= 1;
  }
}
