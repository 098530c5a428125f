// A propagation policy, dry run or precondition that is no text was refused as "[object Object]": nobody could see what was wrong with it.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { anApiCaller, type ApiCaller } from '../support/api-caller.ts';

let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
});
afterAll(() => api.close());

const ODD = [[{}], { a: 1 }, 7, true];

it.each(ODD)('names the propagation policy %j', (propagationPolicy) =>
  expectNamed({ propagationPolicy }, 'propagationPolicy', propagationPolicy),
);

it.each(ODD)('names the dry run %j', (dryRun) =>
  expectNamed({ dryRun: [dryRun] }, 'dryRun', dryRun),
);

it.each(ODD)('names the preconditions %j', async (odd) => {
  await expectNamed({ preconditions: { uid: odd } }, 'preconditions.uid', odd);
  const resourceVersion = { preconditions: { resourceVersion: odd } };
  await expectNamed(resourceVersion, 'preconditions.resourceVersion', odd);
});

async function expectNamed(options: object, field: string, value: unknown): Promise<void> {
  const body = { kind: 'DeleteOptions', apiVersion: 'v1', ...options };
  const { status, json } = await api.call('DELETE', '/api/v1/namespaces/default/configmaps/a', {
    body,
  });
  expect([status, json.reason]).toEqual([400, 'BadRequest']);
  expect(json.message).toContain(`${field}: Invalid value: ${JSON.stringify(value)}`);
}
