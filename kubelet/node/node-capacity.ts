// What a node has, and what of it is for pods: capacity less what is reserved and what evictions keep free
// (Kubernetes docs: Reserve Compute Resources for System Daemons). Pure.
// Invariant: nothing is allocatable below zero, nor more than there is.
import { tryParseQuantity, toMilli, toWhole } from '../../api/meta/quantity.ts';
import type { KubeletConfiguration } from '../configuration.ts';
import { amountOf, isIdle, type Signal, tryParseThreshold } from '../eviction/signals.ts';
import type { NodeFacts } from '../pods/worker-parts.ts';
import type { HostFacts } from './host-facts.ts';

/** The facts of a host under a configuration. */
export function nodeFactsOf(
  host: Pick<HostFacts, 'cpus' | 'memoryBytes' | 'storageBytes' | 'maxProcesses' | 'hugePages'>,
  configuration: KubeletConfiguration,
): NodeFacts {
  const less = (capacity: number, taken: number) => Math.max(0, capacity - taken);
  const { memoryBytes, storageBytes } = host;
  const cpuMillis = host.cpus * 1000;
  const hugePages = host.hugePages ?? {};
  // Memory that is kept for huge pages is for those who ask for them.
  const memory =
    Object.values(hugePages).reduce((sum, bytes) => sum + bytes, 0) +
    reserved(configuration, 'memory') +
    keptFree(configuration, 'memory.available', memoryBytes);
  const storage =
    reserved(configuration, 'ephemeral-storage') +
    keptFree(configuration, 'nodefs.available', storageBytes);
  return {
    cpuMillis,
    memoryBytes,
    storageBytes,
    hugePages,
    maxPods: configuration.maxPods,
    podPidsLimit: podPidsLimitOf(configuration.podPidsLimit, host.maxProcesses),
    allocatable: {
      cpuMillis: less(cpuMillis, reserved(configuration, 'cpu')),
      memoryBytes: less(memoryBytes, memory),
      storageBytes: less(storageBytes, storage),
    },
  };
}

/** What a pod gets at most unless the configuration says more; see docs/decisions/0017-how-many-processes-a-pod-may-have.md. */
const DEFAULT_POD_PIDS = 4096;
/** The share of the host's processes that one pod may have unless the configuration says more. */
const POD_SHARE = 4;

/** How many processes one pod may have: as configured, or what leaves the host and other pods theirs. */
export function podPidsLimitOf(
  configured: number,
  hostMax: number | undefined,
): number | undefined {
  if (configured > 0) return configured;
  if (hostMax === undefined) return undefined;
  return Math.min(DEFAULT_POD_PIDS, Math.floor(hostMax / POD_SHARE));
}

/** What all pods may use together: memory that is not reserved, as upstream enforces it, and what leaves the host processes of its own. */
export function limitsOfAllPods(
  { memoryBytes, maxProcesses }: Pick<HostFacts, 'memoryBytes' | 'maxProcesses'>,
  configuration: KubeletConfiguration,
): { readonly memoryLimitBytes: number; readonly pidsLimit?: number } {
  const memoryLimitBytes = Math.max(0, memoryBytes - reserved(configuration, 'memory'));
  if (maxProcesses === undefined) return { memoryLimitBytes };
  const kept = reserved(configuration, 'pid') || Math.floor(maxProcesses / POD_SHARE);
  return { memoryLimitBytes, pidsLimit: Math.max(1, maxProcesses - kept) };
}

/** Millicores of cpu, whole units of the rest. */
function reserved({ systemReserved, kubeReserved }: KubeletConfiguration, name: string): number {
  return [systemReserved, kubeReserved].reduce((sum, { [name]: text }) => {
    const quantity = text === undefined ? undefined : tryParseQuantity(text);
    if (!quantity) return sum;
    return sum + (name === 'cpu' ? toMilli(quantity) : toWhole(quantity));
  }, 0);
}

function keptFree(
  { evictionHard }: KubeletConfiguration,
  signal: Signal,
  capacity: number,
): number {
  const value = tryParseThreshold(evictionHard[signal] ?? '0%');
  return value && !isIdle(value) ? amountOf(value, capacity) : 0;
}
