// Connections of an API server to nodes' agents that close them at the worst moment, over real TLS.
// Invariants: a read is made once more where the kept connection that it took was closed under it, and only once; what may have begun
// in a container is never asked for twice; nothing waits without a limit.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { NodeDialer } from '../../apiserver/handlers/node-dialer.ts';
import {
  type AgentWay,
  createHttpNodeDialer,
  MAX_FREE_SOCKETS,
} from '../../apiserver/http/node-dialer.ts';
import { systemClock } from '../../base/clock.ts';
import { CertificateAuthority } from '../../cli/serve/pki.ts';
import { until } from '../support/until.ts';

const HOST = '127.0.0.1';
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nupgrade: tcp\r\nconnection: Upgrade\r\n\r\n';

let folder: string;
let pair: { readonly key: string; readonly cert: string };
let identity: { readonly key: string; readonly cert: string; readonly ca: string };
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-agents-'));
  const authority = await CertificateAuthority.open(folder, systemClock);
  const names = [{ type: 'ip' as const, value: HOST }];
  pair = await authority.issue({ file: 'node', commonName: 'node', usage: 'server', names });
  const client = await authority.issue({ file: 'client', commonName: 'client', usage: 'client' });
  identity = { ...client, ca: readFileSync(join(folder, 'ca.crt'), 'utf8') };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Something that listens as a node's agent does, and how it was asked. */
interface Agent {
  /** The body of an answer, read to its end. */
  get(signal?: AbortSignal): Promise<string>;
  upgrade(): ReturnType<NodeDialer['upgrade']>;
  /** Connections over which it was asked. */
  readonly used: Set<Socket>;
  /** Requests that it has read, by their connection's number. */
  readonly asked: number[];
}

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

const hello: Serve = (_request, response) => response.end('hello');

/** Serves a request that is the first of its connection, and closes the connection of any other as soon as it was read. */
const onlyOnce = (asked: readonly number[]): Serve => {
  return (request, response) => {
    const is = asked.at(-1);
    if (asked.filter((each) => each === is).length > 1) request.socket.destroy();
    else hello(request, response);
  };
};

async function anAgent(
  serve: (asked: readonly number[]) => Serve,
  how: Partial<AgentWay> = {},
): Promise<Agent> {
  const used = new Set<Socket>();
  const asked: number[] = [];
  const note = ({ socket }: IncomingMessage) => {
    used.add(socket);
    asked.push([...used].indexOf(socket));
  };
  const answer = serve(asked);
  const server = createServer(pair, (request, response) => {
    note(request);
    answer(request, response);
  });
  // Kept for as long as the other side likes.
  server.keepAliveTimeout = 0;
  server.on('upgrade', (request, socket: Socket) => {
    note(request);
    if (asked.filter((each) => each === asked.at(-1)).length > 1) socket.destroy();
    else socket.end(SWITCH);
  });
  return { ...dialTo(await listening(server), how), used, asked };
}

async function listening(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  onTestFinished(async () => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

function dialTo(port: number, how: Partial<AgentWay> = {}): Pick<Agent, 'get' | 'upgrade'> {
  const dialer = createHttpNodeDialer({ ...identity, ...how });
  const address = { host: HOST, port };
  return {
    async get(signal = new AbortController().signal) {
      const { body } = await dialer.request(address, '/healthz', signal);
      const parts = [];
      for await (const part of body) parts.push(part);
      return Buffer.concat(parts).toString();
    },
    upgrade: () => dialer.upgrade(address, '/exec/a/b/c', { upgrade: 'tcp' }),
  };
}

const open = (used: Iterable<Socket>) => [...used].filter((socket) => !socket.destroyed).length;
const DIALING = /^error dialing the node's agent at 127\.0\.0\.1:\d+: /;
const unreachable = { code: 503, message: expect.stringMatching(DIALING) as string };

describe('a read of a node', () => {
  it('takes the connection of the one before', async () => {
    const agent = await anAgent(() => hello);
    await agent.get();
    await agent.get();
    expect(agent.asked).toEqual([0, 0]);
  });

  it('is made once more where its kept connection is closed after it was read', async () => {
    const agent = await anAgent(onlyOnce);
    expect(await agent.get()).toBe('hello');
    expect(await agent.get()).toBe('hello');
    expect(agent.asked).toEqual([0, 0, 1]);
  });

  it('is made once more where its kept connection is closed before it is read', async () => {
    const agent = await anAgent(() => hello);
    await agent.get();
    for (const socket of agent.used) socket.destroy();
    // In the same turn: nobody on this side can know yet.
    expect(await agent.get()).toBe('hello');
    expect(agent.asked).toEqual([0, 1]);
  });

  it('is made no third time', async () => {
    let first = true;
    const agent = await anAgent(() => (request, response) => {
      if (first) hello(request, response);
      else request.socket.destroy();
      first = false;
    });
    await agent.get();
    await expect(agent.get()).rejects.toMatchObject(unreachable);
    expect(agent.asked).toEqual([0, 0, 1]);
  });

  it('is not made again where a new connection fails, in its handshake or after it', async () => {
    let tried = 0;
    const cutting = createTcpServer((socket) => {
      tried++;
      socket.once('data', () => socket.resetAndDestroy());
    });
    await expect(dialTo(await listening(cutting)).get()).rejects.toMatchObject(unreachable);
    expect(tried).toBe(1);
    const agent = await anAgent(() => (request) => request.socket.destroy());
    await expect(agent.get()).rejects.toMatchObject(unreachable);
    expect(agent.asked).toEqual([0]);
  });

  it('is not made again where its kept connection is silent for too long', async () => {
    let silent = false;
    const agent = await anAgent(() => (request, response) => silent || hello(request, response), {
      answerTimeoutMs: 100,
    });
    // A host that stands still takes an answer for late.
    await until(() => agent.get().then(Boolean, () => false));
    silent = true;
    const before = agent.asked.length;
    const message = expect.stringMatching(/: no answer within 100 ms$/) as string;
    await expect(agent.get()).rejects.toMatchObject({ code: 503, message });
    await until(() => agent.asked.length > before);
    expect(agent.asked.slice(before)).toEqual([agent.asked[before - 1]]);
  });

  it('is not made again for a caller who has gone', async () => {
    const agent = await anAgent(
      (asked) => (request, response) => asked.length === 1 && hello(request, response),
    );
    await agent.get();
    const leaving = new AbortController();
    const left = expect(agent.get(leaving.signal)).rejects.toMatchObject({ code: 503 });
    await until(() => agent.asked.length === 2);
    leaving.abort();
    await left;
    await until(() => open(agent.used) === 0);
    expect(agent.asked).toEqual([0, 0]);
  });
});

describe('a connection into a pod', () => {
  it('is always a new one, which its agent cannot have closed already', async () => {
    const agent = await anAgent(() => hello);
    await agent.get();
    const { socket } = await agent.upgrade();
    socket.destroy();
    expect(agent.asked).toEqual([0, 1]);
  });

  it('is not asked for again, however it failed: a command may have begun', async () => {
    let asked = 0;
    const server = createServer(pair, hello);
    server.on('upgrade', (_request, socket: Socket) => {
      asked++;
      socket.destroy();
    });
    const agent = dialTo(await listening(server));
    await agent.get();
    await expect(agent.upgrade()).rejects.toMatchObject(unreachable);
    expect(asked).toBe(1);
  });
});

describe('idle connections to a node', () => {
  it('end after their time; one in use does not, however quiet it is', async () => {
    let held: ServerResponse | undefined;
    const agent = await anAgent(
      (asked) => (request, response) => {
        if (asked.length > 1) return hello(request, response);
        response.flushHeaders();
        held = response;
      },
      { idleMs: 50 },
    );
    const quiet = agent.get();
    await until(() => held !== undefined);
    // Its time begins later, and is over before anything is said on the first.
    await agent.get();
    await until(() => open(agent.used) === 1);
    held?.end('late');
    expect(await quiet).toBe('late');
    await until(() => open(agent.used) === 0);
  });

  it(`are ${MAX_FREE_SOCKETS} at most`, async () => {
    const count = MAX_FREE_SOCKETS + 3;
    const waiting: ServerResponse[] = [];
    const agent = await anAgent(() => (_request, response) => {
      waiting.push(response);
      if (waiting.length === count) for (const each of waiting) each.end('hello');
    });
    await Promise.all(Array.from({ length: count }, () => agent.get()));
    expect(agent.used.size).toBe(count);
    await until(() => open(agent.used) === MAX_FREE_SOCKETS);
  });
});
