// What a container of the fake runtime uses of processor and memory. Pure.
// Invariant: a counter never goes back, whatever a life says.
import type { Life, Use } from './life.ts';

const DEFAULT_NANO_CORES = 1_000_000;
const DEFAULT_MEMORY_BYTES = 16 * 1024 * 1024;

/** A counter of processor time, and when it was read. */
export interface UsedCpu {
  readonly ns: bigint;
  readonly atMs: number;
}

/** When a container is looked at. */
export interface Moment {
  readonly nowMs: number;
  readonly startedAtMs: number;
}

/** The counter at a moment: since it was read last, the use was what the life says now. */
export function cpuOf({ cpuNanoCores }: Life, used: UsedCpu, at: Moment): UsedCpu {
  const { nowMs } = at;
  const perSecond = valueAt(cpuNanoCores ?? DEFAULT_NANO_CORES, at);
  const more = Math.floor((perSecond * (nowMs - used.atMs)) / 1000);
  return { ns: used.ns + BigInt(Math.max(0, more)), atMs: nowMs };
}

/** Bytes in use at a moment. */
export function memoryOf({ memoryBytes }: Life, at: Moment): number {
  return Math.max(0, Math.floor(valueAt(memoryBytes ?? DEFAULT_MEMORY_BYTES, at)));
}

/** Bytes written at a moment. */
export function writtenOf({ writtenBytes }: Life, at: Moment): number {
  return Math.max(0, Math.floor(valueAt(writtenBytes ?? 0, at)));
}

function valueAt(use: Use, { nowMs, startedAtMs }: Moment): number {
  return typeof use === 'number' ? use : use(nowMs, startedAtMs);
}
