// The port for probes and figures: what it answers, and what it does with those who ask too much of it.
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Figures } from '../../../base/figures.ts';
import type { Listening } from '../../../base/listening.ts';
import { silentLogger } from '../../../base/logger.ts';
import { until } from '../../../test/support/until.ts';
import { MAX_HEALTH_CONNECTIONS, serveHealth } from './health-server.ts';

let server: Listening;
let ready: boolean;
const sockets: Socket[] = [];
beforeEach(async () => {
  ready = false;
  server = await serveHealth(
    { port: 0, host: '127.0.0.1' },
    // Those that say nothing stay for as long as a test takes.
    {
      figures: new Figures(),
      logger: silentLogger,
      checks: () => [['caches', ready]],
      requestMs: 120_000,
    },
  );
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.close();
});

const ask = async (path: string, method = 'GET') => {
  const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
  return [answer.status, await answer.text()];
};

describe('serveHealth', () => {
  it('tells readiness by its checks, and health whatever they say', async () => {
    expect(await ask('/readyz')).toEqual([503, '[-]caches\n']);
    ready = true;
    expect(await ask('/readyz?verbose')).toEqual([200, '[+]caches\n']);
    expect(await ask('/livez', 'HEAD')).toEqual([200, '']);
  });

  it('listens on every address unless told, of either family', async () => {
    const open = await serveHealth(
      { port: 0 },
      { figures: new Figures(), logger: silentLogger, checks: () => [] },
    );
    const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
    const hosts = own.filter(({ internal }) => internal);
    const statuses = hosts.map(async ({ address, family }) => {
      const host = family === 'IPv6' ? `[${address}]` : address;
      const { status } = await fetch(`http://${host}:${open.port}/healthz`);
      return status;
    });
    const answered = await Promise.allSettled(statuses);
    await open.close();
    expect(answered).toEqual(hosts.map(() => ({ status: 'fulfilled', value: 200 })));
  });

  it('says what is asked wrongly', async () => {
    expect(await ask('/healthz', 'POST')).toEqual([405, 'only GET and HEAD are answered here\n']);
    expect(await ask('/')).toEqual([
      404,
      'there are /healthz, /livez, /readyz and /metrics here\n',
    ]);
  });

  it('has room again once the time is over of those who never say anything', async () => {
    const limited = await serveHealth(
      { port: 0, host: '127.0.0.1' },
      { figures: new Figures(), logger: silentLogger, checks: () => [], requestMs: 100 },
    );
    const open = (i: number) => {
      const socket = connect(limited.port, '127.0.0.1').on('error', () => undefined);
      sockets.push(socket);
      if (i === 0) socket.write('GET /healthz HTTP/1.1\r\n');
      // By the event alone: one that is cut off before it was read is torn, which is an end as well.
      return new Promise((resolve) => socket.resume().once('close', resolve));
    };
    try {
      await Promise.all(Array.from({ length: MAX_HEALTH_CONNECTIONS }, (_, i) => open(i)));
      // Who asks may be late as well, on a host that stands still.
      const answers = () => fetch(`http://127.0.0.1:${limited.port}/healthz`);
      await until(() =>
        answers().then(
          ({ status }) => status === 200,
          () => false,
        ),
      );
    } finally {
      await limited.close();
    }
  });

  it('closes connections past its limit, answers on the others, and leaves none when it closes', async () => {
    const open = async () => {
      const socket = connect(server.port, '127.0.0.1');
      sockets.push(socket);
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      return socket;
    };
    const [first] = await Promise.all(Array.from({ length: MAX_HEALTH_CONNECTIONS }, open));
    await once(await open(), 'close');
    first?.write('GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n');
    expect(String((await once(first as Socket, 'data'))[0])).toMatch(/^HTTP\/1.1 200 OK/);
    const closed = once(first as Socket, 'close');
    await server.close();
    await closed;
  });
});
