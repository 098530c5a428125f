// Numbers that no double holds would come out as null, and the next write would drop the field: they are refused instead.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
});
afterAll(() => api?.close());

it.each([
  ['application/json', '{"metadata":{"name":"a"},"odd":1e400}'],
  ['application/yaml', 'metadata: {name: a}\nodd: .inf\n'],
  ['application/yaml', 'metadata: {name: a}\nodd: 1e400\n'],
  ['application/yaml', 'metadata: {name: a}\nodd: .NaN\n'],
])('are refused in %s: %j', async (type, body) => {
  const { status, json } = await api.call('POST', MAPS, { body, type });
  expect([status, json.reason, json.message]).toEqual([
    400,
    'BadRequest',
    expect.stringMatching(/the number \S+ is out of range/),
  ]);
});
