// What the host is: processors, memory, kernel, names. Read once when the agent starts.
import { table } from '../../base/table.ts';
import { availableParallelism, arch } from 'node:os';
import type { System } from '../../system/system.ts';

/** Facts of the host, as Node objects show them. */
export interface HostFacts {
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Bytes of the file system that pods' files lie on. */
  readonly storageBytes: number;
  /** Processes and threads that the kernel takes at once; left out by hosts without a kernel. */
  readonly maxProcesses?: number;
  /** Bytes of memory kept for huge pages, by resource (`hugepages-2Mi`); left out by hosts without a kernel. */
  readonly hugePages?: Readonly<Record<string, number>>;
  /** Bytes; left out where there is none. */
  readonly swapBytes?: number;
  /** Can profiles of AppArmor be enforced? */
  readonly hasAppArmor: boolean;
  /** As Go names architectures. */
  readonly architecture: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  readonly machineId: string;
  readonly bootId: string;
  /** When the host began, wall milliseconds; left out by hosts without a kernel. */
  readonly bootMs?: number;
  readonly systemUuid: string;
}

const ARCHITECTURES: Readonly<Record<string, string>> = table({ x64: 'amd64', ia32: '386' });

/** Reads them. What the host does not tell is ''. */
export function readHostFacts(system: System, storageBytes: number): HostFacts {
  const text = (path: string) => system.read(path)?.trim() ?? '';
  const release = text('/proc/sys/kernel/osrelease');
  const machineId = text('/etc/machine-id');
  return {
    cpus: availableParallelism(),
    memoryBytes: memoryBytes(text('/proc/meminfo')),
    storageBytes,
    ...maxProcesses(text),
    hugePages: hugePagesOf(system),
    ...swapOf(text('/proc/meminfo')),
    hasAppArmor: text('/sys/module/apparmor/parameters/enabled') === 'Y',
    architecture: ARCHITECTURES[arch()] ?? arch(),
    kernelVersion: release,
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(text('/etc/os-release'))?.[1] ?? 'Linux',
    machineId,
    ...bootTime(text('/proc/stat')),
    bootId: text('/proc/sys/kernel/random/boot_id'),
    systemUuid: text('/sys/class/dmi/id/product_uuid') || machineId,
  };
}

function maxProcesses(text: (path: string) => string): { maxProcesses?: number } {
  const most = Math.min(
    ...['pid_max', 'threads-max'].map((name) => Number(text(`/proc/sys/kernel/${name}`))),
  );
  return most > 0 ? { maxProcesses: most } : {};
}

const HUGE_PAGES = '/sys/kernel/mm/hugepages';
/** Sizes as resources are called: those that Linux has are whole ones of these. */
const SIZES: readonly (readonly [kilobytes: number, unit: string])[] = [
  [1024 * 1024, 'Gi'],
  [1024, 'Mi'],
  [1, 'Ki'],
];

/** One row for each size that the kernel has, whether any page of it is kept or not, as upstream. */
function hugePagesOf(system: System): Readonly<Record<string, number>> {
  const rows = system.list(HUGE_PAGES).flatMap((name): [string, number][] => {
    const kilobytes = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1] ?? NaN);
    const [one, unit] = SIZES.find(([size]) => kilobytes % size === 0) ?? [];
    if (one === undefined) return [];
    const pages = Number(system.read(`${HUGE_PAGES}/${name}/nr_hugepages`) ?? 0);
    return [[`hugepages-${kilobytes / one}${unit}`, pages * kilobytes * 1024]];
  });
  return Object.fromEntries(rows.toSorted(([a], [b]) => a.localeCompare(b)));
}

function swapOf(meminfo: string): Pick<HostFacts, 'swapBytes'> {
  const bytes = Number(/^SwapTotal:\s+(\d+) kB$/m.exec(meminfo)?.[1] ?? 0) * 1024;
  return bytes > 0 ? { swapBytes: bytes } : {};
}

function memoryBytes(meminfo: string): number {
  return Number(/^MemTotal:\s+(\d+) kB$/m.exec(meminfo)?.[1] ?? 0) * 1024;
}

function bootTime(stat: string): Pick<HostFacts, 'bootMs'> {
  const seconds = /^btime (\d+)$/m.exec(stat)?.[1];
  return seconds === undefined ? {} : { bootMs: Number(seconds) * 1000 };
}
