// Figures of the host as a whole from /proc/stat and /proc/meminfo (proc(5)). Pure parsers.

/** Clock ticks of /proc/stat are hundredths of a second on Linux. */
const NS_PER_TICK = 10_000_000n;
const BYTES_PER_KB = 1024;
/** Columns of the `cpu` line: user nice system idle iowait irq softirq steal. Time idle or taken by other guests is not use. */
const BUSY_COLUMNS = [0, 1, 2, 5, 6];

/** CPU time used since boot, all CPUs together. */
export function cpuUsageOf(stat: string): bigint {
  const line = stat.split('\n').find((candidate) => candidate.startsWith('cpu ')) ?? '';
  const columns = line.trim().split(/\s+/).slice(1);
  return BUSY_COLUMNS.reduce((sum, column) => sum + BigInt(columns[column] ?? 0), 0n) * NS_PER_TICK;
}

/** Memory that could not be given to a new process. */
export function workingSetOf(meminfo: string): number {
  const value = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(meminfo)?.[1] ?? 0) * BYTES_PER_KB;
  return value('MemTotal') - value('MemAvailable');
}
