// Large answers are compressed for who asks: lists, objects and documents, whole and readable; streams and small ones never.
import { gunzipSync } from 'node:zlib';
import { once } from 'node:events';
import { request as httpsRequest } from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GZIP_FROM_BYTES } from '../../apiserver/http/send-reply.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const COUNT = 40;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  for (let i = 0; i < COUNT; i++) {
    const data = { text: String(i).repeat(20_000) };
    await server.call('POST', CONFIG_MAPS, { body: { metadata: { name: `map-${i}` }, data } });
  }
});
afterAll(() => server.close());

async function get(
  path: string,
  encoding: string,
  method = 'GET',
): Promise<{ headers: IncomingHttpHeaders; bytes: Buffer }> {
  const headers = { 'accept-encoding': encoding };
  const outgoing = httpsRequest(server.url + path, {
    ...server.tls,
    method,
    headers,
    agent: false,
  });
  outgoing.end();
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { headers: answer.headers, bytes: await buffer(answer) };
}

it.each([CONFIG_MAPS, '/openapi/v2', '/openapi/v3/api/v1'])('%s', async (path) => {
  const plain = await get(path, 'identity');
  expect(plain.headers['content-encoding']).toBeUndefined();
  expect(plain.bytes.length).toBeGreaterThan(GZIP_FROM_BYTES);
  const small = await get(path, 'deflate, gzip;q=1.0');
  expect(small.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
  expect(small.bytes.length).toBeLessThan(plain.bytes.length / 2);
  expect(gunzipSync(small.bytes).equals(plain.bytes)).toBe(true);
});

it('is not done to small answers, nor where it is refused', async () => {
  const small = await get(`${CONFIG_MAPS}/map-1`, 'gzip');
  expect(small.headers['content-encoding']).toBeUndefined();
  const refused = await get(CONFIG_MAPS, 'gzip;q=0');
  expect(refused.headers['content-encoding']).toBeUndefined();
});

it('sends a HEAD its headers and no body', async () => {
  const { headers, bytes } = await get(CONFIG_MAPS, 'gzip', 'HEAD');
  expect([headers['content-encoding'], bytes.length]).toEqual(['gzip', 0]);
});

it('survives a reader that goes away in the middle', async () => {
  const headers = { 'accept-encoding': 'gzip' };
  const outgoing = httpsRequest(server.url + CONFIG_MAPS, { ...server.tls, headers, agent: false });
  outgoing.end();
  await once(outgoing, 'response');
  outgoing.destroy();
  expect((await get('/readyz', 'gzip')).bytes.toString()).toBe('ok');
});
