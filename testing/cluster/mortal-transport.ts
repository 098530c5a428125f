// The connection of one program: as it is, until the program dies.
// Invariant: after `die` no request of the program reaches the server and no answer or event reaches the program; what the server
// had been sent before is done all the same.
import type {
  Transport,
  TransportReply,
  TransportRequest,
} from '../../client/transport/transport.ts';
import type { WatchEventObject } from '../../api/wire/exchange.ts';

/** A Transport that can be cut off for good. */
export class MortalTransport implements Transport {
  readonly #inner: Transport;
  readonly #cut = new AbortController();

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  request(request: TransportRequest): Promise<TransportReply> {
    if (this.#dead) return never();
    return this.#unlessDead(this.#inner.request(request));
  }

  async *watch(request: TransportRequest): AsyncGenerator<readonly WatchEventObject[]> {
    if (this.#dead) await never();
    const gone = new AbortController();
    const signals = [request.signal, this.#cut.signal].filter((signal) => signal !== undefined);
    const onAbort = () => gone.abort(signals.find(({ aborted }) => aborted)?.reason);
    for (const signal of signals) signal.addEventListener('abort', onAbort, { once: true });
    if (request.signal?.aborted) onAbort();
    try {
      for await (const events of this.#inner.watch({ ...request, signal: gone.signal })) {
        if (this.#dead) await never();
        yield events;
      }
    } catch (error) {
      if (this.#dead) await never();
      throw error;
    } finally {
      for (const signal of signals) signal.removeEventListener('abort', onAbort);
    }
    if (this.#dead) await never();
  }

  stream(request: TransportRequest): Promise<AsyncIterable<Uint8Array>> {
    if (this.#dead) return never();
    return this.#unlessDead(this.#inner.stream(request));
  }

  upgrade(
    request: TransportRequest,
    protocols: readonly string[],
  ): ReturnType<NonNullable<Transport['upgrade']>> {
    if (this.#dead) return never();
    if (!this.#inner.upgrade) throw new TypeError('this transport has no upgrades');
    const { signal } = this.#cut;
    const both = request.signal ? AbortSignal.any([request.signal, signal]) : signal;
    return this.#unlessDead(this.#inner.upgrade({ ...request, signal: both }, protocols));
  }

  close(): void {
    this.#inner.close();
  }

  /** Cuts it off. Watches end for the server, and so do commands in pods. */
  die(): void {
    this.#cut.abort(new Error('the program has died'));
  }

  get #dead(): boolean {
    return this.#cut.signal.aborted;
  }

  #unlessDead<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      answer.then(
        (value) => void (this.#dead || resolve(value)),
        (error: Error) => void (this.#dead || reject(error)),
      );
    });
  }
}

const never = <T>(): Promise<T> => new Promise(() => undefined);
