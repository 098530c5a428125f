// Waits until what a server has of a kind is as wanted: looks on each change that a watch tells, and never by turns.
// Invariant: it ends: by what is wanted, by the deadline (of the host's time or of virtual time), or by the signal; nothing of it runs on.
import type { Clock } from '../../base/clock.ts';
import { systemClock } from '../../base/clock.ts';
import { type Logger, silentLogger } from '../../base/logger.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { Informer, InformerScope } from '../../client/informer/informer.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import type { Client } from '../../client/rest/client.ts';
import { patience } from '../patience.ts';
import { type EventuallyError, failureOf } from './failure.ts';

/** How long is waited unless told otherwise: on the host's clock, within most runners' own patience of 5 s; and of virtual time. */
export const PATIENCE_MS = 4_000;
export const VIRTUAL_PATIENCE_MS = 600_000;

/** A client that tells its cluster's clock, as those of a test cluster do. */
export interface ClockedClient extends Client {
  /** A wait on a virtual clock moves it on, from one timer to the next. */
  readonly clock?: Clock;
}

/** How long to wait. */
export interface WaitOptions {
  /** PATIENCE_MS unless given; on a virtual clock it is of virtual time, and VIRTUAL_PATIENCE_MS unless given. */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What is waited for. */
export interface Wait<T extends KubeObject, R> extends WaitOptions {
  readonly client: ClockedClient;
  readonly ref: KindRef<T>;
  readonly scope: InformerScope;
  /** What is waited for, such as `Pod default/web did not become what is wanted`. */
  readonly headline: string;
  /** Looks at all objects of the scope: the result, or what is missing. */
  judge(objects: readonly T[]): { readonly result: R } | { readonly missing: readonly string[] };
}

/** Resolves with the judge's result. Rejects with an EventuallyError that tells what is missing, or with the signal's reason. */
export async function waitFor<T extends KubeObject, R>(wait: Wait<T, R>): Promise<R> {
  const waiting = new Waiting(wait);
  try {
    return await waiting.outcome();
  } finally {
    waiting.end();
  }
}

class Waiting<T extends KubeObject, R> {
  readonly #wait: Wait<T, R>;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #stop = new AbortController();
  readonly #found = Promise.withResolvers<{ result: R }>();
  readonly #informer: Informer<T>;
  #isOver = false;
  #missing: readonly string[] = ['nothing could be read'];
  #changes = 0;
  #problem: unknown;

  constructor(wait: Wait<T, R>) {
    const { client, ref, scope } = wait;
    this.#wait = wait;
    this.#clock = client.clock ?? systemClock;
    const patience = this.#clock instanceof VirtualClock ? VIRTUAL_PATIENCE_MS : PATIENCE_MS;
    this.#timeoutMs = wait.timeoutMs ?? patience;
    const clock = this.#clock;
    // Its own randomness, so that waiting changes nothing of what a seeded cluster does.
    const doors = { client, clock, random: seededRandom(1), logger: this.#listener() };
    const informers = createInformerFactory(doors);
    this.#informer = informers.informer(ref, scope) as Informer<T>;
    const changed = () => {
      this.#changes++;
      this.#look();
    };
    this.#informer.subscribe({ onAdd: () => this.#look(), onUpdate: changed, onDelete: changed });
    informers.start(this.#stop.signal);
    const synced = () => this.#look();
    this.#informer.synced(this.#stop.signal).then(synced, () => undefined);
  }

  async outcome(): Promise<R> {
    const { signal } = this.#wait;
    const found = await Promise.race([this.#found.promise, this.#patience(), aborted(signal)]);
    if (found) return found.result;
    throw await this.#failure();
  }

  end(): void {
    this.#stop.abort(new Error('the wait is over'));
  }

  #look(): void {
    // Before the first list is in, what is there is not known.
    if (this.#isOver || !this.#informer.hasSynced) return;
    try {
      const verdict = this.#wait.judge(this.#informer.list());
      if ('missing' in verdict) {
        this.#missing = verdict.missing;
        return;
      }
      this.#found.resolve(verdict);
    } catch (error) {
      this.#found.reject(error);
    }
    this.#isOver = true;
    this.end();
  }

  /** Resolves with nothing when the time is over; never once it was found. */
  async #patience(): Promise<undefined> {
    await patience(this.#clock, this.#timeoutMs, this.#stop.signal);
    return this.#isOver ? new Promise(() => undefined) : undefined;
  }

  #failure(): Promise<EventuallyError> {
    const { client, headline } = this.#wait;
    const kind = this.#clock instanceof VirtualClock ? ' of virtual time' : '';
    return failureOf({
      client,
      headline: `${headline} within ${this.#timeoutMs} ms${kind}`,
      missing: this.#missing,
      changes: this.#changes,
      problem: this.#problem,
      lastSeen: this.#informer.list(),
    });
  }

  /** Keeps what an informer that cannot read what it is to read says of it. */
  #listener(): Logger {
    const keep = (_message: string, fields?: Readonly<Record<string, unknown>>) => {
      this.#problem = fields?.['err'] ?? this.#problem;
    };
    const logger: Logger = { ...silentLogger, warn: keep, error: keep, child: () => logger };
    return logger;
  }
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    const onAbort = () => reject(signal?.reason as Error);
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
