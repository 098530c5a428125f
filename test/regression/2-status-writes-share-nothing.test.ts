// A status write defaulted the old object's spec in place: that object is shared and frozen, so every second write of an
// autoscaler's status failed with an internal error, and no pod of its target was ever scaled.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/server.ts';

const PATH = '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers';
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

it('writes the status of an autoscaler again and again', async () => {
  const made = await server.call('POST', PATH, {
    body: {
      metadata: { name: 'h' },
      spec: {
        maxReplicas: 3,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
        behavior: { scaleDown: { stabilizationWindowSeconds: 5 } },
      },
    },
  });
  expect(made.status).toBe(201);
  let object = made.json();
  for (const desiredReplicas of [1, 2, 3]) {
    const answer = await server.call('PUT', `${PATH}/h/status`, {
      body: { ...object, status: { currentReplicas: 1, desiredReplicas } },
    });
    expect(answer.status).toBe(200);
    object = answer.json();
    expect(object.status.desiredReplicas).toBe(desiredReplicas);
  }
});
