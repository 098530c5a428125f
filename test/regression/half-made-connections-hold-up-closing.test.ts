// A server closes within its grace though somebody connected and never said a word: neither a handshake nor a FIN.
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { expect, it } from 'vitest';
import { startTestServer } from '../support/server.ts';

it('a connection that never begins its handshake does not hold up closing', async () => {
  const server = await startTestServer();
  const mute = createConnection({ host: '127.0.0.1', port: server.port, allowHalfOpen: true });
  mute.on('error', () => undefined);
  await once(mute, 'connect');
  // The server has taken it in once a later connection is answered.
  expect((await server.call('GET', '/version')).status).toBe(200);
  const closed = once(mute, 'close');
  mute.resume();
  mute.once('end', () => mute.destroy());
  await server.close();
  await closed;
});
