// The way of a leader's controllers to the server, which closes for writes when their term is over.
// Invariant: after that no write is sent, whatever still runs; one that is under way is given up, so that none waits for a free
// connection beyond the lead. What the server has already can no longer be stopped. Reads go on.
import type { WatchEventObject } from '../../api/wire/exchange.ts';
import type { Term } from '../../client/election/term.ts';
import type {
  Transport,
  TransportReply,
  TransportRequest,
} from '../../client/transport/transport.ts';

/** A Transport whose writes fail with LeadershipLost once the term is over, and so do new connections into pods. */
export class FencedTransport implements Transport {
  readonly #inner: Transport;
  readonly #term: Term;
  readonly upgrade?: NonNullable<Transport['upgrade']>;

  constructor(inner: Transport, term: Term) {
    this.#inner = inner;
    this.#term = term;
    if (!inner.upgrade) return;
    const upgrade = inner.upgrade.bind(inner);
    this.upgrade = async (request, protocols) => {
      this.#term.check();
      return upgrade(request, protocols);
    };
  }

  request(request: TransportRequest): Promise<TransportReply> {
    if (request.method === 'GET') return this.#inner.request(request);
    return this.#whileLeading(request);
  }

  watch(request: TransportRequest): AsyncIterable<readonly WatchEventObject[]> {
    return this.#inner.watch(request);
  }

  stream(request: TransportRequest): Promise<AsyncIterable<Uint8Array>> {
    return this.#inner.stream(request);
  }

  close(): void {
    this.#inner.close();
  }

  /** Sends it with a signal that aborts with the term, too. */
  async #whileLeading(request: TransportRequest): Promise<TransportReply> {
    this.#term.check();
    const given = new AbortController();
    const leave = [this.#term.over, request.signal].map((signal) => {
      const onAbort = () => given.abort(signal?.reason);
      if (signal?.aborted) onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      return () => signal?.removeEventListener('abort', onAbort);
    });
    try {
      return await this.#inner.request({ ...request, signal: given.signal });
    } finally {
      for (const each of leave) each();
    }
  }
}
