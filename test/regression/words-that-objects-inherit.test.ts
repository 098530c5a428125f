// Words that every JavaScript object inherits are words as any other: an enum that lacks them refuses them by its own name.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';

let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
});
afterAll(() => api?.close());

it.each(['__proto__', 'constructor', 'toString'])(
  'an autoscaler with metrics of the type %s is told that there is none',
  async (type) => {
    const { status, json } = await api.call(
      'POST',
      '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers',
      {
        body: {
          apiVersion: 'autoscaling/v2',
          kind: 'HorizontalPodAutoscaler',
          metadata: { name: 'a' },
          spec: {
            maxReplicas: 1,
            minReplicas: 1,
            metrics: [{ type }],
            scaleTargetRef: { kind: 'Deployment', name: 'a' },
          },
        },
      },
    );
    expect([status, json.reason]).toEqual([422, 'Invalid']);
    expect(json.message).toContain(`spec.metrics[0].type: Unsupported value: "${type}"`);
    expect(json.message).not.toContain('[object');
  },
);
