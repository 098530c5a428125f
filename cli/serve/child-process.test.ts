// How a component's process ends: its exit status tells whether its end went well.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';

const MODULE = new URL('./child-process.ts', import.meta.url).href;

/** A process whose body says that it runs, waits for its end, and ends as the script says. */
async function endedAs(script: string): Promise<number | null> {
  const program = `
    import { runChild } from ${JSON.stringify(MODULE)};
    await runChild('test', async ({ signal }) => {
      const holding = setInterval(() => undefined, 1000);
      process.stdout.write('runs');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      clearInterval(holding);
      ${script}
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

it.each([
  ['0 where it returns', '', 0],
  ['0 where it throws that it was told to end', 'signal.throwIfAborted();', 0],
  [
    '0 where what it waited for ended with it',
    'throw new Error("stopped", { cause: signal.reason });',
    0,
  ],
  ['1 where something fails on the way', 'throw new Error("the rules could not be removed");', 1],
])('ends with %s', async (_, script, code) => expect(await endedAs(script)).toBe(code));

it('says farewell before it ends, and a second signal does not wait for that', async () => {
  const program = `
    import { runChild } from ${JSON.stringify(MODULE)};
    await runChild('test', async ({ signal, farewell }) => {
      const holding = setInterval(() => undefined, 1000);
      farewell(() => new Promise((resolve) => {
        // Heeded before it is said: a signal that came in between would be lost.
        process.on('SIGUSR1', resolve);
        process.stdout.write('leaving');
      }), 60_000);
      process.stdout.write('runs');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      clearInterval(holding);
    });`;
  for (const next of ['SIGUSR1', 'SIGTERM'] as const) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const said = async () => String((await once(child.stdout, 'data'))[0]);
    expect(await said()).toBe('runs');
    child.kill('SIGTERM');
    expect(await said()).toContain('leaving');
    child.kill(next);
    expect(await once(child, 'exit')).toEqual([0, null]);
  }
});
