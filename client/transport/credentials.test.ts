// Credentials that expire in the middle of a client's life: a 401 is met by a newer one, once, whatever the kind of call.
// The peer is an HTTP server that knows which tokens are good; exec plugins and token files stand in client/kubeconfig/.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import type { Credential, CredentialSource } from './credentials.ts';
import { createHttpTransport } from './http.ts';
import type { HttpTransportOptions } from './http-options.ts';
import type { Transport } from './transport.ts';

const UNAUTHORIZED = JSON.stringify({
  kind: 'Status',
  status: 'Failure',
  reason: 'Unauthorized',
  code: 401,
  message: 'Unauthorized',
});

const opened: (() => void)[] = [];
afterEach(() => {
  for (const close of opened.splice(0)) close();
});

interface Peer {
  readonly transport: Transport;
  /** `METHOD token` of each request. */
  readonly asked: string[];
  /** The token that is good. */
  good: string;
}

async function aPeer(options: Partial<HttpTransportOptions>): Promise<Peer> {
  const peer = { asked: [] as string[], good: 't1' };
  const isGood = ({ method, headers }: IncomingMessage) => {
    peer.asked.push(`${method} ${headers.authorization?.replace('Bearer ', '') ?? '-'}`);
    return headers.authorization === `Bearer ${peer.good}`;
  };
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    if (!isGood(request)) return void response.writeHead(401).end(UNAUTHORIZED);
    const { headers } = request;
    const object = {
      kind: 'Who',
      metadata: {},
      as: headers['impersonate-user'],
      groups: headers['impersonate-group'],
    };
    const event = JSON.stringify({ type: 'ADDED', object });
    response.end(request.url?.includes('watch') ? `${event}\n` : JSON.stringify(object));
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (isGood(request)) sockets.handleUpgrade(request, socket, head, (each) => each.close());
    else
      socket.end(
        `HTTP/1.1 401 Unauthorized\r\ncontent-length: ${UNAUTHORIZED.length}\r\n\r\n${UNAUTHORIZED}`,
      );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const transport = createHttpTransport({ server: url, ...options });
  opened.push(() => {
    transport.close();
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(peer, { transport });
}

/** Gives t1, t2, …: the next one after each refusal, `last` at most. */
function aSource(last = 9): CredentialSource {
  let at = 1;
  let kept: Credential = { token: 't1' };
  return {
    current: async () => kept,
    refused(credential) {
      if (credential === kept && at < last) kept = { token: `t${++at}` };
    },
  };
}

const calls = {
  'a read': async (transport: Transport) =>
    void (await transport.request({ method: 'GET', path: '/x' })),
  'a write': async (transport: Transport) =>
    void (await transport.request({ method: 'POST', path: '/x', body: [1] })),
  'a stream': async (transport: Transport) => {
    for await (const _ of await transport.stream({ method: 'GET', path: '/x' }));
  },
  'a watch': async (transport: Transport) => {
    for await (const _ of transport.watch({ method: 'GET', path: '/x', query: { watch: 'true' } }));
  },
  'an upgrade': async (transport: Transport) => {
    const { socket } = await transport.upgrade!({ method: 'GET', path: '/x' }, []);
    socket.terminate();
  },
};

it.each(Object.entries(calls))(
  '%s that is answered 401 is made again with the next credential',
  async (name, call) => {
    const peer = await aPeer({ credentials: aSource() });
    await call(peer.transport);
    peer.good = 't2';
    await call(peer.transport);
    const method = name === 'a write' ? 'POST' : 'GET';
    expect(peer.asked).toEqual([`${method} t1`, `${method} t1`, `${method} t2`]);
  },
);

it.each(Object.entries(calls))(
  '%s is made again no more than once, and not with the same credential',
  async (_, call) => {
    const stubborn = await aPeer({ credentials: aSource() });
    stubborn.good = 'none';
    const refused = { name: 'StatusError', reason: 'Unauthorized', code: 401 };
    await expect(call(stubborn.transport)).rejects.toMatchObject(refused);
    expect(stubborn.asked).toHaveLength(2);
    const poor = await aPeer({ credentials: aSource(1) });
    poor.good = 'none';
    await expect(call(poor.transport)).rejects.toMatchObject(refused);
    expect(poor.asked).toHaveLength(1);
  },
);

it('asks a function for the token each time, and once more after a refusal', async () => {
  let token = 't1';
  const peer = await aPeer({ token: async () => token });
  await calls['a read'](peer.transport);
  token = 'old';
  const asking = aPeer({
    token: async () => {
      const now = token;
      token = 't1';
      return now;
    },
  });
  const other = await asking;
  await calls['a write'](other.transport);
  expect(other.asked).toEqual(['POST old', 'POST t1']);
});

it('lets the reason pass for which there is no credential', async () => {
  const failing = {
    current: () => Promise.reject(new Error('sign in first')),
    refused: () => undefined,
  };
  const peer = await aPeer({ credentials: failing });
  for (const call of Object.values(calls))
    await expect(call(peer.transport)).rejects.toThrow('sign in first');
  expect(peer.asked).toEqual([]);
});

it('acts as another user', async () => {
  const peer = await aPeer({ token: 't1', impersonate: { username: 'ann', groups: ['a', 'b'] } });
  const reply = await peer.transport.request({ method: 'GET', path: '/x' });
  expect(reply.object()).toMatchObject({ as: 'ann', groups: 'a, b' });
});
