// Schemas of metrics.k8s.io/v1beta1, which the client package has none of: what a metrics server publishes.
// Invariant: names and fields are those that metrics-store.ts of the API server answers with.
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
