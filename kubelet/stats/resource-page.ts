// GET /metrics/resource: processor and memory of node, pods and containers, for autoscalers that scrape. Pure.
// Invariant: names and labels are upstream's stable ones; each line tells when it was measured.
import { type MetricFamily, type MetricLine, metricText } from '../../base/metric-text.ts';
import type { ContainerFigures, NodeSnapshot, PodFigures } from './node-snapshot.ts';

/** The page. */
export function resourcePage({ node, pods }: NodeSnapshot): string {
  const nodeLine = (value: number): MetricLine[] => [{ value, atMs: node.timestampMs }];
  const perContainer = (of: (container: ContainerFigures) => MetricLine): MetricLine[] =>
    pods.flatMap((pod) =>
      pod.containers.map((each) => ({
        ...of(each),
        labels: { container: each.name, ...namesOf(pod) },
      })),
    );
  const perPod = (of: (container: ContainerFigures) => number): MetricLine[] =>
    pods.map((pod) => ({
      labels: namesOf(pod),
      value: pod.containers.reduce((sum, each) => sum + of(each), 0),
      atMs: node.timestampMs,
    }));
  const cpu = ({ stats }: ContainerFigures) => Number(stats.cpuUsageNs) / 1e9;
  const memory = ({ stats }: ContainerFigures) => stats.memoryWorkingSetBytes;
  const families: MetricFamily[] = [
    counter(
      'node_cpu_usage_seconds_total',
      'Processor time used by the node.',
      nodeLine(Number(node.cpuUsageNs) / 1e9),
    ),
    gauge(
      'node_memory_working_set_bytes',
      'Working set of the node.',
      nodeLine(node.memoryWorkingSetBytes),
    ),
    counter(
      'container_cpu_usage_seconds_total',
      'Processor time used by a container.',
      perContainer((each) => ({ value: cpu(each), atMs: each.stats.timestampMs })),
    ),
    gauge(
      'container_memory_working_set_bytes',
      'Working set of a container.',
      perContainer((each) => ({ value: memory(each), atMs: each.stats.timestampMs })),
    ),
    gauge(
      'container_start_time_seconds',
      'When a container began, Unix time.',
      perContainer(({ status }) => ({ value: (status.startedAtMs ?? status.createdAtMs) / 1000 })),
    ),
    counter('pod_cpu_usage_seconds_total', 'Processor time used by a pod.', perPod(cpu)),
    gauge('pod_memory_working_set_bytes', 'Working set of a pod.', perPod(memory)),
    gauge('resource_scrape_error', '1 where figures could not be read.', [{ value: 0 }]),
    gauge('scrape_error', 'As resource_scrape_error, by the name of before.', [{ value: 0 }]),
  ];
  return metricText(families);
}

const namesOf = ({ pod: { metadata } }: PodFigures) => ({
  namespace: metadata.namespace ?? '',
  pod: metadata.name ?? '',
});

const counter = (name: string, help: string, lines: MetricLine[]): MetricFamily => ({
  name,
  help,
  type: 'counter',
  lines,
});
const gauge = (name: string, help: string, lines: MetricLine[]): MetricFamily => ({
  name,
  help,
  type: 'gauge',
  lines,
});
