// The load of the demo: what became of each request.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { until } from '../../test/support/until.ts';
import { Load } from './load.ts';

const CONNECTIONS = 3;

describe('a load', () => {
  const server = createServer();
  const waiting: ServerResponse[] = [];
  afterEach(() => {
    server.removeAllListeners('request');
    server.closeAllConnections();
    server.close();
  });

  it('counts what fails while a loss is expected apart from what fails later', async () => {
    server.on('request', (_, response: ServerResponse) => void waiting.push(response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/`;
    const load = new Load(
      { name: 'test', url, method: 'GET', connections: CONNECTIONS },
      systemClock,
    );
    const round = () => until(() => waiting.length === CONNECTIONS);
    const fail = () => waiting.splice(0).forEach((response) => response.destroy());
    await round();
    load.expectLoss();
    fail();
    await round();
    expect(load.totals).toMatchObject({ answered: 0, failed: CONNECTIONS, lost: CONNECTIONS });
    // Those that began meanwhile are lost as well, though they fail when it is over.
    load.lossOver();
    fail();
    await round();
    const lost = 2 * CONNECTIONS;
    expect(load.totals).toMatchObject({ failed: lost, lost });
    fail();
    await round();
    expect(load.totals).toMatchObject({ failed: lost + CONNECTIONS, lost });
    server.removeAllListeners('request');
    server.on('request', (_, response: ServerResponse) => response.end());
    waiting.splice(0).forEach((response) => response.end());
    await until(() => load.totals.answered > CONNECTIONS);
    await load.stop();
    expect(load.totals).toMatchObject({ failed: lost + CONNECTIONS, lost });
  });
});
