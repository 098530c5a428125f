// Whatever is sent in whatever form, the server answers, soundly: odd headers, protobuf, YAML, definitions and their objects,
// and raw connections. Short here; the long form sends 100,000 (`npm run test:long`). PINNACE_SEED repeats a run.
import { connect, type ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { expectSound } from '../support/sound-answers.ts';
import { GADGETS, WireFuzzer } from '../support/wire-fuzz.ts';

const LONG = process.env['PINNACE_LONG'] === '1';
const REQUESTS = LONG ? 95_000 : 1_800;
const RAW = LONG ? 2_500 : 100;
const SEED = Number(
  process.env['PINNACE_SEED'] ?? (LONG ? Math.floor(systemRandom.next() * 1e9) : 20_261_121),
);
/** How long all may take. Generous: nothing is proved by it but that nothing hangs. */
const CEILING_MS = LONG ? 40 * 60_000 : 600_000;
/** A raw connection that is neither answered nor closed by then hangs. */
const HANGS_MS = 90_000;
/** The process may grow by this much from the first tenth of the requests to the last. */
const MAX_GROWTH_BYTES = 600 * 1024 * 1024;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  const account = { metadata: { name: 'default' } };
  await server.call('POST', '/api/v1/namespaces/default/serviceaccounts', { body: account });
});
afterAll(() => server.close());

it(
  `answers ${REQUESTS} odd requests`,
  async () => {
    const fuzzer = new WireFuzzer(SEED);
    const codes = new Map<string, number>();
    let early = 0;
    for (let i = 0; i < REQUESTS; i += 1) {
      const { method, path, headers, body } = fuzzer.request();
      const answer = await server.call(
        method,
        path,
        body === undefined ? { headers } : { headers, body },
      );
      const sent = typeof body === 'string' ? body : Buffer.from(body ?? []).toString('hex');
      const about = `seed ${SEED}, request ${i}: ${method} ${path} ${JSON.stringify(headers)} ${sent.slice(0, 3000)}\n${answer.text.slice(0, 1000)}`;
      expectSound(answer, method, about);
      const what = path.startsWith(GADGETS) ? 'gadget' : String(headers['content-type']);
      const key = `${what} ${answer.status}`;
      codes.set(key, (codes.get(key) ?? 0) + 1);
      if (i === Math.floor(REQUESTS / 10)) early = process.memoryUsage.rss();
    }
    expect(process.memoryUsage.rss() - early).toBeLessThan(MAX_GROWTH_BYTES);
    expect((await server.call('GET', '/readyz')).text).toBe('ok');
    // Some of each kind was good, and some was not.
    for (const seen of [
      'gadget 201',
      'gadget 200',
      'gadget 422',
      'application/yaml 201',
      'application/yaml 400',
    ])
      expect(codes.get(seen) ?? 0, `${seen} of ${JSON.stringify([...codes])}`).toBeGreaterThan(0);
    if (LONG) process.stdout.write(`${REQUESTS} of seed ${SEED}: ${JSON.stringify([...codes])}\n`);
  },
  CEILING_MS,
);

it(
  `answers or closes ${RAW} connections that break HTTP, and as many that break WebSockets`,
  async () => {
    const fuzzer = new WireFuzzer(SEED + 1);
    for (let i = 0; i < RAW; i += 1) {
      const head = fuzzer.rawHead();
      const said = await ended(Buffer.from(head, 'latin1'));
      const about = `seed ${SEED}, head ${i}: ${JSON.stringify(head.slice(0, 500))}\n${said.slice(0, 500)}`;
      expect(said, about).not.toMatch(/^HTTP\/1\.1 500/);
      expect(said, about).toMatch(/^$|^HTTP\/1\.1 \d{3} /);
    }
    const open = [
      'GET /api/v1/namespaces/default/pods?watch=1&timeoutSeconds=1 HTTP/1.1',
      'host: x',
      'connection: Upgrade',
      'upgrade: websocket',
      'sec-websocket-version: 13',
      'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==',
      '\r\n',
    ].join('\r\n');
    for (let from = 0; from < RAW; from += 50)
      await Promise.all(
        Array.from({ length: 50 }, () =>
          ended(Buffer.concat([Buffer.from(open), fuzzer.frames()])),
        ),
      ).then((all) => {
        for (const said of all) expect(said).toMatch(/^HTTP\/1\.1 101 /);
      });
    expect((await server.call('GET', '/readyz')).text).toBe('ok');
  },
  CEILING_MS,
);

/** What comes back on a raw connection until the server closes it; this side says no more, and lets go after a final answer. */
function ended(bytes: Buffer): Promise<string> {
  const options: ConnectionOptions = { host: '127.0.0.1', port: server.port, ...server.tls };
  return new Promise((resolve, reject) => {
    const socket = connect(options, () => socket.end(bytes));
    const chunks: Buffer[] = [];
    const hangs = systemClock.timer(HANGS_MS, () =>
      reject(new Error(`neither answered nor closed: ${bytes.toString('latin1').slice(0, 300)}`)),
    );
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      hangs.cancel();
      resolve(Buffer.concat(chunks).toString('latin1'));
    });
  });
}
