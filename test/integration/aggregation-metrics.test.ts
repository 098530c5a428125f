// custom.metrics.k8s.io and external.metrics.k8s.io: natively, by an adapter behind an APIService, and as the autoscaler asks them.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type {
  HorizontalPodAutoscalerV2,
  MetricSpecV2,
  MetricStatusV2,
} from '../../api/generated/types.ts';
import { Deployments, HorizontalPodAutoscalers, Pods } from '../../api/kinds.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import type { Client } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createInProcessTransport } from '../../client/transport/in-process.ts';
import { runControllers } from '../../controllers/framework/manager.ts';
import { horizontalPodAutoscaler } from '../../controllers/hpa/controller.ts';
import { type AggregatedApi, anAggregatedApi } from '../support/aggregated-api.ts';
import { aDeployment, setReady } from '../support/controlled-cluster.ts';
import { until } from '../support/until.ts';

const CUSTOM = 'custom.metrics.k8s.io';
const EXTERNAL = 'external.metrics.k8s.io';
const CONTROLLERS = {
  username: 'system:kube-controller-manager',
  groups: ['system:authenticated'],
};

let api: AggregatedApi;
let client: Client;
let stop: AbortController;
let running: Promise<void>;
/** What the adapter measures, by path without its group; and what it was asked. */
const figures = new Map<string, object[]>();
const asked: string[] = [];

beforeEach(async () => {
  figures.clear();
  asked.length = 0;
  api = await anAggregatedApi();
  const admin = { username: 'admin', groups: ['system:masters', 'system:authenticated'] };
  const handler = api.server.server.handler;
  client = createClient(createInProcessTransport(handler, admin));
  stop = new AbortController();
  running = runControllers(
    [horizontalPodAutoscaler({ resyncMs: 100, foreignIntervalMs: 50 })],
    {
      client: createClient(createInProcessTransport(handler, CONTROLLERS)),
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
    },
    stop.signal,
  );
});
afterEach(async () => {
  stop.abort(new Error('the test is over'));
  await running;
  await api.close();
});

function adapter({ url = '' }: IncomingMessage, response: ServerResponse): void {
  const [, group, version, path = ''] = /^\/apis\/([^/]+)\/([^/]+)\/?(.*)$/.exec(url) ?? [];
  response.setHeader('content-type', 'application/json');
  if (group === undefined) return void response.writeHead(404).end();
  const groupVersion = `${group}/${version}`;
  if (path === '') {
    const list = { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: [] };
    return void response.end(JSON.stringify(list));
  }
  asked.push(path);
  const items = figures.get(path.replace(/\?.*/, ''));
  const message = 'the server could not find the metric';
  const failure = { kind: 'Status', status: 'Failure', message, reason: 'NotFound', code: 404 };
  const kind = group === EXTERNAL ? 'ExternalMetricValueList' : 'MetricValueList';
  response.writeHead(items ? 200 : 404);
  response.end(JSON.stringify(items ? { kind, apiVersion: groupVersion, items } : failure));
}

async function withAdapter(): Promise<void> {
  await api.putBehind('adapter', createServer(await api.pairFor('adapter'), adapter));
  const service = { namespace: 'default', name: 'adapter' };
  for (const [group, version] of [
    [CUSTOM, 'v1beta1'],
    [EXTERNAL, 'v1beta1'],
  ] as const) {
    await api.register({ group, version, service });
    await api.becomes('Passed', `${version}.${group}`);
  }
}

/** A Deployment of two ready pods, and an autoscaler of it. */
async function scaled(metric: MetricSpecV2): Promise<void> {
  const made = await client.resource(Deployments).create(aDeployment('web', { replicas: 2 }));
  const status = { replicas: 2, readyReplicas: 2 };
  await client
    .resource(Deployments)
    .patch(
      { namespace: 'default', name: made.metadata.name ?? '' },
      { type: 'merge', body: { status } },
      { subresource: 'status' },
    );
  for (const name of ['web-a', 'web-b']) {
    const pod = await client.resource(Pods).create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', labels: { app: 'web' } },
      spec: { nodeName: 'n1', containers: [{ name: 'main', image: 'image:1' }] },
    });
    await setReady(client, pod);
  }
  await client.resource(HorizontalPodAutoscalers).create({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      maxReplicas: 10,
      metrics: [metric],
    },
  });
}

const autoscaler = (): Promise<HorizontalPodAutoscalerV2> =>
  client.resource(HorizontalPodAutoscalers).get({ namespace: 'default', name: 'web' });
const replicas = async () =>
  (await client.resource(Deployments).get({ namespace: 'default', name: 'web' })).spec?.replicas;
const measured = async (): Promise<MetricStatusV2 | undefined> =>
  (await autoscaler()).status?.currentMetrics?.[0];
const trouble = async () => {
  const found = (await autoscaler()).status?.conditions?.find(
    ({ type, status }) => type === 'ScalingActive' && status === 'False',
  );
  return `${found?.reason}: ${found?.message}`;
};

const ofPods: MetricSpecV2 = {
  type: 'Pods',
  pods: {
    metric: { name: 'requests', selector: { matchLabels: { path: 'a' } } },
    target: { type: 'AverageValue', averageValue: '10' },
  },
};
const ofService: MetricSpecV2 = {
  type: 'Object',
  object: {
    metric: { name: 'hits' },
    describedObject: { apiVersion: 'v1', kind: 'Service', name: 'kitchen' },
    target: { type: 'Value', value: '100' },
  },
};
const outside: MetricSpecV2 = {
  type: 'External',
  external: {
    metric: { name: 'queue', selector: { matchLabels: { name: 'orders' } } },
    target: { type: 'AverageValue', averageValue: '5' },
  },
};
const value = (name: string, amount: string) => ({
  describedObject: { kind: 'Pod', namespace: 'default', name, apiVersion: 'v1' },
  timestamp: '2026-01-01T00:00:00Z',
  value: amount,
});

describe('The autoscaler with an adapter', () => {
  it('scales by a metric of its pods', async () => {
    figures.set('namespaces/default/pods/*/requests', [value('web-a', '25'), value('web-b', '15')]);
    await withAdapter();
    await scaled(ofPods);
    await until(async () => (await replicas()) === 4);
    expect(asked[0]).toBe(
      'namespaces/default/pods/*/requests?labelSelector=app%3Dweb&metricLabelSelector=path%3Da',
    );
    await until(async () => (await measured())?.pods?.current.averageValue === '20');
  });

  it('scales by a metric of another object', async () => {
    figures.set('namespaces/default/services/kitchen/hits', [value('kitchen', '250')]);
    await withAdapter();
    await scaled(ofService);
    await until(async () => (await replicas()) === 5);
    await until(async () => (await measured())?.object?.current.value === '250');
  });

  it('scales by a metric from outside', async () => {
    figures.set('namespaces/default/queue', [{ value: '12' }, { value: '18' }]);
    await withAdapter();
    await scaled(outside);
    await until(async () => (await replicas()) === 6);
    expect(asked[0]).toBe('namespaces/default/queue?labelSelector=name%3Dorders');
  });

  it('says which metric the adapter does not have, and leaves the size', async () => {
    await withAdapter();
    await scaled(ofService);
    await until(async () => (await trouble()).startsWith('FailedGetObjectMetric'));
    expect(await trouble()).toBe(
      'FailedGetObjectMetric: the HPA was unable to compute the replica count: unable to get metric hits: Service on default kitchen/unable to fetch metrics from custom metrics API: the server could not find the metric',
    );
    expect(await replicas()).toBe(2);
  });
});

describe('Without an adapter', () => {
  it('nothing is known of pods’ own figures, nor from outside', async () => {
    await scaled(ofPods);
    await until(async () => (await trouble()).startsWith('FailedGetPodsMetric'));
    expect(await trouble()).toContain(
      'unable to get metric requests: unable to fetch metrics from custom metrics API: the server could not find the metric requests for pods',
    );
    const path = { namespace: 'default', name: 'web' };
    const body = { spec: { metrics: [outside] } };
    await client.resource(HorizontalPodAutoscalers).patch(path, { type: 'merge', body });
    await until(async () => (await trouble()).startsWith('FailedGetExternalMetric'));
    expect(await trouble()).toContain('no metrics returned from external metrics API');
  });

  it('use of CPU and memory is there as custom metrics, until an adapter has the group', async () => {
    await scaled({
      type: 'Pods',
      pods: { metric: { name: 'memory' }, target: { type: 'AverageValue', averageValue: '1Mi' } },
    });
    const containers = [{ name: 'main', cpuNanoCores: 250_000_000, memoryBytes: 3 * 1024 * 1024 }];
    const pods = ['web-a', 'web-b'].map((name) => ({ namespace: 'default', name, containers }));
    const node = { cpuNanoCores: 1e9, memoryBytes: 1024 };
    const body = { timestampMs: systemClock.now(), windowMs: 1000, node, pods };
    const sent = await api.server.call('POST', '/apis/metrics.k8s.io/v1beta1/nodes/n1/samples', {
      body,
    });
    expect(sent.status, sent.text).toBe(204);
    const path = `/apis/${CUSTOM}/v1beta2/namespaces/default/pods`;
    const all = (await api.server.call('GET', `${path}/*/cpu?labelSelector=app%3Dweb`)).json();
    expect(all.items).toMatchObject([
      { describedObject: { kind: 'Pod', name: 'web-a' }, metric: { name: 'cpu' }, value: '250m' },
      { describedObject: { name: 'web-b' } },
    ]);
    const onNode = (await api.server.call('GET', `/apis/${CUSTOM}/v1beta2/nodes/n1/cpu`)).json();
    expect(onNode.items[0].value).toBe('1');
    const list = (await api.server.call('GET', `/apis/${CUSTOM}/v1beta2`)).json();
    expect((list.resources as { name: string }[]).map(({ name }) => name)).toEqual([
      'nodes/cpu',
      'nodes/memory',
      'pods/cpu',
      'pods/memory',
    ]);
    await until(async () => (await replicas()) === 6);
    await withAdapter();
    expect((await api.server.call('GET', `${path}/*/cpu`)).status).toBe(404);
    const group = (await api.server.call('GET', `/apis/${CUSTOM}`)).json();
    expect((group.versions as { version: string }[]).map(({ version }) => version)).toEqual([
      'v1beta1',
    ]);
    const native = `/apis/apiregistration.k8s.io/v1/apiservices/v1beta2.${CUSTOM}`;
    const registered = async () => (await api.server.call('GET', native)).status;
    await until(async () => (await registered()) === 404);
    // It is this server's own again once the adapter goes.
    await api.server.call('DELETE', native.replace('v1beta2', 'v1beta1'));
    await until(async () => (await registered()) === 200);
  });
});
