// The HTTPS server of webhooks as API servers and strangers meet it: probes, bad requests, new certificates, stopping.
import { once } from 'node:events';
import { Agent, request as httpsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ConfigMaps } from '../../../api/kinds.ts';
import { CertificateIssuer, type KeyPair, makeAuthority } from '../../../base/certificates.ts';
import { systemClock } from '../../../base/clock.ts';
import { silentLogger } from '../../../base/logger.ts';
import { VirtualClock } from '../../../base/virtual-clock.ts';
import { until } from '../../../test/support/until.ts';
import { allow } from './admission.ts';
import { MAX_BODY_BYTES, MAX_HELD_BYTES } from './request-body.ts';
import {
  MAX_CONNECTIONS,
  MAX_STOP_MS,
  serveWebhooks,
  type WebhookServer,
  type ServeOptions,
} from './server.ts';
import { validating } from './webhook.ts';

let ca: string;
const pairs: KeyPair[] = [];
beforeAll(async () => {
  const authority = await makeAuthority('test', { clock: systemClock });
  const issuer = await CertificateIssuer.of(authority, systemClock);
  ca = authority.cert;
  const names = [{ type: 'ip', value: '127.0.0.1' }] as const;
  for (const commonName of ['first', 'second'])
    pairs.push(await issuer.issue({ commonName, usage: 'server', names }));
});

/** Calls that wait for the test to let them go. */
const held: (() => void)[] = [];
const webhook = validating(ConfigMaps, {
  name: 'a.test.local',
  admit: ({ object }) =>
    object.metadata.name === 'held'
      ? new Promise((resolve) => held.push(() => resolve(allow())))
      : allow(),
});
const review = (name = 'a') => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: 'u',
    operation: 'CREATE',
    resource: { group: '', version: 'v1', resource: 'configmaps' },
    object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } },
  },
});

const HELD = JSON.stringify(review('held'));
const JSON_TYPE = { 'content-type': 'application/json' };
const to = ({ port }: WebhookServer) => ({
  host: '127.0.0.1',
  port,
  ca,
  method: 'POST',
  path: webhook.path,
});

/** Nobody goes for being late. */
const PATIENT = { whole: 120_000, head: 120_000 };

const servers: WebhookServer[] = [];
const agents: Agent[] = [];
afterEach(async () => {
  held.splice(0).forEach((go) => go());
  agents.splice(0).forEach((agent) => agent.destroy());
  await Promise.all(servers.splice(0).map((server) => server.close()));
});
async function served(options: Partial<ServeOptions> = {}): Promise<WebhookServer> {
  const server = await serveWebhooks({
    webhooks: [webhook],
    certificate: pairs[0]!,
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    logger: silentLogger,
    ...options,
  });
  servers.push(server);
  return server;
}
const keepAlive = () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agents.push(agent);
  return agent;
};

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly type?: string;
  readonly body?: string | Buffer;
  readonly agent?: Agent;
}
interface Got {
  readonly status: number;
  readonly text: string;
  readonly by: string | undefined;
}
function send(server: WebhookServer, sent: Sent = {}): Promise<Got> {
  const { method = 'POST', path = webhook.path, type = 'application/json', agent = false } = sent;
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': type };
    const at = { ...to(server), method, path, headers, agent };
    const outgoing = httpsRequest(at, (answer) => {
      const by = (answer.socket as TLSSocket).getPeerCertificate().subject.CN;
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text, by: String(by) }));
    });
    outgoing.on('error', reject);
    outgoing.end(method === 'GET' ? undefined : (sent.body ?? JSON.stringify(review())));
  });
}

describe('requests', () => {
  it('are answered as reviews, and probes as such', async () => {
    let isReady = false;
    const server = await served({ isReady: () => isReady });
    const { status, text } = await send(server, { path: `${webhook.path}?timeout=10s` });
    expect([status, JSON.parse(text).response]).toEqual([200, { uid: 'u', allowed: true }]);
    const probe = async (path: string) => (await send(server, { method: 'GET', path })).status;
    expect([await probe('/healthz'), await probe('/readyz')]).toEqual([200, 503]);
    isReady = true;
    expect([await probe('/livez'), await probe('/readyz')]).toEqual([200, 200]);
  });

  const CASES: readonly (readonly [string, Sent, number, string])[] = [
    ['another method', { method: 'GET' }, 405, 'by POST'],
    ['another type', { type: 'text/plain' }, 415, 'are application/json, not "text/plain"'],
    ['no type', { type: '' }, 415, 'not ""'],
    ['another path', { path: '/etc/passwd' }, 404, 'no webhook is served at /etc/passwd'],
    ['no JSON', { body: 'hello' }, 400, 'is not JSON'],
    ['nothing', { body: '' }, 400, 'is not JSON'],
    ['too much', { body: Buffer.alloc(MAX_BODY_BYTES + 1, ' ') }, 413, 'up to 16777216 bytes'],
  ];
  for (const [what, sent, code, words] of CASES)
    it(`are refused, and the next is answered: ${what}`, async () => {
      const server = await served();
      const { status, text } = await send(server, sent);
      expect([status, text]).toEqual([code, expect.stringContaining(words)]);
      expect((await send(server)).status).toBe(200);
    });

  it('of more bytes than are held at once are put off', async () => {
    const server = await served({ arrivalMs: PATIENT });
    const large = HELD.padEnd(MAX_BODY_BYTES, ' ');
    const fit = MAX_HELD_BYTES / MAX_BODY_BYTES;
    const first = Array.from({ length: fit }, () => send(server, { body: large }));
    await until(() => held.length === fit);
    expect(await send(server)).toMatchObject({
      status: 429,
      text: expect.stringContaining('come again'),
    });
    held.splice(0).forEach((go) => go());
    await Promise.all(first);
    expect((await send(server)).status).toBe(200);
  });

  it('come in over so many connections at once; those beyond are closed', async () => {
    const server = await served({ arrivalMs: PATIENT });
    const open: Socket[] = [];
    // Few at a time: past its backlog the kernel tells connections made that the server is to have only later, after others.
    while (open.length < MAX_CONNECTIONS) {
      const some = Array.from({ length: Math.min(100, MAX_CONNECTIONS - open.length) }, () =>
        connect(server.port, '127.0.0.1').on('error', () => undefined),
      );
      await Promise.all(some.map((socket) => once(socket, 'connect')));
      open.push(...some);
    }
    await expect(send(server)).rejects.toThrow();
    const [first] = open;
    first?.destroy();
    await until(() => send(server).then(Boolean, () => false));
    open.forEach((socket) => socket.destroy());
  });

  it('that break off harm nobody', async () => {
    const server = await served();
    const broken = (bytes: string) =>
      new Promise<void>((resolve) => {
        const socket: Socket = connect(server.port, '127.0.0.1', () => socket.end(bytes));
        socket.on('error', () => undefined).on('close', () => resolve());
        socket.resume();
      });
    await broken('POST / HTTP/1.1\r\n\r\n');
    await broken('');
    const cut = httpsRequest({ ...to(server), headers: { ...JSON_TYPE, 'content-length': 100 } });
    const ended = new Promise((resolve) => cut.on('error', resolve));
    cut.write('{', () => cut.destroy());
    await ended;
    expect((await send(server)).status).toBe(200);
  });
});

describe('a new certificate', () => {
  it('is shown to new connections, while old ones go on', async () => {
    const server = await served();
    const kept = keepAlive();
    expect((await send(server, { agent: kept })).by).toBe('first');
    const answer = send(server, { agent: kept, body: HELD });
    await until(() => held.length === 1);
    server.replaceCertificate(pairs[1]!);
    held.splice(0).forEach((go) => go());
    expect(await answer).toMatchObject({ status: 200, by: 'first' });
    expect(await send(server, { agent: kept })).toMatchObject({ status: 200, by: 'first' });
    expect(await send(server)).toMatchObject({ status: 200, by: 'second' });
  });

  it('that does not fit its key is refused, and the old one stays', async () => {
    const server = await served();
    const torn = { cert: pairs[0]!.cert, key: pairs[1]!.key };
    expect(() => server.replaceCertificate(torn)).toThrow();
    expect((await send(server)).by).toBe('first');
  });
});

describe('stopping', () => {
  it('lets calls end, closes connections that are idle or silent, and takes no more', async () => {
    const server = await served();
    await send(server, { agent: keepAlive() });
    const silent = connect(server.port, '127.0.0.1');
    const silentEnded = new Promise((resolve) => silent.on('close', resolve));
    silent.on('error', () => undefined);
    const answer = send(server, { body: HELD, agent: keepAlive() });
    await until(() => held.length === 1);
    let closed = false;
    const closing = server.close().then(() => (closed = true));
    await expect(send(server)).rejects.toThrow('ECONNREFUSED');
    expect(closed).toBe(false);
    held.splice(0).forEach((go) => go());
    expect((await answer).status).toBe(200);
    await closing;
    await silentEnded;
  });

  it('waits for calls that hang until their deadline, and for bodies that do not arrive only so long', async () => {
    const clock = new VirtualClock();
    const server = await served({ clock });
    const hanging = send(server, { path: `${webhook.path}?timeout=1h`, body: HELD });
    await until(() => held.length === 1);
    const expect100 = { ...JSON_TYPE, 'content-length': 100, expect: '100-continue' };
    const slow = httpsRequest({ ...to(server), headers: expect100 });
    const arrived = new Promise((resolve) => slow.on('continue', resolve));
    const lost = new Promise<Error>((resolve) => slow.on('error', resolve));
    slow.flushHeaders();
    await arrived;
    const closing = server.close();
    await clock.advance(29_500);
    expect(await hanging).toMatchObject({ status: 500, text: expect.stringContaining('29500 ms') });
    await clock.advance(MAX_STOP_MS - 29_500);
    await closing;
    expect((await lost).message).toMatch(/hang up|RESET/);
  });

  it('is told where the port is taken', async () => {
    const { port } = await served();
    await expect(served({ port })).rejects.toThrow('EADDRINUSE');
  });
});

describe('who begins and does not go on', () => {
  /** Resolves once it is cut off: in order, or torn where the server had not read all of it. */
  const closing = (socket: Socket) =>
    new Promise<void>((resolve) => {
      socket.on('error', () => undefined).once('close', () => resolve());
      socket.resume();
    });

  it.each([
    ['half a head', `POST ${webhook.path} HTTP/1.1\r\nhost: a\r\n`],
    [
      'half a body',
      `POST ${webhook.path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{`,
    ],
  ])('is cut off after %s', async (_, half) => {
    const { port } = await served({ arrivalMs: { whole: 100, head: 100 } });
    const socket = connectTls({ port, host: '127.0.0.1', ca });
    socket.write(half);
    await closing(socket);
  });

  it('is cut off after half a head in its time, though the whole may take longer', async () => {
    const { port } = await served({ arrivalMs: { whole: 60_000, head: 100 } });
    const socket = connectTls({ port, host: '127.0.0.1', ca });
    socket.write('POST /');
    const since = performance.now();
    await closing(socket);
    expect(performance.now() - since).toBeLessThan(30_000);
  });

  it('is cut off after half a head in the time of the whole, where that is less', async () => {
    const { port } = await served({ arrivalMs: { whole: 100, head: 10_000 } });
    const socket = connectTls({ port, host: '127.0.0.1', ca });
    socket.write('POST /');
    await closing(socket);
  });

  it('is cut off before the handshake too', async () => {
    const { port } = await served({ arrivalMs: { whole: 100, head: 100 } });
    await closing(connect(port, '127.0.0.1'));
  });
});
