// The server beside the cluster: it answers, and is gone when it is stopped or no longer wanted.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { until } from '../../test/support/until.ts';
import { startBareServer } from './bare-server.ts';

describe('the bare server', () => {
  it('answers until it is stopped', async () => {
    const server = await startBareServer(new AbortController().signal);
    expect((await fetch(`${server.url}/goods`)).status).toBe(200);
    await server.stop();
    await expect(fetch(server.url)).rejects.toThrow('fetch failed');
    await server.stop();
  });

  it('does not start for a demo that is over, or is over meanwhile', async () => {
    await expect(startBareServer(AbortSignal.abort(new Error('over')))).rejects.toThrow('over');
    const ending = new AbortController();
    const starting = startBareServer(ending.signal);
    ending.abort(new Error('over'));
    await expect(starting).rejects.toThrow();
  });

  it('ends with the process that started it, however that ends', async () => {
    const file = fileURLToPath(new URL('./bare-server.ts', import.meta.url));
    const program = `
      const { startBareServer } = await import(${JSON.stringify(file)});
      console.log((await startBareServer(new AbortController().signal)).url);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program]);
    const [said] = (await once(parent.stdout, 'data')) as [Buffer];
    const url = said.toString().trim();
    expect((await fetch(url)).status).toBe(200);
    parent.kill('SIGKILL');
    await until(() =>
      fetch(url).then(
        () => false,
        () => true,
      ),
    );
  });
});
