// From a node's sample to the objects of metrics.k8s.io. Pure.
// Invariant: figures of a pod carry the pod's labels, so that autoscalers can select them.
import { apiVersionOf } from '../../api/kind-ref.ts';
import {
  type NodeMetrics,
  NodeMetricsKind,
  type PodMetrics,
  PodMetricsKind,
} from '../../api/kinds.ts';
import type { NodeSample, PodSample, Usage } from '../../api/metrics/sample.ts';
import { formatTime } from '../../api/meta/time.ts';
import { badRequest } from '../../api/status.ts';

type Labels = Readonly<Record<string, string>>;

/** Pods that one node's sample may have; upstream advises 110 on a node. */
export const MAX_SAMPLED_PODS = 1_000;

/** The body of a request as a sample. Throws BadRequest. */
export function sampleOf(value: unknown): NodeSample {
  const sample = value as Partial<NodeSample> | undefined;
  const usable =
    typeof sample === 'object' &&
    sample !== null &&
    Number.isFinite(sample.timestampMs) &&
    Number.isFinite(sample.windowMs) &&
    isUsage(sample.node) &&
    Array.isArray(sample.pods) &&
    sample.pods.length <= MAX_SAMPLED_PODS &&
    sample.pods.every(isPodSample);
  if (!usable) throw badRequest('the body is not a sample of a node');
  return sample as NodeSample;
}

/** The figures of the node. */
export function nodeMetrics(name: string, sample: NodeSample, labels: Labels): NodeMetrics {
  return {
    kind: NodeMetricsKind.kind,
    apiVersion: apiVersionOf(NodeMetricsKind),
    metadata: { name, ...times(sample), labels: { ...labels } },
    ...window(sample),
    usage: usage(sample.node),
  };
}

/** The figures of one of its pods. */
export function podMetrics(pod: PodSample, sample: NodeSample, labels: Labels): PodMetrics {
  const { namespace, name } = pod;
  return {
    kind: PodMetricsKind.kind,
    apiVersion: apiVersionOf(PodMetricsKind),
    metadata: { name, namespace, ...times(sample), labels: { ...labels } },
    ...window(sample),
    containers: pod.containers.map((container) => ({
      name: container.name,
      usage: usage(container),
    })),
  };
}

const times = (sample: NodeSample) => ({ creationTimestamp: formatTime(sample.timestampMs) });

const window = ({ timestampMs, windowMs }: NodeSample) => ({
  timestamp: formatTime(timestampMs),
  window: `${windowMs / 1000}s`,
});

function usage({ cpuNanoCores, memoryBytes }: Usage): { cpu: string; memory: string } {
  return { cpu: `${Math.round(cpuNanoCores)}n`, memory: `${Math.round(memoryBytes / 1024)}Ki` };
}

function isUsage(value: Partial<Usage> | undefined | null): boolean {
  return isAmount(value?.cpuNanoCores) && isAmount(value?.memoryBytes);
}

function isAmount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isPodSample(value: unknown): boolean {
  const pod = value as Partial<PodSample> | null;
  return (
    typeof pod?.name === 'string' &&
    typeof pod.namespace === 'string' &&
    Array.isArray(pod.containers) &&
    pod.containers.every((each: unknown) => {
      const container = each as ({ name?: unknown } & Partial<Usage>) | null;
      return typeof container?.name === 'string' && isUsage(container);
    })
  );
}
