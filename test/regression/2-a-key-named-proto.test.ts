// `__proto__` is an allowed key of a ConfigMap's data, and is kept by every kind of write.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/server.ts';

const PATH = '/api/v1/namespaces/default/configmaps';
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** The data as the API's text has it: a parsed `__proto__` would be found too easily. */
async function stored(): Promise<string | undefined> {
  const answer = await server.call('GET', `${PATH}/odd`);
  return /"data":(\{[^}]*\})/.exec(answer.text)?.[1];
}

const json = (text: string): object => JSON.parse(text) as object;

it('is stored, and survives updates and patches', async () => {
  const body = json('{"metadata":{"name":"odd"},"data":{"__proto__":"a"}}');
  expect((await server.call('POST', PATH, { body })).status).toBe(201);
  expect(await stored()).toBe('{"__proto__":"a"}');
  const patches: [type: string, text: string][] = [
    ['application/merge-patch+json', '{"data":{"merge":"1"}}'],
    ['application/strategic-merge-patch+json', '{"data":{"strategic":"1"}}'],
    ['application/json-patch+json', '[{"op":"add","path":"/data/json","value":"1"}]'],
    ['application/merge-patch+json', '{"data":{"__proto__":"b"}}'],
  ];
  for (const [type, text] of patches) {
    const headers = { 'content-type': type };
    const answer = await server.call('PATCH', `${PATH}/odd`, { headers, body: json(text) });
    expect(answer.status, answer.text).toBe(200);
  }
  const data = JSON.parse((await stored()) ?? '') as Record<string, string>;
  expect(new Map(Object.entries(data))).toEqual(
    new Map([
      ['__proto__', 'b'],
      ['json', '1'],
      ['merge', '1'],
      ['strategic', '1'],
    ]),
  );
  const whole = json('{"metadata":{"name":"odd"},"data":{"__proto__":"c"}}');
  expect((await server.call('PUT', `${PATH}/odd`, { body: whole })).status).toBe(200);
  expect(await stored()).toBe('{"__proto__":"c"}');
});
