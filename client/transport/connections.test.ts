// How the HTTP transport keeps its connections: few, not for ever, and none behind a call that was given up.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../test/support/until.ts';
import { HTTP_LIMITS, type HttpLimits } from './http-options.ts';
import { createHttpTransport } from './http.ts';
import type { Transport } from './transport.ts';

const opened: (() => void)[] = [];
afterEach(() => {
  for (const close of opened.splice(0)) close();
});

interface Peer {
  readonly server: Server;
  /** Connections that stand. */
  readonly sockets: Set<Socket>;
  readonly transport: Transport;
  /** How many connections there were. */
  made(): number;
}

async function aPeer(answer: RequestListener, limits: Partial<HttpLimits> = {}): Promise<Peer> {
  const server = createServer(answer);
  const sockets = new Set<Socket>();
  let made = 0;
  server.on('connection', (socket) => {
    made++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const transport = createHttpTransport({ server: url, limits });
  opened.push(() => {
    transport.close();
    server.closeAllConnections();
    server.close();
  });
  return { server, sockets, transport, made: () => made };
}

const get = { method: 'GET', path: '/x' } as const;
const abort = () => {
  const controller = new AbortController();
  return { signal: controller.signal, now: () => controller.abort(new Error('enough')) };
};

async function drained(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of chunks);
}

describe('connections', () => {
  it('are no more than the limit, however many requests there are', async () => {
    let at = 0;
    let most = 0;
    const peer = await aPeer(
      (_, response) => {
        most = Math.max(most, ++at);
        setImmediate(() => {
          at--;
          response.end('{}');
        });
      },
      { maxSockets: 3 },
    );
    await Promise.all(Array.from({ length: 50 }, () => peer.transport.request(get)));
    expect(most).toBeLessThanOrEqual(3);
    expect(peer.made()).toBe(3);
  });

  it('that are idle are closed by and by, and few are kept', async () => {
    const peer = await aPeer((_, response) => response.end('{}'), {
      maxIdleMs: 100,
      maxFreeSockets: 2,
    });
    await Promise.all(Array.from({ length: 10 }, () => peer.transport.request(get)));
    await until(() => peer.sockets.size <= 2);
    await until(() => peer.sockets.size === 0);
  });

  it('in use are not closed for being quiet', async () => {
    const waiting = Promise.withResolvers<void>();
    const peer = await aPeer((_, response) => void waiting.promise.then(() => response.end('{}')), {
      maxIdleMs: 20,
    });
    const reply = peer.transport.request(get);
    // Another one is idle meanwhile, and goes.
    const other = await aPeer((_, response) => response.end('{}'), { maxIdleMs: 40 });
    await other.transport.request(get);
    await until(() => other.sockets.size === 0);
    waiting.resolve();
    expect((await reply).status).toBe(200);
  });

  it('of calls that were given up are gone, at whatever point that was', async () => {
    const bodies: (() => void)[] = [];
    const peer = await aPeer((request, response) => {
      if (request.url === '/silent') return;
      response.write(
        request.url?.startsWith('/watch')
          ? '{"type":"BOOKMARK","object":{"metadata":{}}}\n'
          : '{"a":',
      );
      bodies.push(() => response.end('1}'));
    });
    const { transport } = peer;
    for (let round = 0; round < 20; round++) {
      const [silent, begun, stream, watch] = [abort(), abort(), abort(), abort()];
      const unanswered = transport.request({ ...get, path: '/silent', signal: silent.signal });
      const half = transport.request({ ...get, signal: begun.signal });
      const chunks = await transport.stream({ ...get, signal: stream.signal });
      const events = transport
        .watch({ ...get, path: '/watch', signal: watch.signal })
        [Symbol.asyncIterator]();
      await events.next();
      const next = events.next();
      for (const each of [silent, begun, stream, watch]) each.now();
      const calls = [unanswered, half, next, drained(chunks)];
      const outcomes = await Promise.allSettled(calls);
      expect(outcomes.map((each) => (each as PromiseRejectedResult).reason as unknown)).toEqual(
        calls.map(() => expect.objectContaining({ message: 'enough' }) as unknown),
      );
    }
    await until(() => peer.sockets.size === 0);
    const dead = AbortSignal.abort(new Error('enough'));
    const before = peer.made();
    await expect(transport.request({ ...get, signal: dead })).rejects.toThrow('enough');
    expect(peer.made()).toBe(before);
  });

  it('leave no listener on a signal that outlives many calls', async () => {
    const peer = await aPeer((_, response) => response.end('{}'));
    const { signal } = abort();
    let listeners = 0;
    const [add, remove] = [
      signal.addEventListener.bind(signal),
      signal.removeEventListener.bind(signal),
    ];
    signal.addEventListener = (...all: Parameters<typeof add>) => {
      listeners++;
      add(...all);
    };
    signal.removeEventListener = (...all: Parameters<typeof remove>) => {
      listeners--;
      remove(...all);
    };
    for (let i = 0; i < 30; i++) await peer.transport.request({ ...get, signal });
    await until(() => listeners === 0);
  });

  it('are kept within limits that are told', () => {
    expect(HTTP_LIMITS).toMatchObject({ maxSockets: 32, maxFreeSockets: 8, maxIdleMs: 45_000 });
  });
});

describe('a server that is no API server', () => {
  it.each([
    ['a web page', 'text/html', '<html>hello</html>'],
    ['nothing', 'text/plain', ''],
  ])('is told when it answers %s', async (_, type, body) => {
    const peer = await aPeer((_request, response) => {
      response.setHeader('content-type', type);
      response.end(body);
    });
    const reply = await peer.transport.request(get);
    expect(() => reply.object()).toThrow(
      `the answer is not JSON but ${type}: is this the address of a Kubernetes API server?`,
    );
  });

  it('is told when it refuses with a web page', async () => {
    const peer = await aPeer((_, response) => {
      response.writeHead(404, { 'content-type': 'text/html' });
      response.end('<!doctype html>…');
    });
    await expect(peer.transport.request(get)).rejects.toThrow(
      'the server answered 404 with a web page: is this the address of a Kubernetes API server?',
    );
  });
});
