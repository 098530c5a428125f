// The listener itself, without an API server behind it: what becomes of those that begin and do not go on.
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { afterEach, expect, it } from 'vitest';
import { CertificateIssuer, makeAuthority } from '../../base/certificates.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { ANONYMOUS } from '../auth/authenticator.ts';
import { textReply } from '../reply.ts';
import { type HttpServer, startHttpServer } from './http-server.ts';

const servers: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
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
  const socket = connect({ ...(await served(100)), host: '127.0.0.1' });
  socket.on('error', () => undefined).write(half);
  const closed = once(socket, 'close');
  expect(await text(socket)).toMatch(/^HTTP\/1.1 408 .*the request did not arrive in time/s);
  await closed;
});

it('who connects and says nothing is cut off', async () => {
  const { port } = await served(100);
  const mute = connectTcp(port, '127.0.0.1').on('error', () => undefined);
  await once(mute.resume(), 'close');
});

it('who says something in time may be silent between two requests', async () => {
  const socket = connect({ ...(await served(200)), host: '127.0.0.1' });
  let said = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  for (const times of [1, 2]) {
    socket.write('GET /version HTTP/1.1\r\nhost: a\r\n\r\n');
    await expect.poll(() => said.match(/fine/g)?.length).toBe(times);
    await new Promise((resolve) => systemClock.timer(600, () => resolve(undefined)));
  }
  socket.destroy();
});
