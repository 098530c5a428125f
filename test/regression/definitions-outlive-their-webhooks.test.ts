// A bundle of a definition and a webhook about its objects is deleted as a whole: nobody is left to answer, and nobody is asked.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';
import { until } from '../support/until.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const WEBHOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const BELLS = '/apis/tower.example.com/v1/namespaces/default/bells';

let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
});
afterAll(() => api?.close());

it('deletes the objects of a definition though a webhook would refuse', async () => {
  await api.call('POST', CRDS, {
    body: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'bells.tower.example.com' },
      spec: {
        group: 'tower.example.com',
        scope: 'Namespaced',
        names: { plural: 'bells', kind: 'Bell' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object' } },
          },
        ],
      },
    },
  });
  await until(async () => (await api.call('GET', BELLS)).status === 200);
  const bell = { apiVersion: 'tower.example.com/v1', kind: 'Bell', metadata: { name: 'b' } };
  expect((await api.call('POST', BELLS, { body: bell })).status).toBe(201);
  const webhook = {
    name: 'gone.tower.example.com',
    clientConfig: { service: { name: 'gone', namespace: 'default' } },
    rules: [{ apiGroups: ['*'], apiVersions: ['*'], resources: ['bells'], operations: ['DELETE'] }],
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
  };
  const configuration = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'gone' },
    webhooks: [webhook],
  };
  expect((await api.call('POST', WEBHOOKS, { body: configuration })).status).toBe(201);
  // Whoever deletes an object is refused, as the webhook is away.
  expect((await api.call('DELETE', `${BELLS}/b`)).status).toBe(500);
  await api.call('DELETE', `${CRDS}/bells.tower.example.com`);
  await until(
    async () => (await api.call('GET', `${CRDS}/bells.tower.example.com`)).status === 404,
  );
});
