// The HTTP transport against sockets that misbehave as networks and servers do.
// The peer is bytes on a socket, so that it can break the protocol; outcomes with the real API server stand elsewhere.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { WatchEventObject } from '../../api/wire/exchange.ts';
import { HTTP_LIMITS, type HttpTransportOptions } from './http-options.ts';
import { createHttpTransport } from './http.ts';
import type { Transport } from './transport.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const opened: (() => void)[] = [];
afterEach(() => {
  for (const close of opened.splice(0)) close();
});

async function aPeer(answer: Answer): Promise<{ server: Server; url: string }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function transportTo(
  answer: Answer,
  options: Partial<HttpTransportOptions> = {},
): Promise<Transport> {
  const { url } = await aPeer(answer);
  const transport = createHttpTransport({ server: url, ...options });
  opened.push(() => transport.close());
  return transport;
}

const line = (name: string) =>
  `${JSON.stringify({ type: 'ADDED', object: { apiVersion: 'v1', kind: 'T', metadata: { name } } })}\n`;
const status = (reason: string, code: number) =>
  JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    reason,
    code,
    message: 'no',
  });
const get = { method: 'GET', path: '/x' } as const;
const watchX = { ...get, query: { watch: 'true', allowWatchBookmarks: 'true' } };

async function readAll(watch: AsyncIterable<readonly WatchEventObject[]>): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const batch of watch)
      for (const { object } of batch) names.push(object.metadata.name ?? '');
  } catch (error) {
    const { name, message, failure, reason } = error as Error & {
      failure?: string;
      reason?: string;
    };
    names.push(`${name}: ${failure ?? reason ?? message}`);
  }
  return names;
}

describe('requests over HTTP', () => {
  it('gives up an answer that breaks off in the middle with nobody to say so', async () => {
    const clock = new VirtualClock();
    let begun = false;
    const transport = await transportTo(
      (_, response) => {
        response.write('{"kind":');
        begun = true;
      },
      { clock, limits: { replySilenceMs: 1000 } },
    );
    const outcome = expect(transport.request(get)).rejects.toMatchObject({ failure: 'silent' });
    // What the silence is counted by; before, another timer stands for the answer's beginning.
    await until(() => begun && clock.nextDue === clock.monotonic() + 1000);
    await clock.advance(999);
    await clock.advance(1001);
    await outcome;
  });

  it('says when to come back, to a watch as to a request', async () => {
    const transport = await transportTo((_, response) => {
      response.statusCode = 503;
      response.setHeader('retry-after', '7');
      response.end('busy');
    });
    const reading = async () => {
      for await (const batch of transport.watch(watchX)) expect(batch).toEqual([]);
    };
    await expect(reading()).rejects.toMatchObject({ details: { retryAfterSeconds: 7 } });
  });

  it('makes a write again that a 429 with Retry-After put off, and no other', async () => {
    let asked = 0;
    let retryAfter: string | undefined = '0';
    const transport = await transportTo((_, response) => {
      asked++;
      if (retryAfter !== undefined && asked === 3) return void response.end('{"kind":"Done"}');
      if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter);
      response.statusCode = 429;
      response.end(status('TooManyRequests', 429));
    });
    const post = { method: 'POST', path: '/x' } as const;
    expect((await transport.request(post)).object()).toEqual({ kind: 'Done' });
    asked = 10;
    await expect(transport.request(post)).rejects.toMatchObject({ code: 429 });
    expect(asked).toBe(10 + 1 + HTTP_LIMITS.maxRetries);
    asked = 10;
    retryAfter = undefined;
    await expect(transport.request(post)).rejects.toMatchObject({ code: 429 });
    expect(asked).toBe(11);
  });

  it('lets go of a stream that is given back before it was read', async () => {
    const closed = Promise.withResolvers<void>();
    const transport = await transportTo((_, response) => {
      response.on('close', () => closed.resolve());
      response.write('a');
    });
    const stream = await transport.stream(get);
    await stream[Symbol.asyncIterator]().return?.();
    await closed.promise;
  });

  it('tells a refusal of a stream or watch that breaks off as a lost connection', async () => {
    const transport = await transportTo((_, response) => {
      response.writeHead(403, { 'content-length': '1000' });
      response.write('{"kind"', () => response.destroy());
    });
    const lost = { name: 'ConnectionError', failure: 'lost' };
    await expect(transport.stream(get)).rejects.toMatchObject(lost);
    expect(await readAll(transport.watch(watchX))).toEqual(['ConnectionError: lost']);
  });

  it('carry method, path, query, body and token, and bring back object, headers and warnings', async () => {
    const transport = await transportTo(
      (request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          response.setHeader('warning', '299 - "old \\"field\\""');
          response.setHeader('warning', ['299 - "old \\"field\\""', '299 - "second"']);
          response.end(
            JSON.stringify({
              kind: 'Echo',
              line: `${request.method} ${request.url}`,
              type: request.headers['content-type'],
              token: request.headers.authorization,
              body: Buffer.concat(chunks).toString(),
            }),
          );
        });
      },
      { token: 'secret' },
    );
    const reply = await transport.request({
      method: 'PATCH',
      path: '/api/v1/x',
      query: { a: '1 2', b: ['x', 'y'], c: undefined },
      body: [{ op: 'add' }],
      contentType: 'application/json-patch+json',
    });
    expect(reply.warnings).toEqual(['old "field"', 'second']);
    expect(reply.object()).toEqual({
      kind: 'Echo',
      line: 'PATCH /api/v1/x?a=1+2&b=x&b=y',
      type: 'application/json-patch+json',
      token: 'Bearer secret',
      body: '[{"op":"add"}]',
    });
    expect(reply.object()).toBe(reply.object());
  });

  it('throw the Status of a failure, or one made from the code of an answer that is none', async () => {
    const transport = await transportTo((request, response) => {
      response.statusCode = request.url === '/x' ? 409 : 502;
      response.end(request.url === '/x' ? status('AlreadyExists', 409) : 'bad gateway');
    });
    await expect(transport.request(get)).rejects.toMatchObject({
      reason: 'AlreadyExists',
      code: 409,
    });
    await expect(transport.request({ ...get, path: '/y' })).rejects.toMatchObject({
      name: 'StatusError',
      code: 502,
      message: 'bad gateway',
    });
  });

  it('wait as Retry-After says and read again, but write no more after a 503', async () => {
    const clock = new VirtualClock();
    const calls: string[] = [];
    const transport = await transportTo(
      (request, response) => {
        calls.push(request.method ?? '');
        request.resume();
        if (calls.length === 2) return response.end('{"kind":"Fine"}');
        const code = request.method === 'GET' ? 429 : 503;
        response.writeHead(code, { 'retry-after': '7' });
        return response.end(status('NotNow', code));
      },
      { clock },
    );
    const reading = transport.request(get);
    await until(() => calls.length === 1 && clock.nextDue === clock.monotonic() + 7_000);
    await clock.advance(6_999);
    expect(calls).toHaveLength(1);
    await clock.advance(1);
    expect((await reading).object()).toEqual({ kind: 'Fine' });
    await expect(transport.request({ ...get, method: 'POST' })).rejects.toMatchObject({
      code: 503,
    });
    expect(calls).toEqual(['GET', 'GET', 'POST']);
  });

  it('give up reading after the named number of retries', async () => {
    let calls = 0;
    const transport = await transportTo(
      (_, response) => {
        calls++;
        response.writeHead(503, { 'retry-after': '0' });
        response.end(status('ServiceUnavailable', 503));
      },
      { limits: { maxRetries: 3 } },
    );
    await expect(transport.request(get)).rejects.toMatchObject({ code: 503 });
    expect(calls).toBe(4);
  });

  it('read again when a kept connection breaks, and tell a writer that it broke', async () => {
    let calls = 0;
    const transport = await transportTo((request, response) => {
      if (++calls === 2) response.end('{"kind":"Fine"}');
      else request.socket.destroy();
    });
    expect((await transport.request(get)).object()).toEqual({ kind: 'Fine' });
    await expect(transport.request({ ...get, method: 'POST' })).rejects.toMatchObject({
      name: 'ConnectionError',
      failure: 'lost',
      code: 'ECONNRESET',
    });
    expect(calls).toBe(3);
  });

  it('say so when nobody listens', async () => {
    const { server, url } = await aPeer(() => undefined);
    await new Promise((resolve) => server.close(resolve));
    const transport = createHttpTransport({ server: url });
    await expect(transport.request(get)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('use no more connections at once than the limit', async () => {
    let now = 0;
    let most = 0;
    const transport = await transportTo(
      (_, response) => {
        most = Math.max(most, ++now);
        setImmediate(() => {
          now--;
          response.end('{"kind":"Fine"}');
        });
      },
      { limits: { maxSockets: 3 } },
    );
    await Promise.all(Array.from({ length: 30 }, () => transport.request(get)));
    expect(most).toBeLessThanOrEqual(3);
  });

  it('refuse an answer beyond the limit', async () => {
    const transport = await transportTo((_, response) => response.end('x'.repeat(5000)), {
      limits: { maxReplyBytes: 1000 },
    });
    await expect(transport.request(get)).rejects.toMatchObject({ failure: 'tooLarge' });
  });

  it('end with the reason of an abort, before and while they run', async () => {
    const transport = await transportTo(() => undefined);
    const gone = new Error('changed my mind');
    await expect(transport.request({ ...get, signal: AbortSignal.abort(gone) })).rejects.toBe(gone);
    const abort = new AbortController();
    const running = transport.request({ ...get, signal: abort.signal });
    setImmediate(() => abort.abort(gone));
    await expect(running).rejects.toBe(gone);
  });

  it('give up an answer that does not begin in time', async () => {
    const clock = new VirtualClock();
    let asked = false;
    const transport = await transportTo(
      () => {
        asked = true;
      },
      { clock, limits: { requestTimeoutMs: 500 } },
    );
    const write = transport.request({ ...get, method: 'POST' });
    const outcome = expect(write).rejects.toThrow(/no answer within 500 ms/);
    await until(() => asked);
    await clock.advance(500);
    await outcome;
  });
});

describe('watches over HTTP', () => {
  it('yield events as they come and end when the server ends them', async () => {
    const transport = await transportTo((_, response) => {
      response.write(line('a') + line('b').slice(0, 10));
      setImmediate(() => response.end(line('b').slice(10)));
    });
    expect(await readAll(transport.watch(watchX))).toEqual(['a', 'b']);
  });

  it('yield what came before a malformed line, then throw', async () => {
    const transport = await transportTo((_, response) =>
      response.end(`${line('a')}oops\n${line('b')}`),
    );
    expect(await readAll(transport.watch(watchX))).toEqual(['a', 'ConnectionError: malformed']);
  });

  it('throw what an ERROR event says', async () => {
    const error = `{"type":"ERROR","object":${status('Expired', 410)}}\n`;
    const transport = await transportTo((_, response) => response.end(line('a') + error));
    expect(await readAll(transport.watch(watchX))).toEqual(['a', 'StatusError: Expired']);
  });

  it('throw the Status of a refusal', async () => {
    const transport = await transportTo((_, response) => {
      response.statusCode = 403;
      response.end(status('Forbidden', 403));
    });
    expect(await readAll(transport.watch(watchX))).toEqual(['StatusError: Forbidden']);
  });

  it('throw when the connection breaks', async () => {
    const transport = await transportTo((request, response) => {
      response.write(line('a'));
      setImmediate(() => request.socket.destroy());
    });
    expect(await readAll(transport.watch(watchX))).toEqual(['a', 'ConnectionError: lost']);
  });

  it('are given up when nothing comes for too long, counted from the last that came', async () => {
    const clock = new VirtualClock();
    let peer: ServerResponse | undefined;
    const transport = await transportTo(
      (_, response) => {
        peer = response;
        response.write(line('a'));
      },
      { clock, limits: { watchSilenceMs: 1000 } },
    );
    const names: string[] = [];
    const reading = (async () => {
      for await (const batch of transport.watch(watchX))
        names.push(...batch.map(({ object }) => object.metadata.name ?? ''));
    })();
    const outcome = expect(reading).rejects.toMatchObject({ failure: 'silent' });
    await until(() => names.length === 1);
    await clock.advance(900);
    peer?.write(line('b'));
    await until(() => names.length === 2);
    await clock.advance(999);
    peer?.write(line('c'));
    await until(() => names.length === 3);
    await clock.advance(1000);
    await outcome;
  });

  it('close their connection when the reader leaves or aborts', async () => {
    const closed: string[] = [];
    const transport = await transportTo((request, response) => {
      request.socket.once('close', () => closed.push('closed'));
      response.write(line('a'));
    });
    for await (const batch of transport.watch(watchX)) if (batch.length > 0) break;
    await until(() => closed.length === 1);
    const abort = new AbortController();
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const batch of transport.watch({ ...watchX, signal: abort.signal }))
        seen.push(...batch);
    })();
    const outcome = expect(reading).rejects.toThrow('enough');
    await until(() => seen.length === 1);
    abort.abort(new Error('enough'));
    await outcome;
    await until(() => closed.length === 2);
  });

  it('have connections of their own, so that requests are not held up by them', async () => {
    const transport = await transportTo(
      (request, response) => {
        if (request.url === '/x') response.end('{"kind":"Fine"}');
        else response.write(line('a'));
      },
      { limits: { maxSockets: 1 } },
    );
    const watches = Array.from({ length: 4 }, () =>
      transport.watch(watchX)[Symbol.asyncIterator](),
    );
    await Promise.all(watches.map((watch) => watch.next()));
    expect((await transport.request(get)).object()).toEqual({ kind: 'Fine' });
    for (const watch of watches) await watch.return?.();
  });
});

/** Waits until the condition holds, turn by turn of the event loop; the test's own timeout is the ceiling. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
