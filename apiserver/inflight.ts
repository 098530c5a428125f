// How many requests are worked on at once, and the answer to those beyond: 429, come again in a second.
// Invariants: what runs for long (watches, logs, exec, proxies) is counted apart, until it is over; an administrator always comes through, so that
// an overloaded cluster can be mended; each request that entered leaves exactly once.
import { SUPERUSERS } from '../api/rbac/evaluate.ts';
import { StatusError } from '../api/status.ts';
import type { Reply, Request, UserInfo } from '../api/wire/exchange.ts';
import { overseen } from './overseen.ts';
import type { RequestInfo } from './request-info.ts';

/** Default of maxRequestsInflight: requests that read, at once. */
export const MAX_REQUESTS_INFLIGHT = 400;
/** Default of maxMutatingRequestsInflight: requests that write, at once. */
export const MAX_MUTATING_REQUESTS_INFLIGHT = 200;
/** Default of maxLongRunning: watches, logs and connections that are open at once. Each costs some 50 KiB and a file descriptor. */
export const MAX_LONG_RUNNING = 20_000;
/** When those who were turned away should come again. */
export const RETRY_AFTER_SECONDS = 1;

/** Limits; upstream's of --max-requests-inflight and --max-mutating-requests-inflight unless given. */
export interface InflightOptions {
  readonly maxRequestsInflight?: number | undefined;
  readonly maxMutatingRequestsInflight?: number | undefined;
  /** Upstream has none. */
  readonly maxLongRunning?: number | undefined;
}

/** The kinds that are counted apart. */
export type InflightKind = 'readOnly' | 'mutating' | 'longRunning';

const READING = new Set(['get', 'list', 'watch', 'head', 'options']);
const LONG_SUBRESOURCES = new Set(['exec', 'attach', 'portforward', 'log', 'proxy']);

/** Does it run until somebody ends it? */
export const isLongRunning = (info: RequestInfo): boolean =>
  info.verb === 'watch' ||
  (info.kind === 'resource' && LONG_SUBRESOURCES.has(info.subresource ?? ''));

function kindOf(info: RequestInfo): InflightKind {
  if (isLongRunning(info)) return 'longRunning';
  return READING.has(info.verb) ? 'readOnly' : 'mutating';
}

/** Counts requests that are being worked on. */
export class Inflight {
  readonly #limits: Readonly<Record<InflightKind, number>>;
  /** How many there are now. */
  readonly now: Record<InflightKind, number> = { readOnly: 0, mutating: 0, longRunning: 0 };

  constructor(options: InflightOptions = {}) {
    this.#limits = {
      readOnly: options.maxRequestsInflight ?? MAX_REQUESTS_INFLIGHT,
      mutating: options.maxMutatingRequestsInflight ?? MAX_MUTATING_REQUESTS_INFLIGHT,
      longRunning: options.maxLongRunning ?? MAX_LONG_RUNNING,
    };
  }

  /** Takes a request in; what it answers is to be given to `leave`. Throws TooManyRequests. */
  enter(user: UserInfo, info: RequestInfo): InflightKind {
    const kind = kindOf(info);
    if (this.now[kind] >= this.#limits[kind] && !user.groups.includes(SUPERUSERS))
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

/**
 * The reply; `over` is called once when it is: at once for a body, else with its last frame, its reader's leaving or the
 * end of its connection.
 */
export function untilOver(
  reply: Reply,
  { signal }: Pick<Request, 'signal'>,
  over: () => void,
): Reply {
  if (reply.kind === 'body') {
    over();
    return reply;
  }
  let open = true;
  const end = () => {
    if (open) over();
    open = false;
    signal.removeEventListener('abort', end);
  };
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  if (reply.kind === 'watch') return { ...reply, frames: overseen(reply.frames, { end }) };
  if (reply.kind === 'stream') return { ...reply, body: overseen(reply.body, { end }) };
  const { connection } = reply;
  const accept: typeof connection.accept = (socket, head) => {
    socket.once('close', end);
    connection.accept(socket, head);
  };
  return { kind: 'upgrade', connection: { headers: connection.headers, accept } };
}
