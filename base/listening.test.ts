// Tests of small servers' listening: what cannot be had is told at once, and what fails later ends nothing.
import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { listen } from './listening.ts';
import { createLogger, silentLogger } from './logger.ts';

/** An address of its own, on which nobody else takes a port that is given back for a moment. */
const at = { port: 0, host: '127.0.0.205', maxConnections: 4 };

describe('listen', () => {
  it('says of a port that it is taken, and of one that is free which it is', async () => {
    const first = await listen(createServer(), { ...at, logger: silentLogger });
    const again = listen(createServer(), { ...at, port: first.port, logger: silentLogger });
    await expect(again).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await first.close();
    const taken = await listen(createServer(), { ...at, port: first.port, logger: silentLogger });
    expect(taken.port).toBe(first.port);
    await taken.close();
  });

  it('tells of each connection that could not be taken, and answers the next', async () => {
    const lines: string[] = [];
    const logger = createLogger('warn', { write: (line) => lines.push(line) });
    const server = createServer((_, response) => response.end('here'));
    const listening = await listen(server, { ...at, logger });
    try {
      // As Node does where accept() fails; without a listener that ends the process.
      for (const code of ['EMFILE', 'ENFILE']) server.emit('error', new Error(`accept ${code}`));
      expect(await (await fetch(`http://${at.host}:${listening.port}/`)).text()).toBe('here');
    } finally {
      await listening.close();
    }
    expect(lines.map((line) => (JSON.parse(line) as { err: Error }).err.message)).toEqual([
      'accept EMFILE',
      'accept ENFILE',
    ]);
  });
});
