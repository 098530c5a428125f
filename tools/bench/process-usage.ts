// Memory and CPU of a process as the kernel counts them.
// Invariant: CPU is that of all threads, in nanoseconds in the kernel, where ticks of 10 ms would be too coarse for idleness.
import { readdirSync, readFileSync } from 'node:fs';

/** What a process uses now. */
export interface Usage {
  readonly rssMb: number;
  /** What it shares with others counts only by its share. */
  readonly pssMb: number;
  /** Since its start. */
  readonly cpuMs: number;
}

/** Reads /proc; throws when the process is gone. */
export function usageOf(pid: number): Usage {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kb = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(rollup)?.[1] ?? 0);
  return { rssMb: kb('Rss') / 1024, pssMb: kb('Pss') / 1024, cpuMs: cpuMsOf(pid) };
}

/** CPU time of all threads since the start, in ms. */
export function cpuMsOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanos = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanos.reduce((sum, each) => sum + each, 0) / 1e6;
}
