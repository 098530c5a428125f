// The in-process transport gives what HTTP gives: the same errors, the same ends, and nothing copied.
import { describe, expect, it } from 'vitest';
import { notFound } from '../../api/status.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import type {
  Handler,
  Request,
  UserInfo,
  WatchEventObject,
  WatchFrame,
} from '../../api/wire/exchange.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { createInProcessTransport } from './in-process.ts';

const user: UserInfo = { username: 'me', groups: ['g'] };
const get = { method: 'GET', path: '/api/v1/x' } as const;
const frozen = Object.freeze({ kind: 'Thing', metadata: { name: 'a' } }) as LooseObject;

const frame = (event: WatchEventObject) => ({ bytes: new Uint8Array(), event: () => event });
const added = (name: string) =>
  frame({ type: 'ADDED', object: { apiVersion: 'v1', kind: 'T', metadata: { name } } });

function watchOf(frames: AsyncIterable<readonly WatchFrame[]>): Handler {
  return () => Promise.resolve({ kind: 'watch', status: 200, headers: {}, frames });
}

async function* batches<T>(...all: T[]): AsyncGenerator<T> {
  for (const batch of all) yield await Promise.resolve(batch);
}

describe('the in-process transport', () => {
  it('decodes paths as HTTP does, so that names with colons are found', async () => {
    const paths: string[] = [];
    const transport = createInProcessTransport(({ path }) => {
      paths.push(path);
      return Promise.resolve({ kind: 'body', status: 200, headers: {}, body: [] });
    }, user);
    await transport.request({ method: 'GET', path: '/api/v1/roles/system%3Anode' });
    expect(paths).toEqual(['/api/v1/roles/system:node']);
    const hidden = transport.request({ method: 'GET', path: '/api/v1/roles/a%2Fb' });
    await expect(hidden).rejects.toThrow(/a segment with a slash/);
  });

  it('calls the handler as the user, with objects as they are and lists as bytes', async () => {
    const seen: [Request, UserInfo][] = [];
    const transport = createInProcessTransport((request, who) => {
      seen.push([request, who]);
      return Promise.resolve({
        kind: 'body',
        status: 200,
        headers: {},
        body: [],
        object: () => frozen,
      });
    }, user);
    const body = frozen;
    const query = { a: '1', b: undefined };
    const reply = await transport.request({ ...get, method: 'POST', body, query });
    await transport.request({
      ...get,
      method: 'PATCH',
      body: [{ op: 'test' }],
      contentType: 'c/d',
    });
    expect(reply.object()).toBe(frozen);
    expect(seen[0]?.[0]).toMatchObject({ method: 'POST', path: '/api/v1/x' });
    expect(seen[0]?.[0].body).toBe(frozen);
    expect(seen[0]?.[0].query.toString()).toBe('a=1');
    expect(seen[0]?.[1]).toBe(user);
    expect(Buffer.from(seen[1]?.[0].body as Uint8Array).toString()).toBe('[{"op":"test"}]');
    expect(seen[1]?.[0].headers['content-type']).toBe('c/d');
  });

  it('parses bytes where the server has no object at hand', async () => {
    const body = [Buffer.from('{"kind":'), Buffer.from('"Thing"}')];
    const transport = createInProcessTransport(
      () => Promise.resolve({ kind: 'body', status: 200, headers: { warning: '299 - "w"' }, body }),
      user,
    );
    const reply = await transport.request(get);
    expect(reply.object()).toEqual({ kind: 'Thing' });
    expect(reply.warnings).toEqual(['w']);
    expect(Buffer.from(reply.bytes()).toString()).toBe('{"kind":"Thing"}');
  });

  it('throws the StatusError of a failure, of requests, watches and streams alike', async () => {
    const status = notFound({ group: '', plural: 'things' }, 'a').toStatus();
    const body = [Buffer.from(JSON.stringify(status))];
    const transport = createInProcessTransport(
      () => Promise.resolve({ kind: 'body', status: 404, headers: {}, body }),
      user,
    );
    const outcome = { name: 'StatusError', reason: 'NotFound', code: 404, message: status.message };
    await expect(transport.request(get)).rejects.toMatchObject(outcome);
    await expect(transport.stream(get)).rejects.toMatchObject(outcome);
    await expect(transport.watch(get)[Symbol.asyncIterator]().next()).rejects.toMatchObject(
      outcome,
    );
  });

  it('yields the events of a watch in batches, then throws what an ERROR event says', async () => {
    const error = frame({
      type: 'ERROR',
      object: { kind: 'Status', code: 410, reason: 'Expired' } as never,
    });
    const transport = createInProcessTransport(
      watchOf(batches([added('a'), added('b')], [added('c'), error, added('d')])),
      user,
    );
    const names: (string | undefined)[][] = [];
    const reading = (async () => {
      for await (const batch of transport.watch(get))
        names.push(batch.map(({ object }) => object.metadata.name));
    })();
    await expect(reading).rejects.toMatchObject({ reason: 'Expired' });
    expect(names).toEqual([['a', 'b'], ['c']]);
  });

  it('tells the server when a watcher leaves', async () => {
    let signal: AbortSignal | undefined;
    const transport = createInProcessTransport((request, who) => {
      signal = request.signal;
      return watchOf(batches([added('a')], [added('b')]))(request, who);
    }, user);
    for await (const batch of transport.watch(get)) if (batch.length > 0) break;
    expect(signal?.aborted).toBe(true);
  });

  it('ends with the reason of an abort, even while the server is still at it', async () => {
    const transport = createInProcessTransport(() => new Promise(() => undefined), user);
    const gone = new Error('changed my mind');
    const abort = new AbortController();
    const waiting = [
      transport.request({ ...get, signal: abort.signal }),
      transport
        .watch({ ...get, signal: abort.signal })
        [Symbol.asyncIterator]()
        .next(),
    ];
    abort.abort(gone);
    expect(await Promise.allSettled(waiting)).toEqual([
      { status: 'rejected', reason: gone },
      { status: 'rejected', reason: gone },
    ]);
    await expect(transport.request({ ...get, signal: abort.signal })).rejects.toBe(gone);
  });

  it('waits as a 429 says and asks again, and gives up at the limit', async () => {
    const clock = new VirtualClock();
    const limits = { maxRetries: 2, maxRetryAfterMs: 5_000 };
    let refusals = 2;
    let asked = 0;
    const transport = createInProcessTransport(
      () => {
        asked++;
        const headers = { 'retry-after': '60' };
        const status = refusals-- > 0 ? 429 : 200;
        return Promise.resolve({ kind: 'body', status, headers, body: [Buffer.from('{}')] });
      },
      user,
      { clock, limits },
    );
    const write = transport.request({ ...get, method: 'POST' });
    await clock.advance(2 * limits.maxRetryAfterMs - 1);
    expect(asked).toBe(2);
    await clock.advance(1);
    await expect(write).resolves.toMatchObject({ status: 200 });
    [refusals, asked] = [100, 0];
    const refused = transport.request({ ...get, method: 'POST' });
    const outcome = expect(refused).rejects.toMatchObject({ code: 429 });
    await clock.advance(2 * limits.maxRetryAfterMs);
    await outcome;
    expect(asked).toBe(1 + limits.maxRetries);
  });

  it('ends its wait for a server that put it off when it is closed', async () => {
    const put = {
      kind: 'body',
      status: 429,
      headers: { 'retry-after': '1000' },
      body: [],
    } as const;
    const asked = Promise.withResolvers<void>();
    const transport = createInProcessTransport(() => {
      asked.resolve();
      return Promise.resolve(put);
    }, user);
    const waiting = transport.request({ ...get, method: 'POST' });
    await asked.promise;
    setImmediate(() => transport.close());
    await expect(waiting).rejects.toThrow('the transport is closed');
  });

  it('refuses everything once closed', async () => {
    const transport = createInProcessTransport(() => new Promise(() => undefined), user);
    const pending = transport.request(get);
    transport.close();
    await expect(pending).rejects.toThrow('the transport is closed');
    await expect(transport.request(get)).rejects.toThrow('the transport is closed');
  });
});
