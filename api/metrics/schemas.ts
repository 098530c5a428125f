// Schemas of metrics.k8s.io/v1beta1 and custom.metrics.k8s.io/v1beta2, which the client package has none of: what a metrics
// server and an adapter publish.
// Invariant: names and fields are those that the API server's metrics-store.ts and custom-metrics-api.ts answer with.
import type { Schema } from '../schema/schema.ts';

const ROOT = 'io.k8s.metrics.pkg.apis.metrics.v1beta1';
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';

const text = (description: string): Schema => ({ description, type: 'string' });
const at = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const described = (description: string, name: string): Schema => ({
  description,
  allOf: [at(name)],
});
const listOf = (description: string, name: string): Schema => ({
  description,
  type: 'array',
  items: at(name),
});

const typeFields = {
  apiVersion: text('The group and version of this form of the object.'),
  kind: text('What the object is.'),
};
const usage: Schema = {
  description: 'What was used within the window, by resource: cpu in cores, memory in bytes.',
  type: 'object',
  additionalProperties: at(QUANTITY),
};
const sampled = {
  timestamp: described('When the window ended.', `${META}.Time`),
  window: text('The length of time that the figures are the mean of.'),
};
const gvk = (kind: string): Schema => ({
  'x-kubernetes-group-version-kind': [{ group: 'metrics.k8s.io', version: 'v1beta1', kind }],
});

const CUSTOM = 'io.k8s.metrics.pkg.apis.custom_metrics.v1beta2';
const customGvk = (kind: string): Schema => ({
  'x-kubernetes-group-version-kind': [{ group: 'custom.metrics.k8s.io', version: 'v1beta2', kind }],
});

/** Of custom metrics. */
const customSchemas: Readonly<Record<string, Schema>> = {
  [`${CUSTOM}.MetricIdentifier`]: {
    description: 'Which metric is meant.',
    type: 'object',
    required: ['name'],
    properties: {
      name: text('The name of the metric.'),
      selector: described('Which of its series.', `${META}.LabelSelector`),
    },
  },
  [`${CUSTOM}.MetricValue`]: {
    description: 'A figure of one object.',
    type: 'object',
    required: ['describedObject', 'metric', 'timestamp', 'value'],
    properties: {
      ...typeFields,
      describedObject: described('What it is a figure of.', 'io.k8s.api.core.v1.ObjectReference'),
      metric: described('Which metric it is.', `${CUSTOM}.MetricIdentifier`),
      timestamp: described('When it was measured.', `${META}.Time`),
      windowSeconds: {
        description: 'The seconds that it is the mean of.',
        type: 'integer',
        format: 'int64',
      },
      value: described('The figure.', QUANTITY),
    },
    ...customGvk('MetricValue'),
  },
  [`${CUSTOM}.MetricValueList`]: {
    description: 'Figures of several objects.',
    type: 'object',
    required: ['items'],
    properties: {
      ...typeFields,
      items: listOf('The figures, one of each object.', `${CUSTOM}.MetricValue`),
      metadata: at(`${META}.ListMeta`),
    },
    ...customGvk('MetricValueList'),
  },
};

function listSchema(kind: string): Schema {
  return {
    description: `Figures of several objects, as ${kind}.`,
    type: 'object',
    required: ['items'],
    properties: {
      ...typeFields,
      items: listOf('The figures, one of each object.', `${ROOT}.${kind}`),
      metadata: at(`${META}.ListMeta`),
    },
    ...gvk(`${kind}List`),
  };
}

/** The schemas by their upstream names. */
export const metricsSchemas: Readonly<Record<string, Schema>> = {
  ...customSchemas,
  [`${ROOT}.ContainerMetrics`]: {
    description: 'What one container used.',
    type: 'object',
    required: ['name', 'usage'],
    properties: { name: text('The name of the container in its pod.'), usage },
  },
  [`${ROOT}.NodeMetrics`]: {
    description: 'What one node used, all of its pods and itself together.',
    type: 'object',
    required: ['timestamp', 'window', 'usage'],
    properties: { ...typeFields, metadata: at(`${META}.ObjectMeta`), ...sampled, usage },
    ...gvk('NodeMetrics'),
  },
  [`${ROOT}.NodeMetricsList`]: listSchema('NodeMetrics'),
  [`${ROOT}.PodMetrics`]: {
    description: 'What the containers of one pod used.',
    type: 'object',
    required: ['timestamp', 'window', 'containers'],
    properties: {
      ...typeFields,
      metadata: at(`${META}.ObjectMeta`),
      ...sampled,
      containers: listOf('Figures of each container.', `${ROOT}.ContainerMetrics`),
    },
    ...gvk('PodMetrics'),
  },
  [`${ROOT}.PodMetricsList`]: listSchema('PodMetrics'),
};
