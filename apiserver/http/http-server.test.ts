// The listener itself, without an API server behind it: what becomes of those that begin and do not go on.
import { connect as connectTcp, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { afterEach, expect, it } from 'vitest';
import { CertificateIssuer, makeAuthority } from '../../base/certificates.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { until } from '../../test/support/until.ts';
import { ANONYMOUS } from '../auth/authenticator.ts';
import { textReply } from '../reply.ts';
import { type HttpServer, startHttpServer } from './http-server.ts';

const servers: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const REQUEST = 'GET /version HTTP/1.1\r\nhost: a\r\n\r\n';

/** Resolves once the connection is over, be it orderly or not. */
const closing = (socket: Socket) =>
  new Promise<void>((resolve) => {
    socket.on('error', () => undefined).once('close', () => resolve());
  });

/** A listener that gives requests so many milliseconds, and its authority. */
async function served(arrivalMs: number) {
  const authority = await makeAuthority('test', { clock: systemClock });
  const issuer = await CertificateIssuer.of(authority, systemClock);
  const names = [{ type: 'ip', value: '127.0.0.1' }] as const;
  const pair = await issuer.issue({ commonName: 'server', usage: 'server', names });
  const server = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    tls: { ...pair, clientCa: authority.cert },
    handler: () => Promise.resolve(textReply('fine')),
    authenticate: () => ANONYMOUS,
    passesOn: () => false,
    bodyLimitBytes: 1024,
    arrivalMs,
    clock: systemClock,
    logger: silentLogger,
  });
  servers.push(server);
  return { port: server.port, ca: authority.cert };
}

it.each([
  ['half a head', 'POST /version HTTP/1.1\r\nhost: a\r\n'],
  ['half a body', 'POST /version HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nfour'],
])('who sends %s and no more is told so, and cut off', async (_, half) => {
  const at = { ...(await served(500)), host: '127.0.0.1' };
  let said = '';
  // Who is late with the handshake already, as on a host that stands still, is cut off unsaid: that is none of these.
  await until(async () => {
    const socket = connect(at);
    const closed = closing(socket);
    socket.write(half);
    said = await text(socket).catch(() => '');
    await closed;
    return said !== '';
  });
  expect(said).toMatch(/^HTTP\/1.1 408 .*the request did not arrive in time/s);
});

it('who connects and says nothing is cut off', async () => {
  const { port } = await served(100);
  await closing(connectTcp(port, '127.0.0.1').resume());
});

it('who says something in time may be silent between two requests', async () => {
  const arrivalMs = 500;
  const at = { ...(await served(arrivalMs)), host: '127.0.0.1' };
  const ask = () => {
    const socket = connect(at);
    const asked = { socket, said: '', isOver: false };
    socket.setEncoding('utf8').on('data', (chunk: string) => (asked.said += chunk));
    void closing(socket).then(() => (asked.isOver = true));
    socket.write(REQUEST);
    return asked;
  };
  let asked = ask();
  // As above: who was late is begun anew.
  await until(() => {
    if (asked.isOver) asked = ask();
    return asked.said.includes('fine');
  });
  await systemClock.sleep(3 * arrivalMs);
  asked.socket.write(REQUEST);
  await expect.poll(() => asked.said.match(/fine/g)?.length).toBe(2);
  asked.socket.destroy();
});
