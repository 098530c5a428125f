// Tests of port-forward in a WebSocket, with the official JavaScript client and by hand. kubectl's ways are in test/clients/streams.test.ts.
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { type Duplex, PassThrough } from 'node:stream';
import { KubeConfig, PortForward } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { VirtualClock } from '../../base/virtual-clock.ts';
import {
  dataFrame,
  type Frame,
  FrameReader,
  pingFrame,
  synStreamFrame,
} from '../../streams/spdy/frames.ts';
import { HeaderWriter } from '../../streams/spdy/header-blocks.ts';
import { PortForwards } from './port-forward.ts';

const CHANNELS = 'v4.channel.k8s.io';
const TUNNEL = 'SPDY/3.1+portforward.k8s.io';

let server: Server;
let pod: ReturnType<typeof createTcpServer>;
/** Connections into the pod. */
let inside: Socket[];
let forwards: PortForwards;
let clock: VirtualClock;
/** How each request ended: undefined, or why it was refused. */
let outcomes: Promise<string | undefined>[];

const portOf = (listening: { address(): unknown }) => (listening.address() as AddressInfo).port;

beforeEach(async () => {
  inside = [];
  outcomes = [];
  clock = new VirtualClock();
  forwards = new PortForwards(clock, 0);
  // The pod answers with what it hears, in upper case, and ends when it is told to.
  pod = createTcpServer({ allowHalfOpen: true }, (socket) => {
    inside.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      socket.write(data.toString().toUpperCase());
      if (data.includes('bye')) socket.end();
    });
  });
  pod.listen(0, '127.0.0.1');
  await once(pod, 'listening');
  server = createServer();
  server.on('upgrade', (asked: IncomingMessage, socket, head) => {
    const ports = new URL(asked.url ?? '/', 'http://node').searchParams.getAll('ports');
    const target = {
      name: 'pod web, uid uid-1',
      connect: async (port: number) => {
        if (port !== 8080) throw new Error('nobody listens');
        const made = connect({ port: portOf(pod), host: '127.0.0.1', allowHalfOpen: true });
        await once(made, 'connect');
        return made;
      },
    };
    const outcome = forwards.serve({ request: asked, socket, head }, ports, target).then(
      () => undefined,
      (error: Error) => {
        socket.end('HTTP/1.1 400 Refused\r\nconnection: close\r\n\r\n');
        return error.message;
      },
    );
    outcomes.push(outcome);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  forwards.close();
  for (const socket of inside) socket.destroy();
  pod.close();
  server.closeAllConnections();
  server.close();
  await Promise.all(outcomes);
  expect(clock.pendingTimers).toBe(0);
});

function open(query: string, protocol: string): WebSocket {
  const url = `ws://127.0.0.1:${portOf(server)}/portForward/shop/web?${query}`;
  return new WebSocket(url, [protocol]);
}

describe('the official JavaScript client', () => {
  it('reaches a port, and hears of one that nobody listens on', async () => {
    const config = new KubeConfig();
    config.loadFromClusterAndUser(
      { name: 'c', server: `http://127.0.0.1:${portOf(server)}`, skipTLSVerify: true },
      { name: 'u' },
    );
    const client = new PortForward(config);
    const [output, errors, input] = [new PassThrough(), new PassThrough(), new PassThrough()];
    await client.portForward('shop', 'web', [8080], output, errors, input);
    input.write('hello');
    expect(String((await once(output, 'data'))[0])).toBe('HELLO');
    const silent = [new PassThrough(), new PassThrough()] as const;
    await client.portForward('shop', 'web', [81], silent[0], silent[1], new PassThrough());
    expect(String((await once(silent[1], 'data'))[0])).toBe(
      'error forwarding port 81 to pod web, uid uid-1: nobody listens',
    );
  });
});

describe('channels', () => {
  it('begin with their port, carry several ports, and end when the pod has', async () => {
    const socket = open('ports=8080&ports=81', CHANNELS);
    const heard: string[] = [];
    socket.on('message', (data: Buffer) => heard.push(data.toString('latin1')));
    await expect.poll(() => heard.length).toBeGreaterThan(4);
    const port = (number: number) => String.fromCharCode(number & 255, number >> 8);
    expect(heard.toSorted().slice(0, 5)).toEqual([
      `\0${port(8080)}`,
      `\u0001${port(8080)}`,
      `\u0002${port(81)}`,
      `\u0003${port(81)}`,
      '\u0003error forwarding port 81 to pod web, uid uid-1: nobody listens',
    ]);
    socket.send(Buffer.from('\0bye'));
    await once(socket, 'close');
    expect(heard.at(-1)).toBe('\0BYE');
  });

  it('that are not for input end the connection', async () => {
    const socket = open('ports=8080', CHANNELS);
    await once(socket, 'message');
    socket.send(Buffer.from('\u0001x'));
    const [code] = await once(socket, 'close');
    expect(code).toBe(1002);
  });

  it.each([
    ['no ports', '', CHANNELS, /"ports" is required/],
    ['a bad port', 'ports=70000', CHANNELS, /invalid ports/],
    ['too many ports', `ports=${Array(65).fill(1).join(',')}`, CHANNELS, /at most 64/],
    ['an unknown protocol', 'ports=80', 'v3.channel.k8s.io', /port-forward is spoken/],
  ])('are refused with %s', async (...[, query, protocol, why]) => {
    const socket = open(query, protocol);
    await once(socket, 'error');
    expect(await outcomes[0]).toMatch(why);
  });

  it('leave nothing when the client goes', async () => {
    const socket = open('ports=8080', CHANNELS);
    await once(socket, 'message');
    await expect.poll(() => inside.length).toBe(1);
    const ended = once(inside[0] as Socket, 'end');
    socket.terminate();
    await ended;
  });
});

describe('SPDY', () => {
  let headers: HeaderWriter;
  beforeEach(() => {
    headers = new HeaderWriter();
  });

  /** Opens a stream by hand. */
  const syn = (id: number, type: string, about: string) =>
    synStreamFrame(
      id,
      headers.write(
        new Map([
          ['streamtype', type],
          ['port', '8080'],
          ['requestid', about],
        ]),
      ),
    );

  it('pairs streams by their request, and gives up a half that stays alone', async () => {
    const socket = await upgraded({
      upgrade: 'SPDY/3.1',
      'x-stream-protocol-version': 'portforward.k8s.io',
    });
    const heard: Frame['kind'][] = [];
    const reader = new FrameReader();
    socket.on('data', (data: Buffer) => {
      for (const { kind } of reader.push(data)) heard.push(kind);
    });
    const accepted = ['synReply', 'synReply', 'synReply'];
    socket.write(syn(1, 'error', '0'));
    socket.write(syn(3, 'data', '0'));
    socket.write(syn(5, 'error', '1'));
    socket.write(syn(7, 'error', '1'));
    socket.write(syn(9, 'other', '2'));
    await expect.poll(() => heard).toEqual([...accepted, 'rstStream', 'rstStream']);
    await expect.poll(() => inside.length).toBe(1);
    socket.write(dataFrame(3, Buffer.from('hello'), false));
    await once(inside[0] as Socket, 'data');
    await clock.advance(30_000);
    await expect.poll(() => heard.filter((kind) => kind === 'rstStream').length).toBe(3);
    const ended = once(inside[0] as Socket, 'end');
    socket.destroy();
    await ended;
  });

  it('goes through a WebSocket too', async () => {
    const socket = await upgraded(
      {
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': Buffer.alloc(16).toString('base64'),
        'sec-websocket-protocol': TUNNEL,
      },
      (headers) => expect(headers['sec-websocket-protocol']).toBe(TUNNEL),
    );
    // One binary message of a client: its length, a mask of zeros, and a ping.
    const ping = pingFrame(1);
    socket.write(Buffer.concat([Buffer.of(0x82, 0x80 | ping.length, 0, 0, 0, 0), ping]));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer).toEqual(Buffer.concat([Buffer.of(0x82, ping.length), ping]));
    socket.destroy();
  });

  it('is refused with another protocol', async () => {
    const asked = upgraded({ upgrade: 'SPDY/3.1', 'x-stream-protocol-version': 'other' });
    await expect(asked).rejects.toThrow('400');
    expect(await outcomes[0]).toMatch(/client supports \[other\], server accepts/);
  });
});

/** The raw connection after a handshake. */
function upgraded(
  headers: Record<string, string>,
  check: (headers: IncomingMessage['headers']) => void = () => undefined,
): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const options = { port: portOf(server), path: '/portForward/shop/web' };
    const call = request({ ...options, headers: { connection: 'Upgrade', ...headers } });
    call.on('upgrade', (answer, socket) => {
      check(answer.headers);
      resolve(socket);
    });
    call.on('response', (answer) => reject(new Error(String(answer.statusCode))));
    call.on('error', reject).end();
  });
}
