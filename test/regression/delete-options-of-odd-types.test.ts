// A propagation policy that is no text was refused as "[object Object]": nobody could see what was wrong with it.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { anApiCaller, type ApiCaller } from '../support/api-caller.ts';

let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
});
afterAll(() => api.close());

it.each([[[{}]], [{ a: 1 }], [7], [true]])('names the value %j', async (propagationPolicy) => {
  const body = { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy };
  const { status, json } = await api.call('DELETE', '/api/v1/namespaces/default/configmaps/a', {
    body,
  });
  expect([status, json.reason]).toEqual([400, 'BadRequest']);
  expect(json.message).toContain(
    `propagationPolicy: Invalid value: ${JSON.stringify(propagationPolicy)}`,
  );
});
