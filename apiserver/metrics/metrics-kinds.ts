// The kinds of metrics.k8s.io as definitions, so that the ordinary read handlers serve them.
import { defineResource, type ResourceDefinition } from '../../api/definition.ts';
import {
  type NodeMetrics,
  NodeMetricsKind,
  type PodMetrics,
  PodMetricsKind,
} from '../../api/kinds.ts';

const READ_ONLY = {
  shortNames: [],
  categories: [],
  verbs: ['get', 'list', 'watch'],
  hasStatus: false,
  hasGeneration: false,
  subresources: [],
  selectableFields: {},
} as const satisfies Partial<ResourceDefinition>;

/** PodMetrics, read-only. */
export const podMetricsDefinition = defineResource<PodMetrics>({
  ...READ_ONLY,
  ref: PodMetricsKind,
  singular: '',
  listKind: 'PodMetricsList',
  schemaName: 'io.k8s.metrics.pkg.apis.metrics.v1beta1.PodMetrics',
  columns: [
    column('Name', (metrics) => metrics.metadata.name ?? ''),
    column('Window', (metrics) => metrics.window),
  ],
});

/** NodeMetrics, read-only. */
export const nodeMetricsDefinition = defineResource<NodeMetrics>({
  ...READ_ONLY,
  ref: NodeMetricsKind,
  singular: '',
  listKind: 'NodeMetricsList',
  schemaName: 'io.k8s.metrics.pkg.apis.metrics.v1beta1.NodeMetrics',
  columns: [
    column('Name', (metrics) => metrics.metadata.name ?? ''),
    column('CPU', (metrics) => metrics.usage.cpu),
    column('Memory', (metrics) => metrics.usage.memory),
    column('Window', (metrics) => metrics.window),
  ],
});

function column<T>(name: string, value: (object: T) => string) {
  return { name, type: 'string' as const, description: `${name} of the figures.`, value };
}
