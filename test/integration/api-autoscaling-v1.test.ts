// autoscaling/v1 beside autoscaling/v2: one stored object, two ways of writing it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';

const V1 = '/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers';
const V2 = '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers';
const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
const inV1 = (name: string, spec: object = {}) => ({
  apiVersion: 'autoscaling/v1',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name },
  spec: { scaleTargetRef, maxReplicas: 5, ...spec },
});

describe('autoscaling/v1', () => {
  let api: ApiCaller;
  beforeAll(async () => {
    api = await anApiCaller();
  });
  afterAll(() => api.close());

  it('takes an autoscaler, which v2 shows with a cpu metric', async () => {
    const made = await api.call('POST', V1, {
      body: inV1('a', { targetCPUUtilizationPercentage: 60 }),
    });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject(inV1('a', { targetCPUUtilizationPercentage: 60 }));
    const { json } = await api.call('GET', `${V2}/a`);
    expect(json).toMatchObject({
      apiVersion: 'autoscaling/v2',
      spec: {
        minReplicas: 1,
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } },
          },
        ],
      },
    });
  });

  it('lists and watches in its own version', async () => {
    const listed = (await api.call('GET', V1)).json;
    expect(listed.apiVersion).toBe('autoscaling/v1');
    expect(listed.items.map(({ apiVersion }) => apiVersion)).toEqual(['autoscaling/v1']);
    const watch = await api.watch(V1);
    expect((await watch.next())?.object).toMatchObject({
      apiVersion: 'autoscaling/v1',
      spec: { targetCPUUtilizationPercentage: 60 },
    });
    watch.stop();
  });

  it('keeps on writes what it cannot say', async () => {
    const pods = {
      type: 'Pods',
      pods: { metric: { name: 'hits' }, target: { type: 'AverageValue', averageValue: '5' } },
    };
    const behavior = { scaleDown: { stabilizationWindowSeconds: 7 } };
    const body = {
      ...inV1('b', { metrics: [pods], behavior }),
      apiVersion: 'autoscaling/v2',
    };
    expect((await api.call('POST', V2, { body })).status).toBe(201);
    const before = (await api.call('GET', `${V1}/b`)).json;
    expect(before.apiVersion).toBe('autoscaling/v1');
    expect(before.spec).not.toHaveProperty('targetCPUUtilizationPercentage');
    const same = await api.call('PUT', `${V1}/b`, { body: before });
    expect(same.json.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
    await api.call('PATCH', `${V1}/b`, {
      type: 'application/merge-patch+json',
      body: { spec: { maxReplicas: 9, targetCPUUtilizationPercentage: 50 } },
    });
    const { spec } = (await api.call('GET', `${V2}/b`)).json;
    expect(spec).toMatchObject({ maxReplicas: 9, behavior });
    expect(spec['metrics']).toMatchObject([{ resource: { name: 'cpu' } }, pods]);
  });

  it('is named in discovery after v2, which is preferred', async () => {
    const group = (await api.call('GET', '/apis/autoscaling')).text;
    expect(JSON.parse(group)).toMatchObject({
      preferredVersion: { version: 'v2' },
      versions: [{ version: 'v2' }, { version: 'v1' }],
    });
    const { text } = await api.call('GET', '/apis/autoscaling/v1');
    expect(text).toContain('"horizontalpodautoscalers/status"');
  });
});
