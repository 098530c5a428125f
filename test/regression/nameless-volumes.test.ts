// Admission comes before validation: a pod whose volume has no name is refused for that, and does not fail the server.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';

let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
});
afterAll(() => api?.close());

it('a pod with a volume without a name is refused with the field that lacks', async () => {
  await api.call('POST', '/api/v1/namespaces/default/serviceaccounts', {
    body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } },
  });
  const containers = [{ name: 'a', image: 'a' }];
  const { status, json } = await api.call('POST', '/api/v1/namespaces/default/pods', {
    body: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'a' },
      spec: { containers, volumes: [{ emptyDir: {} }] },
    },
  });
  expect([status, json.reason]).toEqual([422, 'Invalid']);
  expect(json.message).toContain('spec.volumes[0].name: Required value');
});
