// The transport over a Handler in this process: no sockets, no bytes made or parsed that are not needed.
// Invariant: the same outcomes as over HTTP, and the same pipeline: identity is given, not assumed.
import type { WebSocket } from 'ws';
import type { Handler, Reply, Request, UserInfo, WatchFrame } from '../../api/wire/exchange.ts';
import { type Clock, systemClock } from '../../base/clock.ts';
import { decodePath } from '../../api/wire/request-path.ts';
import type { WatchEventObject } from '../../api/wire/exchange.ts';
import { abortError, ConnectionError } from './connection-error.ts';
import { upgradeInProcess } from './in-process-upgrade.ts';
import { failureOf, searchParams, splitAtError } from './reply.ts';
import type { RawReply } from './reply.ts';
import { RETRY_LIMITS, type RetryLimits, withRetries } from './retries.ts';
import type { Transport, TransportReply, TransportRequest } from './transport.ts';

/** What a transport may be told. */
export interface InProcessOptions {
  /** Owns what is written, unless a call names another field manager; `pinnace` unless given. */
  readonly userAgent?: string;
  /** Times the pauses before a request is made again. */
  readonly clock?: Clock;
  readonly limits?: RetryLimits;
}

/**
 * A transport that calls `handler` as `user`. Objects it answers are frozen and shared. A request that the server puts
 * off is made again when it says (retries.ts): those in this process wait in the same line as all others.
 */
export function createInProcessTransport(
  handler: Handler,
  user: UserInfo,
  options: InProcessOptions = {},
): Transport {
  return new InProcessTransport(handler, user, options);
}

class InProcessTransport implements Transport {
  readonly #handler: Handler;
  readonly #user: UserInfo;
  readonly #userAgent: string;
  readonly #clock: Clock;
  readonly #limits: RetryLimits;
  readonly #closed = new AbortController();

  constructor(handler: Handler, user: UserInfo, options: InProcessOptions) {
    this.#handler = handler;
    this.#user = user;
    this.#userAgent = options.userAgent ?? 'pinnace';
    this.#clock = options.clock ?? systemClock;
    this.#limits = options.limits ?? RETRY_LIMITS;
  }

  request(request: TransportRequest): Promise<TransportReply> {
    const closed = this.#closed.signal;
    return withRetries(request, () => this.#once(request), {
      clock: this.#clock,
      limits: this.#limits,
      signal: () => (request.signal ? AbortSignal.any([request.signal, closed]) : closed),
    });
  }

  async #once(request: TransportRequest): Promise<RawReply> {
    const reply = await this.#send(request, request.signal ?? this.#closed.signal);
    if (reply.kind === 'body') return rawOf(reply);
    if (reply.kind === 'stream') return gather(reply);
    throw new ConnectionError('malformed', `a plain request was answered by a ${reply.kind}`);
  }

  async *watch(request: TransportRequest): AsyncGenerator<readonly WatchEventObject[]> {
    const gone = new AbortController();
    const unlink = follow(gone, [request.signal, this.#closed.signal]);
    try {
      const reply = await this.#send(request, gone.signal);
      if (reply.kind === 'body') throw failureOf(rawOf(reply));
      if (reply.kind !== 'watch')
        throw new ConnectionError('malformed', `a watch was answered by a ${reply.kind}`);
      for await (const frames of reply.frames) {
        const { good, error } = splitAtError(frames.map(eventOf));
        if (good.length > 0) yield good;
        if (error) throw error;
      }
      if (gone.signal.aborted) throw abortError(gone.signal);
    } finally {
      unlink();
      gone.abort(new Error('the watcher went away'));
    }
  }

  async stream(request: TransportRequest): Promise<AsyncIterable<Uint8Array>> {
    const reply = await this.#send(request, request.signal ?? this.#closed.signal);
    if (reply.kind === 'stream') {
      if (reply.status >= 400) throw failureOf(await gather(reply));
      return unlessAborted(reply.body, request.signal ?? this.#closed.signal);
    }
    if (reply.kind !== 'body')
      throw new ConnectionError('malformed', `a stream was answered by a ${reply.kind}`);
    if (reply.status >= 400) throw failureOf(rawOf(reply));
    return each(reply.body);
  }

  upgrade(
    request: TransportRequest,
    protocols: readonly string[],
  ): Promise<{ socket: WebSocket; protocol: string }> {
    const closed = this.#closed.signal;
    const signal = request.signal ? AbortSignal.any([request.signal, closed]) : closed;
    return upgradeInProcess(
      { ...request, protocols, signal },
      (headers, gone) => this.#send(request, gone, headers),
      async (reply) => {
        if (reply.kind === 'body' && reply.status >= 400) return failureOf(rawOf(reply));
        return new ConnectionError('malformed', `an upgrade was answered by a ${reply.kind}`);
      },
    );
  }

  close(): void {
    this.#closed.abort(new Error('the transport is closed'));
  }

  #send(
    request: TransportRequest,
    signal: AbortSignal,
    upgrade: Request['headers'] = {},
  ): Promise<Reply> {
    if (this.#closed.signal.aborted) return Promise.reject(abortError(this.#closed.signal));
    if (signal.aborted) return Promise.reject(abortError(signal));
    const body = bodyOf(request.body);
    const sent: Request = {
      method: request.method,
      path: decodePath(request.path),
      query: searchParams(request.query),
      headers: {
        ...upgrade,
        accept: request.accept ?? 'application/json',
        ...(body === undefined ? {} : { 'content-type': request.contentType ?? JSON_TYPE }),
        'user-agent': this.#userAgent,
      },
      ...(body === undefined ? {} : { body }),
      signal,
    };
    return orAborted(this.#handler(sent, this.#user), [signal, this.#closed.signal]);
  }
}

/** The reply, or the abort's reason if that comes first, as over HTTP: a caller never waits for what it gave up. */
async function orAborted(reply: Promise<Reply>, signals: readonly AbortSignal[]): Promise<Reply> {
  const aborted = new AbortController();
  const gone = Promise.withResolvers<never>();
  const unlink = follow(aborted, signals);
  aborted.signal.addEventListener('abort', () => gone.reject(abortError(aborted.signal)));
  try {
    return await Promise.race([reply, gone.promise]);
  } finally {
    unlink();
  }
}

const JSON_TYPE = 'application/json';
const eventOf = (frame: WatchFrame): WatchEventObject => frame.event();

/** Objects go as they are; lists (JSON patches) as bytes, since a request's body is bytes or an object. */
function bodyOf(body: TransportRequest['body']): NonNullable<Request['body']> | undefined {
  if (body === undefined || body instanceof Uint8Array) return body;
  return Array.isArray(body) ? Buffer.from(JSON.stringify(body)) : (body as never);
}

function rawOf(reply: Reply & { kind: 'body' }): RawReply {
  return {
    status: reply.status,
    headers: reply.headers,
    bytes: () => (reply.body.length === 1 ? (reply.body[0] as Uint8Array) : join(reply.body)),
    object: reply.object && (() => reply.object!()),
  };
}

async function gather(reply: Reply & { kind: 'stream' }): Promise<RawReply> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of reply.body) chunks.push(chunk);
  return { status: reply.status, headers: reply.headers, bytes: () => join(chunks) };
}

/** A body that ends by an abort has not ended well, as over HTTP. */
async function* unlessAborted(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  yield* body;
  if (signal.aborted) throw abortError(signal);
}

const join = (chunks: readonly Uint8Array[]): Uint8Array => Buffer.concat(chunks);

// oxlint-disable-next-line typescript/require-await -- an async generator is what gives the iterable
async function* each(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

/** Aborts `target` when one of `signals` is; answers the way to let go of them. */
function follow(
  target: AbortController,
  signals: readonly (AbortSignal | undefined)[],
): () => void {
  const letGo: (() => void)[] = [];
  for (const signal of signals) {
    if (!signal) continue;
    const onAbort = () => target.abort(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    letGo.push(() => signal.removeEventListener('abort', onAbort));
  }
  return () => {
    for (const each of letGo) each();
  };
}
