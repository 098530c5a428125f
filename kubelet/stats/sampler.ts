// Measures the node each second (or as told) and sends the sample. What cannot be sent is dropped: the next one is newer anyway.
// Invariants: at most one sample is on its way, so that a slow API server never makes a queue here; a node that takes long to be
// measured is measured less often.
import type { LooseObject } from '../../api/meta/object.ts';
import type { NodeAgentOptions } from '../options.ts';
import type { NodeSample } from '../../api/metrics/sample.ts';
import { type Counters, type PodName, sampleOf } from './rates.ts';

const PERIOD_MS = 1_000;
/** A measurement is followed by so many times its own time without one: it costs a 300th of a core at most, however many pods there are. */
const REST = 300;
/** Figures are never older than this. */
const MAX_PERIOD_MS = 10_000;
/** A send that takes longer is given up. */
const SEND_TIMEOUT_MS = 5_000;
/** Failures in a row after which it is logged, once. */
const QUIET_FAILURES = 10;

/** Samples of one node. */
export class Sampler {
  readonly #options: NodeAgentOptions;
  readonly #nameOf: (podUid: string) => PodName | undefined;
  #last: Counters | undefined;
  #sample: NodeSample | undefined;
  #measuredAtMs: number | undefined;
  #sending: Promise<void> | undefined;
  #failures = 0;

  constructor(options: NodeAgentOptions, nameOf: (podUid: string) => PodName | undefined) {
    this.#options = options;
    this.#nameOf = nameOf;
  }

  /** The newest rates. */
  get sample(): NodeSample | undefined {
    return this.#sample;
  }

  /** When the runtime was last measured, on the monotonic clock; undefined before the first time. */
  get measuredAtMs(): number | undefined {
    return this.#measuredAtMs;
  }

  /** Measures and sends until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger, figuresPeriodMs = PERIOD_MS } = this.#options;
    while (!signal.aborted) {
      const begun = clock.monotonic();
      try {
        await this.#measure(signal);
      } catch (error) {
        logger.warn('the node could not be measured', { err: error });
      }
      const took = clock.monotonic() - begun;
      const pause = Math.max(0, figuresPeriodMs - took, Math.min(MAX_PERIOD_MS, took * REST));
      await clock.sleep(pause, signal).catch(() => undefined);
    }
    await this.#sending;
  }

  async #measure(signal: AbortSignal): Promise<void> {
    const { runtime } = this.#options;
    const containers = await runtime.stats();
    const node = runtime.nodeStats();
    const now: Counters = {
      timestampMs: node.timestampMs,
      nodeCpuNs: node.cpuUsageNs,
      nodeMemoryBytes: node.memoryWorkingSetBytes,
      containers,
    };
    const before = this.#last;
    this.#last = now;
    this.#measuredAtMs = this.#options.clock.monotonic();
    const sample = before && sampleOf(before, now, this.#nameOf);
    this.#sample = sample ?? this.#sample;
    if (!sample || this.#sending) return;
    this.#sending = this.#send(sample, signal).finally(() => {
      this.#sending = undefined;
    });
  }

  /** Never rejects. */
  async #send(sample: object, ending: AbortSignal): Promise<void> {
    const { client, nodeName, logger, clock } = this.#options;
    const late = new AbortController();
    const timer = clock.timer(SEND_TIMEOUT_MS, () => late.abort(new Error('too slow')));
    try {
      await client.transport.request({
        method: 'POST',
        path: `/apis/metrics.k8s.io/v1beta1/nodes/${encodeURIComponent(nodeName)}/samples`,
        body: sample as LooseObject,
        signal: AbortSignal.any([ending, late.signal]),
      });
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      if (this.#failures === QUIET_FAILURES)
        logger.warn('figures of the node cannot be sent', { err: error });
    } finally {
      timer.cancel();
    }
  }
}
