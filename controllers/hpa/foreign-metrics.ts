// Figures that no node agent sends: custom.metrics.k8s.io and external.metrics.k8s.io, asked through the API, whoever serves them.
// Invariants: a figure that cannot be had says why, in upstream's words; no server is waited for longer than METRICS_TIMEOUT_MS.
import type { Clock } from '../../base/clock.ts';
import type {
  CrossVersionObjectReferenceV2,
  MetricIdentifierV2,
  MetricSpecV2,
} from '../../api/generated/types.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import { labelSelectorText } from '../../api/meta/labels.ts';
import { toMilli, tryParseQuantity } from '../../api/meta/quantity.ts';
import { parseTime } from '../../api/meta/time.ts';
import type { Client } from '../../client/rest/client.ts';
import type { Reading } from './pod-usage.ts';

/** How long all figures of an autoscaler may take together. */
export const METRICS_TIMEOUT_MS = 10_000;

const CUSTOM = 'custom.metrics.k8s.io';
const EXTERNAL = 'external.metrics.k8s.io';
/** The versions of custom.metrics.k8s.io that are understood. */
const CUSTOM_VERSIONS = ['v1beta2', 'v1beta1'];

/** What was measured for one metric of an autoscaler. */
export type ForeignReading =
  /** Of a Pods metric, by the pods' keys. */
  | { readonly kind: 'pods'; readonly readings: ReadonlyMap<string, Reading> }
  /** Of an Object or External metric: the sum of what there is, in thousandths. */
  | { readonly kind: 'value'; readonly milli: number }
  | { readonly kind: 'failed'; readonly why: string };

/** Whose figures are asked for. */
export interface ForeignQuestion {
  readonly client: Client;
  readonly clock: Clock;
  readonly namespace: string;
  /** The selector of the pods that are scaled. */
  readonly selector: string;
  /** The resource of an object that a metric describes; undefined where nobody knows its kind. */
  readonly resourceOf: (reference: CrossVersionObjectReferenceV2) => KindRef | undefined;
  readonly signal: AbortSignal;
}

const FOREIGN = new Set(['Pods', 'Object', 'External']);

/** Does its figure come from elsewhere? */
export const isForeign = ({ type }: MetricSpecV2): boolean => FOREIGN.has(type);

/** Reads the figures of all metrics of these types, each at its metric's place. Never rejects but when the signal aborts. */
export async function readForeign(
  metrics: readonly MetricSpecV2[],
  question: ForeignQuestion,
): Promise<readonly (ForeignReading | undefined)[]> {
  if (!metrics.some(isForeign)) return [];
  const late = new AbortController();
  const timer = question.clock.timer(METRICS_TIMEOUT_MS, () =>
    late.abort(new Error('context deadline exceeded')),
  );
  const signal = AbortSignal.any([question.signal, late.signal]);
  try {
    const read = (metric: MetricSpecV2): Promise<ForeignReading> =>
      readOne(metric, { ...question, signal }).catch((error: Error) => {
        question.signal.throwIfAborted();
        return { kind: 'failed', why: error.message };
      });
    const none = Promise.resolve(undefined);
    return await Promise.all(metrics.map((metric) => (isForeign(metric) ? read(metric) : none)));
  } finally {
    timer.cancel();
  }
}

async function readOne(metric: MetricSpecV2, at: ForeignQuestion): Promise<ForeignReading> {
  const { pods, object, external } = metric;
  if (pods) return { kind: 'pods', readings: await podsMetric(pods.metric, at) };
  if (object) return objectMetric(object, at);
  if (external) return externalMetric(external.metric, at);
  throw new Error(`unable to get metric: nothing is said of a metric of type ${metric.type}`);
}

async function podsMetric(metric: MetricIdentifierV2, at: ForeignQuestion) {
  const why = (error: Error) => `unable to get metric ${metric.name}: ${error.message}`;
  const query = { labelSelector: at.selector, ...selectorQuery(metric, 'metricLabelSelector') };
  const path = `namespaces/${at.namespace}/pods/*/${encodeURIComponent(metric.name)}`;
  const items = await custom(path, query, at).catch(told(why));
  const readings = new Map<string, Reading>();
  for (const { describedObject, value, timestamp, windowSeconds } of items)
    readings.set(`${at.namespace}/${describedObject?.name ?? ''}`, {
      milli: milliOf(value),
      timestampMs: parseTime(timestamp) ?? 0,
      windowMs: (windowSeconds ?? 0) * 1000,
    });
  return readings;
}

async function objectMetric(
  { describedObject, metric }: NonNullable<MetricSpecV2['object']>,
  at: ForeignQuestion,
): Promise<ForeignReading> {
  const { kind, name, apiVersion = '' } = describedObject;
  const why = (error: Error) =>
    `unable to get metric ${metric.name}: ${kind} on ${at.namespace} ${name}/${error.message}`;
  const ref = at.resourceOf(describedObject);
  if (!ref)
    throw new Error(why(new Error(`no matches for kind "${kind}" in version "${apiVersion}"`)));
  const query = selectorQuery(metric, 'metricLabelSelector');
  const place = placeOf(ref, { namespace: at.namespace, name, metric: metric.name });
  const [first] = await custom(place, query, at).catch(told(why));
  return { kind: 'value', milli: milliOf(first?.value) };
}

/** Where the figure of one object is; those of a namespace stand below the word `metrics`. */
function placeOf(
  ref: KindRef,
  { namespace, name, metric }: { namespace: string; name: string; metric: string },
): string {
  const last = [name, metric].map(encodeURIComponent);
  const resource = ref.group === '' ? ref.plural : `${ref.plural}.${ref.group}`;
  if (resource === 'namespaces') return `namespaces/${last.join('/metrics/')}`;
  return `${ref.namespaced ? `namespaces/${namespace}/` : ''}${resource}/${last.join('/')}`;
}

async function externalMetric(
  metric: MetricIdentifierV2,
  at: ForeignQuestion,
): Promise<ForeignReading> {
  const labels = labelSelectorText(metric.selector);
  const why = (error: Error) =>
    `unable to get external metric ${at.namespace}/${metric.name}/${labels}: ${error.message}`;
  const name = encodeURIComponent(metric.name);
  const path = `/apis/${EXTERNAL}/v1beta1/namespaces/${at.namespace}/${name}`;
  const items = await valuesAt(path, selectorQuery(metric, 'labelSelector'), {
    api: 'external',
    at,
  }).catch(told(why));
  return { kind: 'value', milli: items.reduce((sum, { value }) => sum + milliOf(value), 0) };
}

/** Says in which undertaking an error came about. */
const told =
  (why: (error: Error) => string) =>
  (error: Error): never => {
    throw new Error(why(error), { cause: error });
  };

const selectorQuery = ({ selector }: MetricIdentifierV2, name: string): Record<string, string> => {
  const text = labelSelectorText(selector);
  return text === '' ? {} : { [name]: text };
};

interface Value {
  readonly value?: string;
  readonly timestamp?: string;
  readonly windowSeconds?: number;
  readonly describedObject?: { readonly name?: string };
}

async function custom(
  path: string,
  query: Record<string, string>,
  at: ForeignQuestion,
): Promise<readonly Value[]> {
  const version = await customVersion(at);
  return valuesAt(`/apis/${CUSTOM}/${version}/${path}`, query, { api: 'custom', at });
}

/** The first version that both sides know. */
async function customVersion({ client, signal }: ForeignQuestion): Promise<string> {
  const none = new Error(`no custom metrics API (${CUSTOM}) registered`);
  const reply = await client.transport
    .request({ method: 'GET', path: `/apis/${CUSTOM}`, signal })
    .catch((cause: Error) => {
      throw signal.aborted ? cause : none;
    });
  const { versions = [] } = reply.object() as { versions?: readonly { version: string }[] };
  const found = versions.find(({ version }) => CUSTOM_VERSIONS.includes(version));
  if (!found) throw none;
  return found.version;
}

async function valuesAt(
  path: string,
  query: Record<string, string>,
  { api, at }: { readonly api: 'custom' | 'external'; readonly at: ForeignQuestion },
): Promise<readonly Value[]> {
  const { client, signal } = at;
  const reply = await client.transport
    .request({ method: 'GET', path, query, signal })
    .catch(told(({ message }) => `unable to fetch metrics from ${api} metrics API: ${message}`));
  const { items } = reply.object() as { items?: unknown };
  if (!Array.isArray(items) || items.length === 0)
    throw new Error(`no metrics returned from ${api} metrics API`);
  return items as Value[];
}

function milliOf(value: string | undefined): number {
  const amount = tryParseQuantity(value ?? '');
  if (amount) return toMilli(amount);
  throw new Error(`the value ${JSON.stringify(value)} is no quantity`);
}
