// The connection between one run of a node's agent and the API server, which can be lost for a while or for good.
// Invariant: while it is lost nothing passes in either direction; whatever was under way when it was lost fails, at once or, where
// packets only vanish, when the connection is back.
import type { WatchEventObject } from '../../api/wire/exchange.ts';
import { ConnectionError } from '../../client/transport/connection-error.ts';
import type {
  Transport,
  TransportReply,
  TransportRequest,
} from '../../client/transport/transport.ts';

/** What a lost connection is like: packets vanish, or are refused at once. */
export type Loss = 'hang' | 'fail';

/** A Transport that can be lost. */
export class NodeLink implements Transport {
  readonly #inner: Transport;
  #loss: Loss | undefined;
  /** Rejects when what was under way has failed. */
  #broken = brokenLater();

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  /** Loses the connection; one that hangs may still come to fail. */
  lose(loss: Loss): void {
    this.#loss = loss;
    if (loss === 'fail') this.#break();
  }

  /** Gives it back. */
  heal(): void {
    if (this.#loss === undefined) return;
    this.#loss = undefined;
    this.#break();
  }

  async request(request: TransportRequest): Promise<TransportReply> {
    const broken = this.#broken.promise;
    await this.#passable(request.signal);
    const reply = await unlessEnded(this.#inner.request(request), broken);
    return this.#delivered(reply, { broken, signal: request.signal });
  }

  async *watch(request: TransportRequest): AsyncGenerator<readonly WatchEventObject[]> {
    const broken = this.#broken.promise;
    await this.#passable(request.signal);
    const over = new AbortController();
    const onAbort = () => over.abort(request.signal?.reason);
    if (request.signal?.aborted) onAbort();
    request.signal?.addEventListener('abort', onAbort, { once: true });
    const events = this.#inner.watch({ ...request, signal: over.signal })[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await unlessEnded(events.next(), broken);
        if (next.done) return;
        yield await this.#delivered(next.value, { broken, signal: request.signal });
      }
    } finally {
      request.signal?.removeEventListener('abort', onAbort);
      over.abort(new Error('the watch is over'));
    }
  }

  async stream(request: TransportRequest): Promise<AsyncIterable<Uint8Array>> {
    const broken = this.#broken.promise;
    await this.#passable(request.signal);
    return unlessEnded(this.#inner.stream(request), broken);
  }

  close(): void {
    this.lose('fail');
    this.#inner.close();
  }

  #break(): void {
    this.#broken.reject(new ConnectionError('lost', 'the node has no way to the API server'));
    this.#broken = brokenLater();
    if (this.#loss === 'fail') this.#broken.reject(refused());
  }

  /** Resolves at once while there is a connection; never without one. */
  async #passable(signal: AbortSignal | undefined): Promise<void> {
    if (this.#loss === 'fail') throw refused();
    if (this.#loss === 'hang') await ended(this.#broken.promise, signal);
  }

  /** What has come, unless the connection was lost before. */
  async #delivered<T>(
    value: T,
    { broken, signal }: { broken: Promise<never>; signal: AbortSignal | undefined },
  ): Promise<T> {
    if (this.#loss !== undefined) await ended(broken, signal);
    return value;
  }
}

const refused = (): ConnectionError =>
  new ConnectionError('lost', 'the node cannot reach the API server');

function brokenLater(): PromiseWithResolvers<never> {
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  return broken;
}

/** The outcome, or the failure of the connection when that comes first. */
async function unlessEnded<T>(outcome: Promise<T>, broken: Promise<never>): Promise<T> {
  outcome.catch(() => undefined);
  return await Promise.race([outcome, broken]);
}

/** Rejects with the failure of the connection, or with the abort's reason. */
async function ended(broken: Promise<never>, signal: AbortSignal | undefined): Promise<never> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal?.reason as Error);
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([broken, aborted.promise]);
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}
