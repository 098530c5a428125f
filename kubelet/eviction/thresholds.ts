// Thresholds as configured, and which of them are met. Pure, as upstream's eviction manager does it.
// Invariant: containerfs.* is the file system of nodefs here, and its thresholds those of nodefs, as upstream sets them.
import type { KubeletConfiguration } from '../configuration.ts';
import { msOf } from '../configuration.ts';
import {
  amountOf,
  isIdle,
  isSignal,
  type Signal,
  type ThresholdValue,
  tryParseThreshold,
} from './signals.ts';

/** When pods are to be evicted for a signal. */
export interface Threshold {
  /** Tells it from others: the same signal may have a hard and a soft one. */
  readonly id: string;
  readonly signal: Signal;
  readonly value: ThresholdValue;
  /** 0 for a hard one. */
  readonly graceMs: number;
  /** What is to be free beyond the threshold once something is reclaimed. */
  readonly reclaim: ThresholdValue | undefined;
}

/** A signal as it was observed: bytes, inodes or processes. */
export interface Observation {
  readonly available: number;
  readonly capacity: number;
}

/** What was observed; signals that this host does not tell are left out. */
export type Observations = ReadonlyMap<Signal, Observation>;

/** A node's pressures, as its conditions are called. */
export type Pressure = 'MemoryPressure' | 'DiskPressure' | 'PIDPressure';

/** The resources that signals are of, by the names that messages call them. */
export type StarvedResource = 'memory' | 'ephemeral-storage' | 'inodes' | 'pids';

/** The thresholds of a configuration. */
export function thresholdsOf(configuration: KubeletConfiguration): Threshold[] {
  const { evictionHard, evictionSoft, evictionSoftGracePeriod } = configuration;
  const of = (given: Readonly<Record<string, string>>, graceOf: (signal: Signal) => number) =>
    Object.entries(given).flatMap(([signal, text]): Threshold[] => {
      const value = tryParseThreshold(text);
      if (!isSignal(signal) || !value || isIdle(value) || signal.startsWith('containerfs.'))
        return [];
      const graceMs = graceOf(signal);
      const reclaim = tryParseThreshold(configuration.evictionMinimumReclaim[signal] ?? '');
      const id = `${signal} ${graceMs === 0 ? 'hard' : 'soft'}`;
      return [{ id, signal, value, graceMs, reclaim }];
    });
  return [
    ...of(evictionHard, () => 0),
    ...of(evictionSoft, (signal) => msOf(evictionSoftGracePeriod[signal] ?? '0s')),
  ];
}

/** Those of the thresholds that are met; with `reclaiming`, those whose minimum reclaim is not there yet. */
export function metBy(
  observations: Observations,
  thresholds: readonly Threshold[],
  { reclaiming }: { reclaiming: boolean },
): Threshold[] {
  return thresholds.filter(({ signal, value, reclaim }) => {
    const observed = observations.get(signal);
    if (!observed) return false;
    const more = reclaiming && reclaim ? amountOf(reclaim, observed.capacity) : 0;
    return observed.available < amountOf(value, observed.capacity) + more;
  });
}

/** The pressure that a signal stands for. */
export function pressureOf(signal: Signal): Pressure {
  if (signal === 'memory.available') return 'MemoryPressure';
  return signal === 'pid.available' ? 'PIDPressure' : 'DiskPressure';
}

/** The resource that a signal is of. */
export function resourceOf(signal: Signal): StarvedResource {
  if (signal === 'memory.available') return 'memory';
  if (signal === 'pid.available') return 'pids';
  return signal.endsWith('.inodesFree') ? 'inodes' : 'ephemeral-storage';
}
