// A long list that is compressed for one reader holds nobody else up.
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { cpuOfTurns } from '../../test/support/cpu.ts';
import { collectGarbage } from '../../test/support/garbage.ts';
import { Outbox } from './outbox.ts';
import { sendReply } from './send-reply.ts';

/** As many objects as 10,000 Pods with managedFields, 28 MB, no two alike. */
const OBJECTS = 10_000;
const OBJECT_BYTES = 2_800;
/** No turn of the event loop should take more CPU than this on a host that is our own; it is printed. */
const GOAL_MS = 10;
/** And none may take more than this: joined as a whole, the list took a tenth of a second of one turn. */
const LONGEST_TURN_MS = 50;

const server = createServer();
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

it('28 MB are compressed while others are answered, in short turns of the event loop', async () => {
  const list = Array.from({ length: OBJECTS }, (_, i) => {
    const words = Array.from({ length: 40 }, (_w, j) =>
      ((i * 40 + j) * 2_654_435_761).toString(36),
    );
    return Buffer.from(`{"name":"${i}","text":"${words.join('","')}`.padEnd(OBJECT_BYTES, 'abc-'));
  });
  const bodies: Readonly<Record<string, Uint8Array[]>> = {
    '/list': list,
    '/one': [Buffer.from('ok')],
  };
  const { signal } = new AbortController();
  const outbox = new Outbox();
  server.on('request', (request, response) => {
    const body = bodies[request.url ?? ''] ?? [];
    const context = { acceptEncoding: 'gzip', head: false, reader: { signal }, outbox };
    void sendReply(response, { kind: 'body', status: 200, headers: {}, body }, context);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const read = async (path: string) => {
    const [answer] = (await once(get({ host: '127.0.0.1', port, path }), 'response')) as [
      IncomingMessage,
    ];
    let size = 0;
    for await (const chunk of answer) size += (chunk as Buffer).length;
    return { size, encoding: answer.headers['content-encoding'] };
  };
  await read('/list');
  let ended = false;
  let answered = 0;
  const others = async () => {
    while (!ended) {
      expect((await read('/one')).size).toBe(2);
      answered += 1;
    }
  };
  collectGarbage();
  const turns = cpuOfTurns();
  const startedAt = performance.now();
  const reading = read('/list').finally(() => (ended = true));
  const [{ size, encoding }] = await Promise.all([reading, others()]);
  expect([encoding, size < (OBJECTS * OBJECT_BYTES) / 2]).toEqual(['gzip', true]);
  const tookMs = performance.now() - startedAt;
  const sorted = turns().sort((one, other) => one - other);
  const [p99 = 0, longest = 0] = [sorted[Math.floor(sorted.length * 0.99)], sorted.at(-1)];
  process.stdout.write(
    `28 MB to ${(size / 1e6).toFixed(1)} MB in ${tookMs.toFixed(0)} ms: ${answered} others answered, ` +
      `${sorted.length} turns, CPU of p99 ${p99.toFixed(2)} ms, of the longest ${longest.toFixed(1)} ms (goal ${GOAL_MS})\n`,
  );
  expect(longest).toBeLessThan(LONGEST_TURN_MS);
  // Compressed in one go, before or beside any other, it would let one or two through.
  expect(answered).toBeGreaterThan(10);
});
