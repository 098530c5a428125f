// What comes out of real containers and goes in: logs, terminals, visitors, ends for want of memory. Needs root, runc and conmon.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listenTo } from '../../../test/contracts/runtime.ts';
import { anOciHost, type OciHost, sh } from '../../../test/support/oci-host.ts';
import { aContainer, aSandbox } from '../../../test/support/runtime-configs.ts';
import type { ContainerConfig } from '../runtime.ts';
import type { OciRuntime } from './oci-runtime.ts';

describe('streams of containers', () => {
  let host: OciHost;
  let runtime: OciRuntime;
  beforeAll(async () => {
    host = await anOciHost();
    runtime = await host.start();
  });
  afterAll(() => host.dispose());

  let count = 0;
  const run = async (script: string, parts: Partial<ContainerConfig> = {}) => {
    const sandbox = aSandbox(`p${(count += 1)}`, { hostNetwork: true });
    const sandboxId = await runtime.runSandbox(sandbox);
    const logPath = join(host.folder, `${count}.log`);
    const config = { name: 'main', imageId: host.shell.id, command: sh(script), logPath, ...parts };
    const id = await runtime.createContainer(sandboxId, sandbox, aContainer(config));
    await runtime.startContainer(id);
    return id;
  };
  const logOf = (id: string, encoding: 'utf8' | 'latin1' = 'utf8') =>
    runtime.containerStatus(id).then((status) => readFileSync(status?.logPath ?? '', encoding));

  it('attaches to a container that another agent started, again and again', async () => {
    const script = 'while read line; do echo "got $line"; done; echo ended';
    const id = await run(script, { stdin: true });
    for (const word of ['one', 'two']) {
      runtime = await host.start();
      const session = await runtime.attach(id, { stdin: true });
      session.stdin?.end(`${word}\n`);
      for await (const chunk of session.stdout) if (String(chunk).includes(`got ${word}`)) break;
      session.kill();
    }
    expect(await runtime.containerStatus(id)).toMatchObject({ state: 'running' });
  });

  it('closes the input of a container for good after its first visitor, where it is told to', async () => {
    const events = listenTo(runtime);
    const id = await run('cat; echo ended', { stdin: true, stdinOnce: true });
    const session = await runtime.attach(id, { stdin: true });
    const said = textOf(session.stdout);
    session.stdin?.end('all\n');
    await events.next('exited', id);
    events.stop();
    expect(await said).toBe('all\nended\n');
  });

  it('gives a container its terminal, whose size follows its visitor', async () => {
    const id = await run('until [ "$(stty size)" = "33 101" ]; do sleep 0.02; done; echo wide', {
      tty: true,
      stdin: true,
    });
    const session = await runtime.attach(id, { stdin: true });
    const said = textOf(session.stdout);
    session.resize({ columns: 101, rows: 33 });
    expect(await session.exit).toBe(0);
    expect(await said).toContain('wide');
  });

  it('does not call a container OOMKilled whose child alone was killed for want of memory', async () => {
    const events = listenTo(runtime);
    const resources = { memoryLimitBytes: 32 * 1024 * 1024 };
    const eat = 'a=xxxxxxxx; while :; do a=$a$a; done';
    const id = await run(`/bin/sh -c '${eat}'; echo "child $?"; exit 3`, { resources });
    await events.next('exited', id);
    events.stop();
    expect(await logOf(id)).toContain('child 137');
    expect(await runtime.containerStatus(id)).toMatchObject({ exitCode: 3, reason: 'Error' });
  });

  it('writes lines that are longer than a record in parts, and bytes that are no text as they are', async () => {
    const events = listenTo(runtime);
    const id = await run(
      'i=0; while [ $i -lt 20 ]; do i=$((i+1)); printf %01000d 0; done; echo; printf "\\377\\001\\n"',
    );
    await events.next('exited', id);
    events.stop();
    const lines = (await logOf(id, 'latin1')).trimEnd().split('\n');
    const tags = lines.map((line) => line.split(' ')[2]);
    expect(tags).toEqual([...tags.slice(0, -2).map(() => 'P'), 'F', 'F']);
    const text = lines
      .slice(0, -1)
      .map((line) => line.split(' ')[3] ?? '')
      .join('');
    expect(text).toBe('0'.repeat(20_000));
    expect(lines.at(-1)?.endsWith(' stdout F \xff\x01')).toBe(true);
  });
});

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}
