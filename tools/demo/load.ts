// Load on one Service through its node port: a new connection for each request, counted second by second.
// Why not a load generator library: docs/decisions/0003-own-load-loop.md.
// Invariant: every request ends as exactly one of: answered with 200, or failed (other status, reset, refused, timed out).
import { request } from 'node:http';
import type { Clock } from '../../base/clock.ts';

/** What to send. */
export interface LoadSpec {
  readonly name: string;
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly body?: string;
  /** Requests under way at once. */
  readonly connections: number;
  /** Requests a second over all connections; undefined for as many as are answered. */
  readonly rate?: number;
}

/** One second of load. Latencies are milliseconds. */
export interface LoadSecond {
  answered: number;
  failed: number;
  latencies: number[];
}

/** Requests that count, by what came of them. */
export interface LoadTotals {
  answered: number;
  failed: number;
  /** Of the failed: those that were under way at `expectLoss`, or began between it and `lossOver`. */
  lost: number;
  readonly errors: Map<string, number>;
  /** Requests by the pod that answered. */
  readonly byPod: Map<string, number>;
}

/** A request unanswered for this long has failed. */
const TIMEOUT_MS = 10_000;

/** A worker whose request failed waits this long before its next one. */
const RETRY_PAUSE_MS = 100;

/** A load on one Service, from start to stop. */
export class Load {
  readonly spec: LoadSpec;
  readonly totals: LoadTotals = {
    answered: 0,
    failed: 0,
    lost: 0,
    errors: new Map(),
    byPod: new Map(),
  };
  readonly #clock: Clock;
  readonly #ending = new AbortController();
  #second: LoadSecond = emptySecond();
  readonly #workers: readonly Promise<void>[];
  /** Requests that began until then are lost when they fail. */
  #lossUntil = Number.NEGATIVE_INFINITY;
  /** When the next request may go, where a rate is given. */
  #nextAt: number;

  constructor(spec: LoadSpec, clock: Clock) {
    this.spec = spec;
    this.#clock = clock;
    this.#nextAt = clock.monotonic();
    this.#workers = Array.from({ length: spec.connections }, () => this.#work());
  }

  /** What happened since the last call. */
  takeSecond(): LoadSecond {
    const second = this.#second;
    this.#second = emptySecond();
    return second;
  }

  /** Something that serves requests is about to be killed: those that fail from now on are counted as lost. */
  expectLoss(): void {
    this.#lossUntil = Number.POSITIVE_INFINITY;
  }

  /** It serves again: requests that begin from now on are not to fail. */
  lossOver(): void {
    this.#lossUntil = this.#clock.monotonic();
  }

  /** Sends nothing more; resolves when the requests under way have ended. */
  async stop(): Promise<void> {
    this.#ending.abort(new Error('the load ends'));
    await Promise.all(this.#workers);
  }

  async #work(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      if (!(await this.#turn())) return;
      const startedAt = this.#clock.monotonic();
      const outcome = await this.#send();
      if (outcome.kind === 'answered')
        this.#answered(outcome.pod, this.#clock.monotonic() - startedAt);
      else {
        this.#failed(outcome.why);
        if (startedAt <= this.#lossUntil) this.totals.lost += 1;
        // A client that was refused does not come back in the same millisecond.
        await this.#pause(RETRY_PAUSE_MS);
      }
    }
  }

  /** Waits; ends early with the load. */
  async #pause(ms: number): Promise<void> {
    await this.#clock.sleep(ms, this.#ending.signal).catch(() => undefined);
  }

  /** Waits for this request's turn at the asked rate; false when the load ends meanwhile. */
  async #turn(): Promise<boolean> {
    if (this.spec.rate === undefined) return true;
    const now = this.#clock.monotonic();
    // Turns that were missed are not made up for: the rate is a ceiling.
    const at = Math.max(this.#nextAt, now);
    this.#nextAt = at + 1000 / this.spec.rate;
    try {
      if (at > now) await this.#clock.sleep(at - now, this.#ending.signal);
      return true;
    } catch {
      return false;
    }
  }

  #send(): Promise<{ kind: 'answered'; pod: string } | { kind: 'failed'; why: string }> {
    const { url, method, body } = this.spec;
    return new Promise((resolve) => {
      const failed = (why: string) => resolve({ kind: 'failed', why });
      const call = request(url, {
        method,
        agent: false,
        headers: {
          connection: 'close',
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        },
      });
      const timer = this.#clock.timer(TIMEOUT_MS, () => call.destroy(new Error('timed out')));
      call.on('close', () => timer.cancel());
      call.on('error', (error: NodeJS.ErrnoException) => failed(error.code ?? error.message));
      call.on('response', (response) => {
        response.on('error', (error: NodeJS.ErrnoException) => failed(error.code ?? error.message));
        response.on('end', () => {
          if (response.statusCode !== 200) failed(`status ${response.statusCode}`);
          else resolve({ kind: 'answered', pod: String(response.headers['x-served-by'] ?? '') });
        });
        response.resume();
      });
      call.end(body);
    });
  }

  #answered(pod: string, latencyMs: number): void {
    this.totals.answered += 1;
    this.totals.byPod.set(pod, (this.totals.byPod.get(pod) ?? 0) + 1);
    this.#second.answered += 1;
    this.#second.latencies.push(latencyMs);
  }

  #failed(why: string): void {
    this.totals.failed += 1;
    this.totals.errors.set(why, (this.totals.errors.get(why) ?? 0) + 1);
    this.#second.failed += 1;
  }
}

function emptySecond(): LoadSecond {
  return { answered: 0, failed: 0, latencies: [] };
}
