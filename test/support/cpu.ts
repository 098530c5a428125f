// What work costs, in tests that hold it to a bound: processor time of this thread, of which a busy host takes nothing away.
// Invariant: what other threads and processes do is in no figure.
import { onTestFinished } from 'vitest';

/** Tells, when it is asked, how many milliseconds of processor time went by since. */
export function cpuSince(): () => number {
  const before = process.threadCpuUsage();
  return () => {
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1000;
  };
}

/** Milliseconds of processor time that it took; it is over when it returns. */
export function cpuMs(work: () => unknown): number {
  const tookMs = cpuSince();
  work();
  return tookMs();
}

/** Looks at each turn of the event loop from now on. The answer ends that, and tells each turn's milliseconds of processor time. */
export function cpuOfTurns(): () => number[] {
  const turns: number[] = [];
  let ended = false;
  let last = process.threadCpuUsage();
  const look = () => {
    const { user, system } = process.threadCpuUsage(last);
    last = process.threadCpuUsage();
    turns.push((user + system) / 1000);
    if (!ended) setImmediate(look);
  };
  look();
  onTestFinished(() => void (ended = true));
  return () => {
    ended = true;
    // The turn of now is the last one; what was done before the first look is no turn of the work.
    look();
    return turns.slice(1);
  };
}
