// GET /stats/summary: figures of node and pods in the form that upstream's kubelet serves them. Pure.
import type { Pod } from '../../api/generated/types.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { ContainerRuntime, ContainerStats } from '../runtime/runtime.ts';

/** The node as a whole. */
export interface NodeFigures extends ReturnType<ContainerRuntime['nodeStats']> {
  readonly name: string;
}

/** The summary document. */
export function statsSummary(
  node: NodeFigures,
  pods: readonly Pod[],
  stats: readonly ContainerStats[],
): object {
  const byPod = Map.groupBy(stats, (each) => each.podUid);
  return {
    node: nodeSummary(node),
    pods: pods
      .filter((pod) => byPod.has(pod.metadata.uid ?? ''))
      .map((pod) => {
        const own = byPod.get(pod.metadata.uid ?? '') ?? [];
        const { name, namespace, uid } = pod.metadata;
        return {
          podRef: { name, namespace, uid },
          startTime: pod.status?.startTime,
          containers: own.map(containerSummary),
          cpu: { usageCoreNanoSeconds: own.reduce((sum, c) => sum + Number(c.cpuUsageNs), 0) },
          memory: {
            workingSetBytes: own.reduce((sum, c) => sum + c.memoryWorkingSetBytes, 0),
            usageBytes: own.reduce((sum, c) => sum + c.memoryUsageBytes, 0),
          },
          process_stats: { process_count: own.reduce((sum, c) => sum + c.pids, 0) },
        };
      }),
  };
}

function nodeSummary({
  name,
  timestampMs,
  cpuUsageNs,
  memoryWorkingSetBytes,
}: NodeFigures): object {
  const time = formatTime(timestampMs);
  return {
    nodeName: name,
    cpu: { time, usageCoreNanoSeconds: Number(cpuUsageNs) },
    memory: { time, workingSetBytes: memoryWorkingSetBytes },
  };
}

function containerSummary(stats: ContainerStats): object {
  const time = formatTime(stats.timestampMs);
  return {
    name: stats.name,
    cpu: { time, usageCoreNanoSeconds: Number(stats.cpuUsageNs) },
    memory: {
      time,
      workingSetBytes: stats.memoryWorkingSetBytes,
      usageBytes: stats.memoryUsageBytes,
    },
  };
}
