// From counters since start to use per second. Pure.
// Invariant: a container's first sight, or a counter that went back, gives no rate rather than a wrong one.
import type { NodeSample, PodSample, Usage } from '../../api/metrics/sample.ts';
import type { ContainerStats } from '../runtime/runtime.ts';

/** All counters at one moment. */
export interface Counters {
  readonly timestampMs: number;
  readonly nodeCpuNs: bigint;
  readonly nodeMemoryBytes: number;
  readonly containers: readonly ContainerStats[];
}

/** Names of a pod. */
export interface PodName {
  readonly namespace: string;
  readonly name: string;
}

/** The sample between two moments; undefined when they are the same. */
export function sampleOf(
  before: Counters,
  now: Counters,
  nameOf: (podUid: string) => PodName | undefined,
): NodeSample | undefined {
  const windowMs = now.timestampMs - before.timestampMs;
  if (windowMs <= 0) return undefined;
  const earlier = new Map(before.containers.map((stats) => [stats.containerId, stats]));
  const pods = new Map<string, PodSample & { containers: ({ name: string } & Usage)[] }>();
  for (const stats of now.containers) {
    const past = earlier.get(stats.containerId);
    const pod = nameOf(stats.podUid);
    const cpuNanoCores = past && rate(past, stats);
    if (!pod || cpuNanoCores === undefined) continue;
    const sample = pods.get(stats.podUid) ?? { ...pod, uid: stats.podUid, containers: [] };
    sample.containers.push({
      name: stats.name,
      cpuNanoCores,
      memoryBytes: stats.memoryWorkingSetBytes,
    });
    pods.set(stats.podUid, sample);
  }
  return {
    timestampMs: now.timestampMs,
    windowMs,
    node: {
      cpuNanoCores: perSecond(now.nodeCpuNs - before.nodeCpuNs, windowMs) ?? 0,
      memoryBytes: now.nodeMemoryBytes,
    },
    pods: [...pods.values()],
  };
}

function rate(past: ContainerStats, now: ContainerStats): number | undefined {
  return perSecond(now.cpuUsageNs - past.cpuUsageNs, now.timestampMs - past.timestampMs);
}

function perSecond(ns: bigint, ms: number): number | undefined {
  return ns < 0n || ms <= 0 ? undefined : Math.round((Number(ns) * 1000) / ms);
}
