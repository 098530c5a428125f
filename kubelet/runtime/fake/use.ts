// What a container of the fake runtime uses of processor and memory. Pure.
// Invariant: a counter never goes back, whatever a life says.
import type { Life } from './life.ts';

const DEFAULT_NANO_CORES = 1_000_000;
const DEFAULT_MEMORY_BYTES = 16 * 1024 * 1024;

/** A counter of processor time, and when it was read. */
export interface UsedCpu {
  readonly ns: bigint;
  readonly atMs: number;
}

/** The counter at `nowMs`: since it was read last, the use was what the life says now. */
export function cpuOf({ cpuNanoCores }: Life, used: UsedCpu, nowMs: number): UsedCpu {
  const perSecond = valueAt(cpuNanoCores ?? DEFAULT_NANO_CORES, nowMs);
  const more = Math.floor((perSecond * (nowMs - used.atMs)) / 1000);
  return { ns: used.ns + BigInt(Math.max(0, more)), atMs: nowMs };
}

/** Bytes in use at `nowMs`. */
export function memoryOf({ memoryBytes }: Life, nowMs: number): number {
  return Math.max(0, valueAt(memoryBytes ?? DEFAULT_MEMORY_BYTES, nowMs));
}

function valueAt(value: number | ((nowMs: number) => number), nowMs: number): number {
  return typeof value === 'number' ? value : value(nowMs);
}
