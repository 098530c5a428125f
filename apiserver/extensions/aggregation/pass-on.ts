// One request on its way to another API server, and its answer back.
// Invariants: bodies pass unbuffered; the caller's credentials and what it says of itself stay here, who it is goes along; path and
// query go as they were sent, but never in a form that means one thing here and another there; redirects are not followed or shown.
import { STATUS_CODES, StatusError } from '../../../api/status.ts';
import type { Reply, Request, UserInfo } from '../../../api/wire/exchange.ts';
import type { Clock } from '../../../base/clock.ts';
import { joinedConnection } from '../../handlers/joined-connection.ts';
import type { PassedReply } from '../../handlers/node-dialer.ts';
import { answerHeaders, isUpgrade, requestHeaders } from '../../handlers/proxy-headers.ts';
import { isLongRunning } from '../../inflight.ts';
import { textReply } from '../../reply.ts';
import type { RequestInfo } from '../../request-info.ts';
import type { RemoteApiService } from './api-service-table.ts';
import { framesIn, gathered } from './remote-frames.ts';
import type { RemoteServers } from './remote-server.ts';

/** Requests, but for watches and their like, that wait for one APIService's server at once. */
export const MAX_WAITING_REQUESTS = 200;
/** How long such a request may wait for its answer to begin, as upstream's --request-timeout. */
export const ANSWER_TIMEOUT_MS = 60_000;
/** When those who were turned away should come again. */
const RETRY_AFTER_SECONDS = 1;

/** How many requests wait for a server. */
export interface Waiting {
  now: number;
}

/** What requests are passed on with. */
export interface PassingParts {
  readonly servers: RemoteServers;
  readonly clock: Clock;
  readonly waiting: Waiting;
}

/** A request, who makes it, and whose it is. */
export interface PassingRequest {
  readonly remote: RemoteApiService;
  readonly request: Request;
  readonly user: UserInfo;
  readonly info: RequestInfo;
}

/** To a server that is not available, in upstream's words. */
export const unavailable = (): Reply => textReply('service unavailable\n', 503);

/** Passes it on. Throws StatusError: TooManyRequests, Timeout, NotFound. */
export async function passOn(parts: PassingParts, passing: PassingRequest): Promise<Reply> {
  const { request, info, remote, user } = passing;
  const target = targetOf(request);
  const forLong = isLongRunning(info) || isUpgrade(request);
  const ending = follow(request.signal);
  const wait = forLong ? undefined : beginWait(parts, ending.stop);
  try {
    const reply = await parts.servers.pass(remote, user, {
      method: request.method,
      target,
      headers: requestHeaders(request, target.replace(/\?.*/, '')),
      body: request.wire ? request.wire.body : bytesOf(request),
      signal: ending.signal,
    });
    return await replyOf(reply, passing, ending.release);
  } catch (error) {
    ending.release();
    if (wait?.isLate())
      throw new StatusError(
        'Timeout',
        'Timeout: request did not complete within the allotted timeout',
        { cause: error },
      );
    return textReply(
      `error trying to reach service: ${(error as Error).message}\n`,
      STATUS_CODES.ServiceUnavailable,
    );
  } finally {
    wait?.end();
  }
}

/** Takes one of the places; `stop` is called when the answer does not begin in time. */
function beginWait({ waiting, clock }: PassingParts, stop: (why: Error) => void) {
  if (waiting.now >= MAX_WAITING_REQUESTS)
    throw new StatusError('TooManyRequests', 'Too many requests, please try again later.', {
      details: { retryAfterSeconds: RETRY_AFTER_SECONDS },
    });
  waiting.now += 1;
  let late = false;
  const timer = clock.timer(ANSWER_TIMEOUT_MS, () => {
    late = true;
    stop(new Error('context deadline exceeded'));
  });
  const end = () => {
    timer.cancel();
    waiting.now -= 1;
  };
  return { isLate: () => late, end };
}

/** A signal that follows the caller's until it is released, and that can be set by itself. */
function follow(caller: AbortSignal) {
  const own = new AbortController();
  const leave = () => own.abort(new Error('context canceled'));
  if (caller.aborted) leave();
  caller.addEventListener('abort', leave, { once: true });
  return {
    signal: own.signal,
    stop: (why: Error) => own.abort(why),
    release: () => caller.removeEventListener('abort', leave),
  };
}

/** Path and query as they were sent; a caller in this process sends none, so they are written anew. */
function targetOf({ wire, path, query }: Request): string {
  const written = query.size === 0 ? '' : `?${query.toString()}`;
  const sent = wire?.target ?? encodeURI(path).replace(/[?#]/g, encodeURIComponent) + written;
  const mark = sent.indexOf('?');
  const segments = (mark < 0 ? sent : sent.slice(0, mark)).split('/').filter((one) => one !== '');
  // Empty segments mean nothing here; dots do, but another server may take them for a way up.
  if (segments.some((one) => /^(\.|%2e){1,2}$/i.test(one)))
    throw new StatusError('NotFound', 'the server could not find the requested resource');
  return `/${segments.join('/')}${mark < 0 ? '' : sent.slice(mark)}`;
}

function bytesOf({ body }: Request): Uint8Array | undefined {
  return body === undefined || body instanceof Uint8Array
    ? body
    : Buffer.from(JSON.stringify(body));
}

const REDIRECTED = 'the backend attempted to redirect this request, which is not permitted';

/** `done` is called when nothing more of the answer can come. */
async function replyOf(
  reply: PassedReply,
  { request, info }: PassingRequest,
  done: () => void,
): Promise<Reply> {
  if (reply.kind === 'upgrade') {
    reply.socket.once('close', done);
    return { kind: 'upgrade', connection: joinedConnection(reply) };
  }
  const { status, body } = reply;
  body.once('close', done);
  const headers = answerHeaders(reply.headers);
  if (status >= 300 && status < 400 && headers['location'] !== undefined) {
    body.destroy();
    return textReply(REDIRECTED, 502);
  }
  if (request.wire) return { kind: 'stream', status, headers, body };
  if (info.verb === 'watch' && status === 200)
    return { kind: 'watch', status, headers, frames: framesIn(body) };
  // Who is in this process wants it whole.
  return { kind: 'body', status, headers, body: await gathered(body) };
}
