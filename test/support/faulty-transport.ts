// A true transport with faults put in: what networks and servers do to informers, at the moment a test asks for.
// Invariant: without a fault asked for, everything passes through unchanged.
import type {
  Transport,
  TransportReply,
  TransportRequest,
} from '../../client/transport/transport.ts';
import type { WatchEventObject } from '../../api/wire/exchange.ts';

/** Wraps the transport that `inner` gives at the moment of each call, so that a server can be put in another's place. */
export class FaultyTransport implements Transport {
  readonly requests: TransportRequest[] = [];
  readonly watches: TransportRequest[] = [];
  readonly #inner: () => Transport;
  readonly #open = new Set<(error: Error) => void>();
  #failing: Error[] = [];
  /** While set, every call fails so. */
  down: Error | undefined;

  constructor(inner: () => Transport) {
    this.#inner = inner;
  }

  /** The next calls, of any kind, fail so. */
  failNext(...errors: Error[]): void {
    this.#failing.push(...errors);
  }

  /** Every open watch breaks so; answers how many there were. */
  breakWatches(error: Error): number {
    const count = this.#open.size;
    for (const breakOne of this.#open) breakOne(error);
    return count;
  }

  get openWatches(): number {
    return this.#open.size;
  }

  request(request: TransportRequest): Promise<TransportReply> {
    this.requests.push(request);
    const error = this.down ?? this.#failing.shift();
    return error ? Promise.reject(error) : this.#inner().request(request);
  }

  async *watch(request: TransportRequest): AsyncGenerator<readonly WatchEventObject[]> {
    this.watches.push(request);
    const error = this.down ?? this.#failing.shift();
    if (error) throw error;
    const broken = Promise.withResolvers<never>();
    const stop = new AbortController();
    request.signal?.addEventListener('abort', () => stop.abort(request.signal?.reason));
    const inner = this.#inner()
      .watch({ ...request, signal: stop.signal })
      [Symbol.asyncIterator]();
    this.#open.add(broken.reject);
    broken.promise.catch(() => stop.abort(new Error('broken by the test')));
    try {
      for (;;) {
        const next = inner.next();
        next.catch(() => undefined);
        const result = await Promise.race([next, broken.promise]);
        if (result.done) return;
        yield result.value;
      }
    } finally {
      this.#open.delete(broken.reject);
      stop.abort(new Error('the watch is over'));
    }
  }

  stream(request: TransportRequest): Promise<AsyncIterable<Uint8Array>> {
    return this.#inner().stream(request);
  }

  close(): void {
    this.#inner().close();
  }
}
