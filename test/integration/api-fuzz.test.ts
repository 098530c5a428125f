// Whatever is sent, the server answers: never with an internal error, failures always with a Status of the right code.
// Short here; the long form sends 100,000 requests (`npm run test:long`). PINNACE_SEED repeats a run.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemRandom } from '../../base/random.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { Fuzzer } from '../support/fuzz.ts';
import { expectSound } from '../support/sound-answers.ts';

const LONG = process.env['PINNACE_LONG'] === '1';
const REQUESTS = LONG ? 100_000 : 2_000;
/** The short form is the same each time, so that a change is judged by what it changed; the long one looks for news. */
const SEED = Number(
  process.env['PINNACE_SEED'] ?? (LONG ? Math.floor(systemRandom.next() * 1e9) : 20_261_121),
);
/** How long all may take. Generous: nothing is proved by it but that nothing hangs. */
const CEILING_MS = LONG ? 40 * 60_000 : 600_000;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  const account = { metadata: { name: 'default' } };
  await server.call('POST', '/api/v1/namespaces/default/serviceaccounts', { body: account });
});
afterAll(() => server.close());

it(
  `answers ${REQUESTS} broken requests`,
  async () => {
    const fuzzer = new Fuzzer(SEED);
    const codes = new Map<number, number>();
    for (let i = 0; i < REQUESTS; i += 1) {
      const { method, path, headers, body } = fuzzer.request();
      const call = body === undefined ? { headers } : { headers, body };
      const answer = await server.call(method, path, call);
      const about = `seed ${SEED}, request ${i}: ${method} ${path} ${JSON.stringify(headers)} ${body?.slice(0, 3000)}\n${answer.text.slice(0, 1000)}`;
      codes.set(answer.status, (codes.get(answer.status) ?? 0) + 1);
      expectSound(answer, method, about);
      const type = answer.headers['content-type'] ?? '';
      if (answer.status === 201 && type.includes('json')) fuzzer.took(answer.json());
    }
    expect((await server.call('GET', '/readyz')).text).toBe('ok');
    // Both sides were tried: some of it was good.
    for (const code of [200, 201, 400, 404, 409, 422]) expect(codes.get(code)).toBeGreaterThan(0);
  },
  CEILING_MS,
);
