// The load workers as seen from the bench: starts them, shares an order among them, puts their reports together.
// Invariant: no worker outlives its fleet, and one that fails fails the order.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { LoadOrder, LoadReport, WorkerAnswer, WorkerMessage } from './load-order.ts';

const WORKER = new URL('./load-worker.ts', import.meta.url);

/** What a load came to; times in milliseconds. */
export interface LoadResult {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Bytes of one answer's body, on average. */
  readonly bytesEach: number;
  /** CPU time of the workers for one request. */
  readonly workerCpuMs: number;
}

/** A worker that does one order at a time. */
export class LoadWorker {
  readonly #child: ChildProcess = fork(WORKER, { serialization: 'advanced' });

  /** Does an order; `ready` is called when a watcher's watches are open. Rejects with the worker's failure. */
  order(message: WorkerMessage, ready?: () => void): Promise<LoadReport> {
    return new Promise((resolve, reject) => {
      const gone = () => reject(new Error('a load worker ended'));
      const answered = (answer: WorkerAnswer) => {
        if ('ready' in answer) {
          ready?.();
          return;
        }
        this.#child.off('message', answered).off('exit', gone);
        if ('report' in answer) resolve(answer.report);
        else reject(new Error(answer.error));
      };
      this.#child.on('message', answered).once('exit', gone);
      this.#child.send(message);
    });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }
}

/** Shares an order's requests and clients among workers. */
export async function loadBy(
  workers: readonly LoadWorker[],
  order: Omit<LoadOrder, 'kind' | 'step'>,
): Promise<LoadResult> {
  const used = workers.slice(0, Math.min(workers.length, order.clients));
  const reports = await Promise.all(
    used.map((worker, nth) =>
      worker.order({
        ...order,
        kind: 'load',
        first: order.first + nth,
        step: used.length,
        clients: share(order.clients, used.length, nth),
        count: share(order.count, used.length, nth),
      }),
    ),
  );
  return summary(reports);
}

/** One figure out of several workers' reports. */
export function summary(reports: readonly LoadReport[]): LoadResult {
  const latencies = Float64Array.from(reports.flatMap((report) => [...report.latencies])).sort();
  const sum = (of: (report: LoadReport) => number) =>
    reports.reduce((total, report) => total + of(report), 0);
  const at = (share: number) => latencies[Math.floor(share * (latencies.length - 1))] ?? NaN;
  return {
    perSecond: (1000 * latencies.length) / Math.max(...reports.map(({ ms }) => ms)),
    p50: at(0.5),
    p99: at(0.99),
    bytesEach: sum(({ bytes }) => bytes) / latencies.length,
    workerCpuMs: sum(({ cpuMs }) => cpuMs) / latencies.length,
  };
}

/** The nth part of a whole that is shared among `parts`, as evenly as can be. */
function share(whole: number, parts: number, nth: number): number {
  return Math.floor(whole / parts) + (nth < whole % parts ? 1 : 0);
}
