// Connections to API servers behind this one: kept and shared, within limits, and never to what is not there any more.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  MAX_ALL_IDLE_CONNECTIONS,
  MAX_IDLE_CONNECTIONS,
} from '../../apiserver/extensions/aggregation/remote-connections.ts';
import { RemoteServers } from '../../apiserver/extensions/aggregation/remote-server.ts';
import { ServiceEndpoints } from '../../apiserver/registry/service-endpoints.ts';
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { type AggregatedApi, anAggregatedApi } from '../support/aggregated-api.ts';
import { until } from '../support/until.ts';

let api: AggregatedApi;
beforeAll(async () => {
  api = await anAggregatedApi();
});
afterAll(() => api.close());

const call: AggregatedApi['server']['call'] = (...args) => api.server.call(...args);

type Serve = (request: IncomingMessage, response: ServerResponse, use: number) => void;

/** A server of a group `NAME.example.com`, and the connections over which it was asked for things. */
interface Behind {
  readonly things: string;
  readonly used: Set<Socket>;
  readonly server: Server;
}

const hello: Serve = (request, response) => {
  request.resume().once('end', () => response.end('{}'));
};

async function behind(name: string, serve: Serve = hello): Promise<Behind> {
  const used = new Set<Socket>();
  const uses = new Map<Socket, number>();
  const server = createServer(await api.pairFor(name), (request, response) => {
    if (/^\/apis\/[^/]+\/v1$/.test(request.url ?? '')) return response.end('{}');
    if (!request.url?.includes('/things')) return response.writeHead(404).end();
    const use = (uses.get(request.socket) ?? 0) + 1;
    uses.set(request.socket, use);
    used.add(request.socket);
    return serve(request, response, use);
  });
  server.keepAliveTimeout = 0;
  await api.putBehind(name, server);
  const group = `${name}.example.com`;
  await api.register({ group, version: 'v1', service: { namespace: 'default', name } });
  await api.becomes('Passed', `v1.${group}`);
  return { things: `/apis/${group}/v1/things`, used, server };
}

const open = (used: Iterable<Socket>) => [...used].filter((socket) => !socket.destroyed).length;

/** Serves each request once so many wait. */
function together(count: number): Serve {
  let waiting: ServerResponse[] = [];
  return (_request, response) => {
    waiting.push(response);
    if (waiting.length < count) return;
    for (const each of waiting) each.end('{}');
    waiting = [];
  };
}

describe('Connections to another API server', () => {
  it('serve one request after another, whoever makes it and whatever it is', async () => {
    const { things, used } = await behind('kept');
    for (const method of ['GET', 'POST', 'DELETE'])
      expect((await call(method, things, { body: { a: 1 } })).status).toBe(200);
    const headers = { 'impersonate-user': 'jane', 'impersonate-group': 'system:masters' };
    expect((await call('GET', things, { headers })).status).toBe(200);
    expect([used.size, open(used)]).toEqual([1, 1]);
  });

  it(`of which ${MAX_IDLE_CONNECTIONS} are kept idle`, async () => {
    const count = MAX_IDLE_CONNECTIONS + 5;
    const { things, used } = await behind('many', together(count));
    const answers = await Promise.all(Array.from({ length: count }, () => call('GET', things)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(used.size).toBe(count);
    await until(() => open(used) === MAX_IDLE_CONNECTIONS);
  });

  it('are made anew for a read whose connection was closed under it; a write is not sent twice', async () => {
    const { things, used } = await behind('closing', (request, response, use) => {
      if (use > 1) request.socket.destroy();
      else hello(request, response, use);
    });
    await call('GET', things);
    expect((await call('GET', things)).status).toBe(200);
    expect(used.size).toBe(2);
    await call('GET', things);
    await until(() => open(used) === 1);
    const written = await call('POST', things, { body: { a: 1 } });
    expect([written.status, written.text]).toEqual([503, 'error trying to reach service: EOF\n']);
  });

  it('are not used further when an answer came before the whole request', async () => {
    const { things, used } = await behind('hasty', (_request, response) => response.end('{}'));
    const body = { text: 'x'.repeat(2 * 1024 * 1024) };
    expect((await call('POST', things, { body })).status).toBe(200);
    await until(() => open(used) === 0);
    expect((await call('GET', things)).status).toBe(200);
    expect(used.size).toBe(2);
  });

  it('end when the caller leaves in the middle', async () => {
    const { things, used } = await behind('left', (_request, response) => response.write('{'));
    const leaving = new AbortController();
    const answer = await api.server.open(things, leaving.signal);
    answer.on('error', () => undefined);
    leaving.abort();
    await until(() => used.size === 1 && open(used) === 0);
  });

  it('end when their server speaks without being asked', async () => {
    const { things, used } = await behind('talking');
    await call('GET', things);
    const [socket] = used;
    socket?.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nlies');
    await until(() => open(used) === 0);
    expect((await call('GET', things)).text).toBe('{}');
  });

  it('are made anew once what is behind the Service has changed, also those in use by then', async () => {
    let release: (() => void) | undefined;
    const { things, used } = await behind('moving', (request, response, use) => {
      if (request.method === 'GET') hello(request, response, use);
      else release = () => response.end('{}');
    });
    const inUse = call('DELETE', things);
    await until(() => release !== undefined);
    await call('GET', things);
    expect(open(used)).toBe(2);
    const path = '/api/v1/namespaces/default/services/moving';
    const headers = { 'content-type': 'application/merge-patch+json' };
    await call('PATCH', path, { body: { metadata: { labels: { a: 'b' } } }, headers });
    await until(() => open(used) === 1);
    release?.();
    expect((await inUse).status).toBe(200);
    await until(() => open(used) === 0);
    await call('GET', things);
    expect(used.size).toBe(3);
  });

  it('are made anew under another authority, which the server must be signed by', async () => {
    const { things, used } = await behind('signed');
    await call('GET', things);
    const path = '/apis/apiregistration.k8s.io/v1/apiservices/v1.signed.example.com';
    const headers = { 'content-type': 'application/merge-patch+json' };
    const caBundle = Buffer.from(api.frontProxyCa).toString('base64');
    await call('PATCH', path, { body: { spec: { caBundle } }, headers });
    await api.becomes('FailedDiscoveryCheck', 'v1.signed.example.com');
    expect((await call('GET', things)).status).toBe(503);
    await until(() => open(used) === 0);
    expect(used.size).toBe(1);
  });
});

describe('Idle connections', () => {
  interface Client {
    readonly servers: RemoteServers;
    readonly get: (name: string) => Promise<string>;
  }
  const aClient = (idleMs?: number): Client => {
    const { store } = api.server.server;
    const servers = new RemoteServers({
      store,
      endpoints: new ServiceEndpoints(store),
      clock: systemClock,
      random: systemRandom,
      nodeDialer: undefined,
      identity: undefined,
      ...(idleMs !== undefined && { idleMs }),
    });
    onTestFinished(() => servers.close());
    return { servers, get: (name) => get(servers, name) };
  };
  const get = async (servers: RemoteServers, name: string): Promise<string> => {
    const remote = {
      object: { metadata: {}, spec: { caBundle: api.caBundle } } as never,
      name,
      group: 'g',
      version: 'v1',
      service: { namespace: 'default', name, port },
    };
    const user = { username: 'me', groups: [] };
    const request = { method: 'GET', target: '/', headers: {}, body: undefined };
    const { signal } = new AbortController();
    const reply = await servers.pass(remote, user, { ...request, signal });
    if (reply.kind !== 'answer') throw new Error(reply.kind);
    return Buffer.concat(await reply.body.toArray()).toString();
  };
  const used = new Set<Socket>();
  let server: Server;
  let port = 0;
  let serve: (response: ServerResponse) => void = (response) => response.end('{}');

  beforeAll(async () => {
    const names = ['aside', ...Array.from({ length: 5 }, (_, i) => `aside-${i}`)];
    const { cert, key } = await api.pairFor(names[0] ?? '', names);
    server = createServer({ cert, key }, ({ socket }, response) => {
      used.add(socket);
      serve(response);
    });
    server.keepAliveTimeout = 0;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as { port: number });
    for (const name of names)
      await call('POST', '/api/v1/namespaces/default/services', {
        body: { metadata: { name }, spec: { type: 'ExternalName', externalName: 'localhost' } },
      });
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('end after their time; one in use does not, however quiet it is', async () => {
    used.clear();
    const { get: ask } = aClient(50);
    await ask('aside');
    let answer: ServerResponse | undefined;
    serve = (response) => void (answer = response);
    const asked = ask('aside');
    await until(() => answer !== undefined);
    const { socket } = answer?.req ?? {};
    // Another connection's time begins later, and is over before anything is said on the first.
    serve = (response) => response.end('{}');
    await ask('aside');
    await until(() => open(used) === 1);
    expect(socket?.destroyed).toBe(false);
    answer?.end('late');
    expect(await asked).toBe('late');
    await until(() => open(used) === 0);
  });

  it(`are ${MAX_ALL_IDLE_CONNECTIONS} at most to all servers, and none once it is over`, async () => {
    used.clear();
    const { servers, get: ask } = aClient();
    const count = 5 * MAX_IDLE_CONNECTIONS;
    const all = together(count);
    serve = (response) => all(response.req, response, 1);
    await Promise.all(Array.from({ length: count }, (_, i) => ask(`aside-${i % 5}`)));
    expect(used.size).toBe(count);
    await until(() => open(used) === MAX_ALL_IDLE_CONNECTIONS);
    servers.close();
    await until(() => open(used) === 0);
    serve = (response) => response.end('{}');
    await ask('aside').catch(() => undefined);
    await until(() => open(used) === 0);
  });
});
