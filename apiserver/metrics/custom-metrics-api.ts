// custom.metrics.k8s.io and external.metrics.k8s.io over the figures that there are: use of CPU and memory by pods and nodes, and
// nothing from outside (docs/decisions/0011-native-custom-metrics.md). An adapter that is registered answers in their place.
// Invariant: a figure that nobody measures is not found; none is made up.
import type { NodeMetrics, PodMetrics } from '../../api/kinds.ts';
import { parseLabelSelector } from '../../api/meta/labels.ts';
import {
  addQuantities,
  formatQuantity,
  type Quantity,
  tryParseQuantity,
  ZERO_QUANTITY,
} from '../../api/meta/quantity.ts';
import type { ServedResource } from '../../api/schema/endpoints.ts';
import { StatusError } from '../../api/status.ts';
import type { Reply, Request } from '../../api/wire/exchange.ts';
import type { VirtualHandler } from '../pipeline.ts';
import { objectReply } from '../reply.ts';
import type { ResourceInfo } from '../request-info.ts';
import type { MetricsKind, MetricsStore } from './metrics-store.ts';

const CUSTOM = { group: 'custom.metrics.k8s.io', version: 'v1beta2' };
const EXTERNAL = { group: 'external.metrics.k8s.io', version: 'v1beta1' };
const METRICS = ['cpu', 'memory'] as const;
const ALL = '*';

/** The figures, for discovery: parts of pods and nodes, which themselves are not here. */
export const customMetricsResources: readonly ServedResource[] = (['nodes', 'pods'] as const).map(
  (plural) => ({
    ref: { ...CUSTOM, kind: '', plural, namespaced: plural === 'pods' },
    singular: '',
    verbs: [],
    subresources: METRICS.map((name) => ({ name, kind: 'MetricValueList', verbs: ['get'] })),
  }),
);

/** Answers both groups. */
export function customMetricsApi(store: MetricsStore): VirtualHandler {
  return (request, _user, info) => {
    if (isOf(info, EXTERNAL)) return Promise.resolve().then(() => externalMetric(info));
    if (!isOf(info, CUSTOM)) return undefined;
    return Promise.resolve().then(() => customMetric(store, request, info));
  };
}

const isOf = (info: ResourceInfo, at: typeof CUSTOM): boolean =>
  info.group === at.group && info.version === at.version;

/** Nothing outside is measured: a list without values, as adapters answer for a metric without any. */
function externalMetric({ verb, name }: ResourceInfo): Reply {
  if (name !== undefined || verb !== 'list') throw notAllowed();
  return objectReply({
    kind: 'ExternalMetricValueList',
    apiVersion: `${EXTERNAL.group}/${EXTERNAL.version}`,
    metadata: {},
    items: [],
  });
}

function customMetric(store: MetricsStore, request: Request, info: ResourceInfo): Reply {
  const { verb, resource, name = '', subresource: metric = '' } = info;
  if (verb !== 'get') throw notAllowed();
  const kind = resource === 'pods' || resource === 'nodes' ? resource : undefined;
  const figure = METRICS.find((each) => each === metric);
  if (!kind || !figure) throw notFound(metric, resource);
  const found = name === ALL ? selected(store, kind, { request, info }) : one(store, kind, info);
  if (!found) throw notFound(metric, `${resource} ${name}`);
  return objectReply({
    kind: 'MetricValueList',
    apiVersion: `${CUSTOM.group}/${CUSTOM.version}`,
    metadata: {},
    items: found.map((sample) => valueOf(sample, figure)),
  });
}

function one(store: MetricsStore, kind: MetricsKind, { namespace, name = '' }: ResourceInfo) {
  const found = store.get(kind, namespace, name);
  return found && [found];
}

function selected(
  store: MetricsStore,
  kind: MetricsKind,
  { request, info }: { request: Request; info: ResourceInfo },
) {
  const labels = parseLabelSelector(request.query.get('labelSelector') ?? '');
  return store
    .list(kind, info.namespace)
    .filter(({ metadata }) => labels.matches(metadata.labels ?? {}));
}

function valueOf(sample: NodeMetrics | PodMetrics, metric: 'cpu' | 'memory'): object {
  const isPod = 'containers' in sample;
  const { name, namespace } = sample.metadata;
  const parts = isPod ? sample.containers.map(({ usage }) => usage) : [sample.usage];
  const value = parts
    .map((usage) => tryParseQuantity(usage[metric]) ?? ZERO_QUANTITY)
    .reduce<Quantity>(addQuantities, ZERO_QUANTITY);
  return {
    describedObject: {
      kind: isPod ? 'Pod' : 'Node',
      ...(namespace === undefined ? {} : { namespace }),
      name,
      apiVersion: 'v1',
    },
    metric: { name: metric, selector: null },
    timestamp: sample.timestamp,
    windowSeconds: Math.round(Number.parseFloat(sample.window)),
    value: formatQuantity(value),
  };
}

/** As adapters say it. */
function notFound(metric: string, of: string): StatusError {
  return new StatusError('NotFound', `the server could not find the metric ${metric} for ${of}`);
}

function notAllowed(): StatusError {
  return new StatusError('MethodNotAllowed', 'metrics are read one by one, and not written');
}
