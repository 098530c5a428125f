// The server beside the cluster: it answers, and is gone when it is stopped or no longer wanted.
import { describe, expect, it } from 'vitest';
import { startBareServer } from './bare-server.ts';

describe('the bare server', () => {
  it('answers until it is stopped', async () => {
    const server = await startBareServer(new AbortController().signal);
    expect((await fetch(`${server.url}/goods`)).status).toBe(200);
    await server.stop();
    await expect(fetch(server.url)).rejects.toThrow('fetch failed');
    await server.stop();
  });

  it('does not start for a demo that is over', async () => {
    await expect(startBareServer(AbortSignal.abort(new Error('over')))).rejects.toThrow();
  });
});
