// Watches over WebSocket: each event one text message, the socket closed when the watch ends.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const clock = new VirtualClock();
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ clock });
});
afterAll(() => server.close());

describe('a watch over WebSocket', () => {
  it('sends each event as a message, and closes when its time is over', async () => {
    const query = 'watch=true&timeoutSeconds=30&fieldSelector=metadata.name%3Ddefault';
    const { cert, key, ca } = server.tls;
    const socket = new WebSocket(
      `${server.url.replace('https', 'wss')}/api/v1/namespaces?${query}`,
      {
        cert,
        key,
        ca,
      },
    );
    const messages: { type: string; object: { metadata: { name: string } } }[] = [];
    socket.on('message', (data: Buffer) => {
      messages.push(JSON.parse(data.toString()));
      void clock.advance(30_000);
    });
    const code = await new Promise<number>((resolve, reject) => {
      socket.on('close', resolve);
      socket.on('error', reject);
    });
    expect(messages.map(({ type, object }) => [type, object.metadata.name])).toEqual([
      ['ADDED', 'default'],
    ]);
    expect(code).toBe(1000);
  });

  it('ends when its client breaks the protocol, and the server goes on', async () => {
    const { cert, key, ca } = server.tls;
    const url = `${server.url.replace('https', 'wss')}/api/v1/namespaces?watch=true`;
    const socket = new WebSocket(url, { cert, key, ca });
    await new Promise((resolve) => socket.once('open', resolve));
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    socket.send('x'.repeat(100_000));
    expect(await closed).toBe(1009);
    expect((await server.call('GET', '/readyz')).status).toBe(200);
  });

  it('is refused with a Status where the caller may not watch', async () => {
    const socket = new WebSocket(
      `${server.url.replace('https', 'wss')}/api/v1/secrets?watch=true`,
      {
        ca: server.tls.ca,
      },
    );
    const status = await new Promise<number>((resolve, reject) => {
      socket.on('unexpected-response', (_request, response) => {
        resolve(response.statusCode ?? 0);
        response.resume();
      });
      socket.on('open', () => reject(new Error('the watch was let in')));
      socket.on('error', reject);
    });
    expect(status).toBe(403);
  });
});
