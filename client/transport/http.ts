// The transport over HTTPS: requests share a bounded set of connections, each watch and stream has its own.
// Invariant: no failure is swallowed; what is made again, and how often, is decided in retries.ts.
import { Agent as HttpAgent } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import { StatusError } from '../../api/status.ts';
import type { WatchEventObject } from '../../api/wire/exchange.ts';
import { abortError } from './connection-error.ts';
import { type Attempt, type Credential, withCredential } from './credentials.ts';
import { exchange, type ExchangeParts, readBody, readingError } from './http-exchange.ts';
import { resolveHttpOptions } from './http-options.ts';
import type { HttpTransportOptions, ResolvedHttpOptions } from './http-options.ts';
import type { RawReply } from './reply.ts';
import { failureOf, splitAtError } from './reply.ts';
import { withRetries } from './retries.ts';
import { ServerAgent } from './server-agent.ts';
import { SilenceLimit } from './silence-limit.ts';
import type { Transport, TransportReply, TransportRequest } from './transport.ts';
import { WatchLineDecoder } from './watch-lines.ts';
import { openWebSocket } from './web-socket.ts';

const UNAUTHORIZED = 401;

/** A transport to the server. Nothing is connected before the first request. */
export function createHttpTransport(options: HttpTransportOptions): Transport {
  return new HttpTransport(resolveHttpOptions(options));
}

class HttpTransport implements Transport {
  readonly #options: ResolvedHttpOptions;
  /** For requests: connections are kept and used again. */
  readonly #shared: HttpAgent;
  /** For watches and streams: a connection each, gone afterwards. */
  readonly #single: HttpAgent;

  constructor(options: ResolvedHttpOptions) {
    this.#options = options;
    const { maxSockets, maxFreeSockets, maxIdleMs, tcpKeepAliveMs } = options.limits;
    const Agent = options.server.protocol === 'https:' ? ServerAgent : HttpAgent;
    const keepAlive = { keepAlive: true, keepAliveMsecs: tcpKeepAliveMs, timeout: maxIdleMs };
    this.#shared = new Agent({ ...options.tls, ...keepAlive, maxSockets, maxFreeSockets });
    this.#single = new Agent({ ...options.tls, keepAlive: false });
  }

  request(request: TransportRequest): Promise<TransportReply> {
    const { clock, limits } = this.#options;
    const signal = () => request.signal;
    return withRetries(request, () => this.#once(request), { clock, limits, signal });
  }

  async *watch(request: TransportRequest): AsyncGenerator<readonly WatchEventObject[]> {
    const { limits, clock } = this.#options;
    const reply = await this.#open(request);
    const decoder = new WatchLineDecoder(limits.maxWatchLineBytes);
    const silence = request.query?.allowWatchBookmarks === 'true' ? limits.watchSilenceMs : 0;
    const listener = new SilenceLimit(clock, silence, (error) => reply.destroy(error));
    try {
      for await (const chunk of reply as AsyncIterable<Uint8Array>) {
        listener.heard();
        const { events, error } = decoder.push(chunk);
        const { good, error: answered } = splitAtError(events);
        if (good.length > 0) yield good;
        const failure = answered ?? error;
        if (failure) throw failure;
      }
      const cut = decoder.end();
      if (cut) throw cut;
    } catch (error) {
      if (error instanceof StatusError) throw error;
      throw readingError(error, request.signal);
    } finally {
      listener.stop();
      reply.destroy();
    }
    if (request.signal?.aborted) throw abortError(request.signal);
  }

  async stream(request: TransportRequest): Promise<AsyncIterable<Uint8Array>> {
    return chunksOf(await this.#open(request), request.signal);
  }

  upgrade(
    request: TransportRequest,
    protocols: readonly string[],
  ): Promise<{ socket: WebSocket; protocol: string }> {
    return openWebSocket(this.#options, request, protocols);
  }

  close(): void {
    this.#shared.destroy();
    this.#single.destroy();
  }

  #once(request: TransportRequest): Promise<RawReply> {
    return withCredential(this.#options.credentials, async (credential) => {
      const reply = await exchange(this.#parts(this.#shared, credential), request);
      const outcome = await this.#read(reply, request.signal);
      return { outcome, isUnauthorized: outcome.status === UNAUTHORIZED };
    });
  }

  #parts(agent: HttpAgent, credential: Credential): ExchangeParts {
    const timeoutMs = this.#options.limits.requestTimeoutMs;
    return { options: this.#options, agent, credential, timeoutMs };
  }

  /** The whole reply; throws ConnectionError where it breaks off. */
  async #read(reply: IncomingMessage, signal: AbortSignal | undefined): Promise<RawReply> {
    const { clock, limits } = this.#options;
    const listener = new SilenceLimit(clock, limits.replySilenceMs, (error) =>
      reply.destroy(error),
    );
    try {
      const heard = () => listener.heard();
      const bytes = await readBody(reply, { maxBytes: limits.maxReplyBytes, heard });
      return { status: reply.statusCode ?? 0, headers: reply.headers, bytes: () => bytes };
    } catch (error) {
      throw readingError(error, signal);
    } finally {
      listener.stop();
      if (!reply.complete) reply.destroy();
    }
  }

  /** Opens a reply that is read as it comes; throws StatusError where it is a failure. */
  async #open(request: TransportRequest): Promise<IncomingMessage> {
    const { limits, credentials } = this.#options;
    const attempt = async (credential: Credential): Promise<Attempt<IncomingMessage | Error>> => {
      const reply = await exchange(this.#parts(this.#single, credential), request);
      reply.socket.setKeepAlive(true, limits.tcpKeepAliveMs);
      const status = reply.statusCode ?? 0;
      if (status < 400) return { outcome: reply, isUnauthorized: false };
      const outcome = failureOf(await this.#read(reply, request.signal));
      return { outcome, isUnauthorized: status === UNAUTHORIZED };
    };
    const opened = await withCredential(credentials, attempt);
    if (opened instanceof Error) throw opened;
    return opened;
  }
}

/** The reply's body as it comes. Given back at any time, read from or not, it lets go of the connection. */
function chunksOf(
  reply: IncomingMessage,
  signal: AbortSignal | undefined,
): AsyncIterableIterator<Uint8Array> {
  // Not a generator: one that is returned before its first step runs nothing, not even its `finally`.
  const chunks = (reply as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      try {
        return await chunks.next();
      } catch (error) {
        throw readingError(error, signal);
      }
    },
    async return() {
      reply.destroy();
      return { done: true, value: undefined };
    },
  };
}
