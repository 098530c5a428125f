// A transport with faults put in, as a plan says.
// Invariant: what no fault befalls passes unchanged; a fault shows as the program would see it over HTTPS: retries of the transport
// happen, errors are of the transport's own kinds, and a broken line goes through the decoder that real ones go through.
import type { Clock } from '../../base/clock.ts';
import { conflict, expired, StatusError } from '../../api/status.ts';
import type { WatchEventObject } from '../../api/wire/exchange.ts';
import { ConnectionError } from '../../client/transport/connection-error.ts';
import type { RawReply } from '../../client/transport/reply.ts';
import { RETRY_LIMITS, withRetries } from '../../client/transport/retries.ts';
import type {
  Transport,
  TransportReply,
  TransportRequest,
} from '../../client/transport/transport.ts';
import { brokenLine } from './broken-line.ts';
import type { Fault, FaultTarget } from './fault.ts';
import type { FaultPlan, InjectedFault } from './fault-plan.ts';

/** Carries what the true transport threw past the retries, which it has had. */
class Passed extends Error {}

/** The transport. */
export class FaultyTransport implements Transport {
  readonly #inner: Transport;
  readonly #plan: FaultPlan;
  readonly #clock: Clock;

  constructor(inner: Transport, plan: FaultPlan, clock: Clock) {
    this.#inner = inner;
    this.#plan = plan;
    this.#clock = clock;
  }

  /** What has befallen requests so far, oldest first. */
  get injected(): readonly InjectedFault[] {
    return this.#plan.injected;
  }

  request(request: TransportRequest): Promise<TransportReply> {
    const retries = { clock: this.#clock, limits: RETRY_LIMITS, signal: () => request.signal };
    return withRetries(request, () => this.#once(request), retries).catch((error: unknown) => {
      throw error instanceof Passed ? error.cause : error;
    });
  }

  async *watch(request: TransportRequest): AsyncGenerator<readonly WatchEventObject[]> {
    const injected = this.#plan.faultFor(request);
    if (injected) await this.#before(injected, request);
    const fault = injected?.fault;
    // What follows a broken connection is never read, so the watch is ended for the server too.
    const gone = new AbortController();
    const onAbort = () => gone.abort(request.signal?.reason);
    if (request.signal?.aborted) onAbort();
    request.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const events = this.#inner.watch({ ...request, signal: gone.signal });
      yield* fault === undefined ? events : this.#struck(fault, events, request.signal);
    } finally {
      request.signal?.removeEventListener('abort', onAbort);
      gone.abort(new Error('the watch is over'));
    }
  }

  async stream(request: TransportRequest): Promise<AsyncIterable<Uint8Array>> {
    const injected = this.#plan.faultFor(request);
    if (injected) await this.#before(injected, request);
    return this.#inner.stream(request);
  }

  /** No fault befalls connections into pods. */
  upgrade(
    request: TransportRequest,
    protocols: readonly string[],
  ): ReturnType<NonNullable<Transport['upgrade']>> {
    if (!this.#inner.upgrade) throw new TypeError('this transport has no upgrades');
    return this.#inner.upgrade(request, protocols);
  }

  close(): void {
    this.#inner.close();
  }

  async #once(request: TransportRequest): Promise<RawReply> {
    const injected = this.#plan.faultFor(request);
    if (injected) {
      if (injected.fault.kind === 'refuse') return refusal(injected.fault, injected.target);
      await this.#before(injected, request);
    }
    if (injected?.fault.kind === 'duplicate')
      await this.#inner.request(request).catch(() => undefined);
    const reply = await this.#inner.request(request).catch((error: unknown) => {
      throw new Passed('passed on', { cause: error });
    });
    if (injected?.fault.kind === 'loseReply') throw lost();
    const { status, headers } = reply;
    return { status, headers, bytes: () => reply.bytes(), object: () => reply.object() };
  }

  /** What befalls a request on its way to the server. */
  async #before({ fault, target }: InjectedFault, { signal }: TransportRequest): Promise<void> {
    if (fault.kind === 'loseRequest') throw lost();
    if (fault.kind === 'refuse') throw refusalError(fault, target);
    if (fault.kind === 'delay' && target.verb !== 'watch')
      await this.#clock.sleep(fault.ms, signal);
  }

  async *#struck(
    fault: Fault,
    batches: AsyncIterable<readonly WatchEventObject[]>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<readonly WatchEventObject[]> {
    if (fault.kind === 'loseReply') throw lost();
    let left = 'afterEvents' in fault ? fault.afterEvents : Infinity;
    if (fault.kind === 'cut' && left === 0) throw lost();
    for await (const events of batches) {
      if (fault.kind === 'delay') await this.#clock.sleep(fault.ms, signal);
      yield events.slice(0, left);
      if (fault.kind === 'duplicate') yield events;
      const next = events[left];
      left -= events.length;
      if (fault.kind === 'cut' && left <= 0) throw lost();
      if (next && (fault.kind === 'truncate' || fault.kind === 'garble'))
        throw brokenLine(fault.kind, next);
    }
  }
}

const lost = (): ConnectionError => new ConnectionError('lost', 'the connection broke (injected)');

type Refusal = Extract<Fault, { kind: 'refuse' }>;

function refusalError(
  { code, retryAfterSeconds }: Refusal,
  { group, resource, name }: FaultTarget,
): StatusError {
  const details = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  switch (code) {
    case 409:
      return conflict({ group, plural: resource }, name);
    case 410:
      return expired('the resourceVersion is too old (injected)');
    case 429:
      return new StatusError('TooManyRequests', 'too many requests (injected)', { details });
    case 500:
      return new StatusError('InternalError', 'something went wrong (injected)', { details });
    case 503:
      return new StatusError('ServiceUnavailable', 'not able to answer (injected)', { details });
  }
}

/** The answer as it comes from a server. */
function refusal(fault: Refusal, target: FaultTarget): RawReply {
  const bytes = Buffer.from(JSON.stringify(refusalError(fault, target).toStatus()));
  const { retryAfterSeconds: seconds } = fault;
  const headers = seconds === undefined ? {} : { 'retry-after': String(seconds) };
  return { status: fault.code, headers, bytes: () => bytes };
}
