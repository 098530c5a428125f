// Whether a Service answers at all, and what the loads say of requests that did not succeed.
import { request } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import type { LoadSpec, LoadTotals } from './load.ts';

/** Between two tries of a Service that does not answer yet. */
const RETRY_MS = 20;

/** Resolves with the first answer of any status; rejects when `signal` aborts before. */
export async function firstAnswer(url: string, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!(await answers(url, signal))) {
    signal.throwIfAborted();
    await clock.sleep(RETRY_MS, signal);
  }
}

function answers(url: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request(url, { agent: false, signal, headers: { connection: 'close' } });
    call.on('error', () => resolve(false));
    call.on('response', (response) => {
      response.on('error', () => resolve(false)).on('end', () => resolve(true));
      response.resume();
    });
    call.end();
  });
}

/** A line for each reason why requests to a Service failed, over all of its loads. */
export function failureTexts(
  loads: readonly {
    readonly spec: Pick<LoadSpec, 'name'>;
    readonly totals: Pick<LoadTotals, 'errors'>;
  }[],
): string[] {
  const counts = new Map<string, { name: string; why: string; count: number }>();
  for (const { spec, totals } of loads)
    for (const [why, count] of totals.errors) {
      const key = `${spec.name} ${why}`;
      const before = counts.get(key)?.count ?? 0;
      counts.set(key, { name: spec.name, why, count: before + count });
    }
  return [...counts.values()].map(
    ({ name, why, count }) =>
      `${name}: ${count} ${count === 1 ? 'request' : 'requests'} failed with ${why}`,
  );
}
